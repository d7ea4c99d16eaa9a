package dev.pgproxy.health.failover;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A connection string of libpq, {@code keyword=value} as in {@code primary_conninfo}. It may hold a password, so only {@link
 * #text} shows it. Immutable. Source: manual, "Keyword/Value Connection Strings"; src/interfaces/libpq/fe-connect.c,
 * conninfo_parse.
 */
final class ConnInfo {
    private final Map<String, String> values;

    private ConnInfo(Map<String, String> values) {
        this.values = values;
    }

    /** @throws IllegalArgumentException if it is none, or a URI; the message has nothing of the text */
    static ConnInfo parse(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        int at = blanks(text, 0);
        while (at < text.length()) {
            int from = at;
            while (at < text.length() && text.charAt(at) != '=' && !Character.isWhitespace(text.charAt(at))) {
                at++;
            }
            String name = text.substring(from, at);
            at = blanks(text, at);
            if (name.isEmpty() || at == text.length() || text.charAt(at) != '=') {
                throw new IllegalArgumentException("not a list of keyword=value");
            }
            at = blanks(text, at + 1);
            StringBuilder value = new StringBuilder();
            at = value(text, at, value);
            values.put(name, value.toString());
            at = blanks(text, at);
        }
        return new ConnInfo(values);
    }

    private static int blanks(String text, int from) {
        int at = from;
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        return at;
    }

    /** Returns where the value ends. */
    private static int value(String text, int from, StringBuilder value) {
        boolean quoted = from < text.length() && text.charAt(from) == '\'';
        int at = quoted ? from + 1 : from;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (quoted ? c == '\'' : Character.isWhitespace(c)) {
                return at;
            }
            if (c == '\\' && at < text.length()) {
                c = text.charAt(at++);
            }
            value.append(c);
        }
        if (quoted) {
            throw new IllegalArgumentException("a quote that does not end");
        }
        return at;
    }

    @Nullable
    String get(String keyword) {
        return values.get(keyword);
    }

    /** Whether it leads there, as far as its words say. */
    boolean leadsTo(String host, int port) {
        String address = values.getOrDefault("hostaddr", "");
        String name = address.isEmpty() ? values.getOrDefault("host", "") : address;
        return name.toLowerCase(Locale.ROOT).equals(host.toLowerCase(Locale.ROOT))
                && values.getOrDefault("port", "5432").equals(Integer.toString(port));
    }

    /** The same to another server. */
    ConnInfo to(String host, int port) {
        Map<String, String> changed = new LinkedHashMap<>(values);
        changed.remove("hostaddr");
        changed.put("host", host);
        changed.put("port", Integer.toString(port));
        return new ConnInfo(changed);
    }

    /** Its text, with whatever is secret in it. */
    String text() {
        StringBuilder text = new StringBuilder();
        values.forEach((name, value) -> text.append(text.isEmpty() ? "" : " ")
                .append(name)
                .append("='")
                .append(value.replace("\\", "\\\\").replace("'", "\\'"))
                .append('\''));
        return text.toString();
    }

    @Override
    public String toString() {
        return "host=" + values.get("host") + " port=" + values.get("port");
    }
}
