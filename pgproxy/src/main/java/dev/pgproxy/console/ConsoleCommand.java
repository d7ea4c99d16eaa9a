package dev.pgproxy.console;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One command of the console. Immutable. Source: PgBouncer's usage.md, "Admin console". */
sealed interface ConsoleCommand {
    /** {@code SHOW what}; {@code what} in lower case; the text as it was sent. */
    record Show(String what, String text) implements ConsoleCommand {}

    /** {@code SHOW ROUTE [database] 'statement'}. */
    record ShowRoute(@Nullable String database, String sql) implements ConsoleCommand {}

    /** {@code SHOW QUERIES [ORDER BY column [ASC | DESC]] [LIMIT n]}; the column in lower case. */
    record ShowQueries(String orderBy, boolean ascending, long limit) implements ConsoleCommand {
        /** {@code SHOW QUERIES}: all, the one that takes the most time first. */
        static final ShowQueries ALL = new ShowQueries("total_us", false, Long.MAX_VALUE);
    }

    /** {@code SHOW NPLUSONE LIMIT n}. */
    record ShowNPlusOne(long limit) implements ConsoleCommand {}

    /** {@code RESET QUERIES}. */
    record ResetQueries() implements ConsoleCommand {}

    /** {@code SELECT 1} or {@code SELECT version()}, which tools send to see whether anybody is there. */
    record Select(String expression) implements ConsoleCommand {}

    /** {@code SET key = value}. */
    record Set(String key, String value) implements ConsoleCommand {
        @Override
        public String toString() {
            return "SET " + key; // the value may be a secret
        }
    }

    /** {@code CACHE …}. */
    record Cache(List<String> words) implements ConsoleCommand {}

    /** {@code RELOAD}. */
    record Reload() implements ConsoleCommand {}

    /** A verb for one database, or for all where the name is null. */
    record OnDatabase(Verb verb, @Nullable String database) implements ConsoleCommand {}

    /** {@code KILL_CLIENT id}. */
    record KillClient(String id) implements ConsoleCommand {}

    /** {@code SWITCHOVER host:port}. */
    record SwitchOver(String host) implements ConsoleCommand {}

    /** {@code SUSPEND}. */
    record Suspend() implements ConsoleCommand {}

    /** {@code SHUTDOWN} in one of its forms. */
    record Shutdown(ShutdownMode mode) implements ConsoleCommand {}

    /** Nothing but blanks. */
    record Nothing() implements ConsoleCommand {}

    /** Anything else, as it was sent. */
    record Unknown(String text) implements ConsoleCommand {}

    /** What can be done to a database. */
    enum Verb {
        PAUSE,
        RESUME,
        DISABLE,
        ENABLE,
        RECONNECT,
        KILL,
        WAIT_CLOSE;

        /** Whether it needs the name of a database. */
        boolean needsDatabase() {
            return this == DISABLE || this == ENABLE || this == KILL;
        }
    }

    /** A word, a quoted name, a quoted text, or a sign; what is between is blank. */
    Pattern TOKEN =
            Pattern.compile("\\s*(?:\"((?:[^\"]|\"\")*)\"|'((?:[^']|'')*)'|([^\\s;=,'\"()]+)|([;=,()]))\\s*|\\s+");

    /** What stands behind SHOW. */
    Pattern QUERIES = Pattern.compile("queries(?: order by (\\S+)(?: (asc|desc))?)?(?: limit (\\d{1,9}))?");

    /** The same of findings. */
    Pattern N_PLUS_ONE = Pattern.compile("nplusone limit (\\d{1,9})");

    Map<String, ShutdownMode> SHUTDOWN = Map.of(
            "", ShutdownMode.IMMEDIATE,
            "wait_for_servers", ShutdownMode.WAIT_FOR_SERVERS,
            "wait_for_clients", ShutdownMode.WAIT_FOR_CLIENTS);

    /** Reads the commands of a text, separated by semicolons. */
    static List<ConsoleCommand> parse(String text) {
        List<ConsoleCommand> commands = new ArrayList<>();
        List<String> words = new ArrayList<>();
        Matcher token = TOKEN.matcher(text);
        int start = 0;
        int at = 0;
        while (at < text.length()) {
            if (!token.find(at) || token.start() != at) {
                return List.of(new Unknown(text)); // a quote that does not end
            }
            at = token.end();
            String sign = token.group(4);
            if (";".equals(sign)) {
                if (!words.isEmpty()) {
                    commands.add(read(words, text.substring(start, token.start(4))));
                }
                words.clear();
                start = at;
            } else {
                String word = word(token);
                if (word != null) {
                    words.add(word);
                }
            }
        }
        if (!words.isEmpty()) {
            commands.add(read(words, text.substring(start)));
        }
        return commands.isEmpty() ? List.of(new Nothing()) : commands;
    }

    private static @Nullable String word(Matcher token) {
        if (token.group(1) != null) {
            return token.group(1).replace("\"\"", "\"");
        }
        if (token.group(2) != null) {
            return token.group(2).replace("''", "'");
        }
        return token.group(3) != null ? token.group(3) : token.group(4);
    }

    private static ConsoleCommand read(List<String> words, String text) {
        String verb = words.get(0).toLowerCase(Locale.ROOT);
        List<String> rest = words.subList(1, words.size());
        String first = rest.isEmpty() ? null : rest.get(0);
        boolean alone = rest.isEmpty();
        ConsoleCommand command = switch (verb) {
            case "show" ->
                alone
                        ? null
                        : isRoute(rest)
                                ? route(rest)
                                : show(String.join(" ", rest).toLowerCase(Locale.ROOT), text.strip());
            case "reset" ->
                rest.size() == 1 && first != null && first.equalsIgnoreCase("queries") ? new ResetQueries() : null;
            case "select" -> select(String.join("", rest).toLowerCase(Locale.ROOT));
            case "set" -> set(rest);
            case "cache" -> new Cache(List.copyOf(rest));
            case "reload" -> alone ? new Reload() : null;
            case "switchover" -> rest.size() != 1 ? null : new SwitchOver(rest.get(0));
            case "suspend" -> alone ? new Suspend() : null;
            case "kill_client" -> rest.size() > 1 ? null : new KillClient(first == null ? "" : first);
            case "shutdown" -> shutdown(String.join(" ", rest).toLowerCase(Locale.ROOT));
            case "pause", "resume", "disable", "enable", "reconnect", "kill", "wait_close" ->
                rest.size() > 1 ? null : new OnDatabase(Verb.valueOf(verb.toUpperCase(Locale.ROOT)), first);
            default -> null;
        };
        return command == null ? new Unknown(text.strip()) : command;
    }

    private static ConsoleCommand show(String what, String text) {
        Matcher queries = QUERIES.matcher(what);
        Matcher findings = N_PLUS_ONE.matcher(what);
        if (findings.matches()) {
            return new ShowNPlusOne(Long.parseLong(findings.group(1)));
        }
        if (!queries.matches()) {
            return new Show(what, text);
        }
        String by = queries.group(1);
        String limit = queries.group(3);
        return new ShowQueries(
                by == null ? ShowQueries.ALL.orderBy() : by,
                "asc".equals(queries.group(2)),
                limit == null ? ShowQueries.ALL.limit() : Long.parseLong(limit));
    }

    private static boolean isRoute(List<String> rest) {
        return rest.get(0).equalsIgnoreCase("route") && (rest.size() == 2 || rest.size() == 3);
    }

    private static ConsoleCommand route(List<String> rest) {
        return new ShowRoute(rest.size() == 3 ? rest.get(1) : null, rest.get(rest.size() - 1));
    }

    private static @Nullable ConsoleCommand select(String expression) {
        return expression.equals("1") || expression.equals("version()") ? new Select(expression) : null;
    }

    private static @Nullable ConsoleCommand shutdown(String how) {
        ShutdownMode mode = SHUTDOWN.get(how);
        return mode == null ? null : new Shutdown(mode);
    }

    private static @Nullable ConsoleCommand set(List<String> rest) {
        if (rest.size() < 3 || !rest.get(1).equals("=") && !rest.get(1).equalsIgnoreCase("to")) {
            return null;
        }
        List<String> value = rest.subList(2, rest.size());
        return new Set(rest.get(0).toLowerCase(Locale.ROOT), String.join("", value));
    }
}
