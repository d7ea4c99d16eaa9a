package dev.pgproxy.pgbouncer;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads {@code key=value} pairs between blanks, as PgBouncer reads the values of its sections databases, users and peers: a
 * value with blanks stands in single quotes, a quote within is doubled, an empty one is a mistake. Confined to one call.
 */
final class ConnectString {
    private final String text;
    private int at;

    /** Of the pair at hand, from 1. */
    private int number;

    private ConnectString(String text) {
        this.text = text;
    }

    /** The pairs, the last one of a key; throws IllegalArgumentException, whose message repeats no value. */
    static Map<String, String> parse(String text) {
        ConnectString reader = new ConnectString(text);
        Map<String, String> pairs = new LinkedHashMap<>();
        reader.skipBlanks();
        while (reader.at < text.length()) {
            reader.number++;
            String key = reader.key();
            pairs.remove(key);
            pairs.put(key, reader.value());
            reader.skipBlanks();
        }
        return pairs;
    }

    private String key() {
        int start = at;
        while (at < text.length() && text.charAt(at) != '=' && text.charAt(at) != ' ') {
            at++;
        }
        String key = text.substring(start, at);
        skipBlanks();
        if (key.isEmpty() || at == text.length() || text.charAt(at) != '=') {
            throw mistake("is not key=value; a value with blanks belongs in single quotes, where a quote is doubled");
        }
        at++;
        return key;
    }

    private String value() {
        skipBlanks();
        StringBuilder value = new StringBuilder();
        if (at < text.length() && text.charAt(at) == '\'') {
            at++;
            quoted(value);
        } else {
            while (at < text.length() && text.charAt(at) != ' ') {
                value.append(text.charAt(at++));
            }
        }
        if (value.isEmpty()) {
            throw mistake("has an empty value: leave it out");
        }
        return value.toString();
    }

    private void quoted(StringBuilder value) {
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c != '\'') {
                value.append(c);
            } else if (at < text.length() && text.charAt(at) == '\'') {
                value.append(c);
                at++;
            } else {
                at += at < text.length() ? 1 : 0; // PgBouncer takes one more character for the blank
                return;
            }
        }
        throw mistake("lacks the closing quote");
    }

    /** Names the pair by its number: what looks like a key may be a part of a password. */
    private IllegalArgumentException mistake(String text) {
        return new IllegalArgumentException("pair " + number + " " + text);
    }

    private void skipBlanks() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }
}
