package dev.pgproxy.insight.log;

import dev.pgproxy.insight.Caller;
import dev.pgproxy.insight.Printable;
import dev.pgproxy.json.Json;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * An entry of the log with what its event loop did not know. Immutable.
 *
 * @param route {@code primary}, {@code replica}, {@code cache}, or {@code refused}
 * @param longest characters of its text that are written at most
 */
record LogRow(Instant endedAt, String route, int longest, LogEntry entry) {
    /** The columns of the table. */
    static final String COLUMNS = "ended_at, duration_us, queue_us, database, user_name, application_name, client_addr,"
            + " route, host, cache, rows, sqlstate, fingerprint, query";

    private static final char HIGHEST_ASCII = '~';

    /** As one line of JSON. */
    String json() {
        Caller caller = entry.caller();
        return Json.object()
                        .put("time", time())
                        .put("duration_us", (entry.queued() + entry.served()) / 1000)
                        .put("queue_us", entry.queued() / 1000)
                        .put("database", Printable.of(caller.database()))
                        .put("user", Printable.of(caller.user()))
                        .put("application_name", Printable.of(caller.application()))
                        .put("client_addr", address())
                        .put("route", route)
                        .put("host", host())
                        .put("cache", cache())
                        .put("rows", entry.rows())
                        .put("sqlstate", entry.sqlState())
                        .put("fingerprint", entry.fingerprint())
                        .put("query", text())
                + "\n";
    }

    /**
     * As one line of COPY's text format.
     *
     * @param ascii whether the database can hold nothing else
     */
    String copy(boolean ascii) {
        Caller caller = entry.caller();
        StringJoiner line = new StringJoiner("\t", "", "\n");
        line.add(time());
        line.add(Long.toString((entry.queued() + entry.served()) / 1000));
        line.add(Long.toString(entry.queued() / 1000));
        line.add(escaped(Printable.of(caller.database()), ascii));
        line.add(escaped(Printable.of(caller.user()), ascii));
        line.add(escaped(Printable.of(caller.application()), ascii));
        line.add(escaped(address(), ascii));
        line.add(route);
        line.add(escaped(host(), ascii));
        line.add(escaped(cache(), ascii));
        line.add(Long.toString(entry.rows()));
        line.add(escaped(entry.sqlState(), ascii));
        line.add(entry.fingerprint());
        line.add(escaped(text(), ascii));
        return line.toString();
    }

    /** Neither line feeds nor tabs are left in what is printable: only the escape character itself needs one. */
    private static String escaped(@Nullable String value, boolean ascii) {
        if (value == null) {
            return "\\N";
        }
        StringBuilder out = new StringBuilder(value.length());
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '\\') {
                out.append("\\\\");
            } else if (ascii && c > HIGHEST_ASCII) {
                out.append(String.format(Locale.ROOT, "\\\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private String time() {
        return endedAt.truncatedTo(ChronoUnit.MICROS).toString();
    }

    /** Without the name of an interface, which the type inet does not have. */
    private @Nullable String address() {
        String address = entry.address();
        int zone = address.indexOf('%');
        return address.isEmpty() ? null : zone < 0 ? address : address.substring(0, zone);
    }

    private @Nullable String host() {
        return entry.host() == null ? null : entry.host().toString();
    }

    private @Nullable String cache() {
        return entry.cache() == null ? null : entry.cache().code();
    }

    private String text() {
        String text = Printable.of(entry.text());
        return text.length() <= longest ? text : text.substring(0, longest);
    }
}
