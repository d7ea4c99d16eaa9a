package dev.pgproxy.auth;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits one line of {@code pg_hba.conf} as PostgreSQL's src/backend/libpq/hba.c does: fields between white space, each a
 * list of words between commas, {@code #} begins a comment; inside double quotes all of these are plain characters and a
 * quote is doubled. White space after a comma continues the list. Confined to one call.
 */
final class HbaFields {
    /**
     * A word.
     *
     * @param quoted whether it began with a quote, by which keywords become plain names
     */
    record Word(String text, boolean quoted) {
        /** Whether this is that keyword, rather than a name spelt like it. */
        boolean is(String keyword) {
            return !quoted && text.equals(keyword);
        }
    }

    private final String line;
    private int at;
    private boolean openQuote;

    private HbaFields(String line) {
        this.line = line;
    }

    /** The fields of the line; none for an empty one; throws IllegalArgumentException where a quote is not closed. */
    static List<List<Word>> of(String line) {
        HbaFields reader = new HbaFields(line);
        List<List<Word>> fields = new ArrayList<>();
        while (reader.skipTo()) {
            List<Word> field = new ArrayList<>();
            boolean more;
            do {
                field.add(reader.word());
                more = reader.at < line.length() && line.charAt(reader.at) == ',' && reader.skipTo();
            } while (more);
            fields.add(field);
        }
        return fields;
    }

    /** Moves to the next word, over blanks and commas; false at the end of the line or at a comment. */
    private boolean skipTo() {
        while (at < line.length() && (isBlank(line.charAt(at)) || line.charAt(at) == ',')) {
            at++;
        }
        if (at < line.length() && line.charAt(at) == '#') {
            at = line.length();
        }
        return at < line.length();
    }

    private Word word() {
        boolean quoted = line.charAt(at) == '"';
        StringBuilder text = new StringBuilder();
        while (at < line.length() && !endsWord(line.charAt(at))) {
            char c = line.charAt(at++);
            if (c != '"') {
                text.append(c);
            } else if (openQuote && at < line.length() && line.charAt(at) == '"') {
                text.append(c);
                at++;
            } else {
                openQuote = !openQuote;
            }
        }
        if (openQuote) {
            throw new IllegalArgumentException("the quoted name does not end");
        }
        return new Word(text.toString(), quoted);
    }

    private boolean endsWord(char c) {
        return !openQuote && (isBlank(c) || c == ',' || c == '#');
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
    }
}
