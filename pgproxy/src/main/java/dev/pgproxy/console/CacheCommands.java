package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Routes;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.sql.Shape;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** CACHE FLUSH and CACHE INVALIDATE. Thread-safe. */
record CacheCommands(Routes known) {
    private static final String USAGE = "CACHE FLUSH | CACHE INVALIDATE TABLE [database] schema.table"
            + " | TAG name | FINGERPRINT hexadecimal | PATTERN 'text with %'";

    /** @param words behind CACHE */
    ConsoleAnswer execute(List<String> words) {
        String verb = words.isEmpty() ? "" : words.get(0).toLowerCase(Locale.ROOT);
        if (verb.equals("flush") && words.size() == 1) {
            known.results().flush();
            everywhere();
            return new ConsoleAnswer.Done("CACHE FLUSH");
        }
        if (verb.equals("invalidate") && words.size() >= 3) {
            String last = words.get(words.size() - 1);
            return switch (words.get(1).toLowerCase(Locale.ROOT)) {
                case "table" -> words.size() > 4 ? usage() : table(words.size() == 4 ? words.get(2) : "", last);
                case "tag" -> words.size() > 3 ? usage() : tag(last);
                case "fingerprint" -> words.size() > 3 ? usage() : shapes(Pattern.compile(Pattern.quote(last)), true);
                case "pattern" -> words.size() > 3 ? usage() : shapes(like(last), false);
                default -> usage();
            };
        }
        return usage();
    }

    private static ConsoleAnswer usage() {
        return Failures.of(SqlState.SYNTAX_ERROR, "invalid CACHE command", USAGE);
    }

    private ConsoleAnswer table(String database, String name) {
        String whole = name.indexOf('.') < 0 ? "public." + name : name;
        int found = 0;
        for (DatabaseState state : known.all()) {
            Catalog catalog = state.catalog();
            Integer oid = catalog == null ? null : catalog.oidOf(whole);
            if (oid != null
                    && (database.isEmpty() || database.equals(state.database().name()))) {
                state.written(RelationSet.of(oid));
                found++;
            }
        }
        return found == 0
                ? Failures.of(
                        SqlState.UNDEFINED_OBJECT,
                        "no database that has been used has a table \"" + whole + "\"",
                        "SHOW CACHE TABLES lists those that are read.")
                : new ConsoleAnswer.Done("CACHE INVALIDATE");
    }

    private ConsoleAnswer tag(String name) {
        known.results().invalidate(name.toLowerCase(Locale.ROOT));
        everywhere();
        return new ConsoleAnswer.Done("CACHE INVALIDATE");
    }

    /** Other instances know tables, and neither our tags nor our fingerprints. */
    private void everywhere() {
        if (known.instances() != null) {
            known.all().forEach(state -> state.written(RelationSet.ALL));
        }
    }

    private ConsoleAnswer shapes(Pattern pattern, boolean fingerprint) {
        long now = Monotonic.now();
        int found = 0;
        for (Shape shape : known.shapes().all()) {
            if (pattern.matcher(fingerprint ? shape.fingerprint() : shape.masked())
                    .matches()) {
                shape.mark().raise(now);
                found++;
            }
        }
        if (found > 0) {
            everywhere();
        }
        return found == 0
                ? Failures.of(
                        SqlState.UNDEFINED_OBJECT,
                        "no statement that is known fits",
                        "SHOW CACHE FINGERPRINTS lists those that were looked up.")
                : new ConsoleAnswer.Done("CACHE INVALIDATE");
    }

    /** As LIKE: % stands for any characters; case does not matter. */
    private static Pattern like(String pattern) {
        String[] parts = pattern.split("%", -1);
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < parts.length; i++) {
            regex.append(i == 0 ? "" : ".*").append(Pattern.quote(parts[i]));
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL | Pattern.CASE_INSENSITIVE);
    }
}
