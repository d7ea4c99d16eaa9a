package dev.pgproxy.client;

import dev.pgproxy.config.StartupRules;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.query.SettingsAlignment;
import dev.pgproxy.session.Settings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The run-time parameters of a StartupMessage, those in {@code options} included. Immutable. Source:
 * src/backend/utils/init/postinit.c (process_startup_options), src/backend/tcop/postgres.c (process_postgres_switches).
 *
 * @param values name in lower case to value, in the order of taking effect
 */
record StartupParameters(Map<String, String> values) {
    private static final Set<String> OTHER = Set.of("user", "database", "replication", "options");

    /** An option that cannot be understood. */
    static final class BadOption extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient ErrorFields error;

        BadOption(ErrorFields error) {
            super(error.message(), null, false, false);
            this.error = error;
        }

        ErrorFields error() {
            return error;
        }
    }

    /** What of a start-up message is obeyed; the rest is to be ignored. */
    static Map<String, String> obeyed(Map<String, String> startup, StartupRules rules) throws BadOption {
        if (rules.obeysAll()) {
            return startup;
        }
        Map<String, String> obeyed = new LinkedHashMap<>();
        for (Map.Entry<String, String> entry : startup.entrySet()) {
            String name = entry.getKey();
            if (name.equals("options")) {
                if (!rules.ignored().contains("options")) {
                    obeyed.put(name, obeyed(entry.getValue(), rules));
                }
            } else if (OTHER.contains(name)
                    || name.startsWith("_pq_.")
                    || isObeyed(name, rules, "unsupported startup parameter: ")) {
                obeyed.put(name, entry.getValue());
            }
        }
        return obeyed;
    }

    private static String obeyed(String options, StartupRules rules) throws BadOption {
        Map<String, String> values = new LinkedHashMap<>();
        switches(split(options), values);
        StringBuilder words = new StringBuilder();
        for (Map.Entry<String, String> entry : values.entrySet()) {
            if (isObeyed(entry.getKey(), rules, "unsupported startup parameter in options: ")) {
                String word = entry.getKey() + "=" + entry.getValue();
                words.append(" -c ").append(word.replaceAll("[\\\\\\s]", "\\\\$0"));
            }
        }
        return words.toString();
    }

    private static boolean isObeyed(String name, StartupRules rules, String refusal) throws BadOption {
        return switch (rules.of(name)) {
            case OBEYED -> true;
            case IGNORED -> false;
            case REFUSED -> throw new BadOption(ErrorFields.fatal(SqlState.PROTOCOL_VIOLATION, refusal + name));
        };
    }

    static StartupParameters of(Map<String, String> startup) throws BadOption {
        Map<String, String> values = new LinkedHashMap<>();
        String options = startup.get("options");
        if (options != null) {
            switches(split(options), values);
        }
        startup.forEach((name, value) -> {
            if (!OTHER.contains(name) && !name.startsWith("_pq_.")) {
                values.put(name.toLowerCase(Locale.ROOT), value);
            }
        });
        return new StartupParameters(values);
    }

    /** As settings of a session. */
    Settings settings() {
        Settings settings = Settings.NONE;
        for (Map.Entry<String, String> entry : values.entrySet()) {
            settings = settings.with(entry.getKey(), SettingsAlignment.setConfig(entry.getKey(), entry.getValue()));
        }
        return settings;
    }

    private static void switches(List<String> words, Map<String, String> values) throws BadOption {
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            String assignment;
            if (word.equals("-c") && i + 1 < words.size()) {
                assignment = words.get(++i);
            } else if (word.startsWith("-c")) {
                assignment = word.substring(2);
            } else if (word.startsWith("--")) {
                assignment = word.substring(2);
            } else {
                throw bad("invalid command-line argument for server process: " + word);
            }
            int equals = assignment.indexOf('=');
            if (equals < 0) {
                throw bad(
                        word.startsWith("--")
                                ? "--" + assignment + " requires a value"
                                : "-c " + assignment + " requires a value");
            }
            String name = assignment.substring(0, equals).replace('-', '_').toLowerCase(Locale.ROOT);
            values.put(name, assignment.substring(equals + 1));
        }
    }

    private static BadOption bad(String message) {
        return new BadOption(ErrorFields.fatal(SqlState.SYNTAX_ERROR, message));
    }

    /** Splits at blanks; a backslash takes the next character as it is (pg_split_opts). */
    private static List<String> split(String options) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean inside = false;
        for (int i = 0; i < options.length(); i++) {
            char c = options.charAt(i);
            if (Character.isWhitespace(c)) {
                if (inside) {
                    words.add(word.toString());
                    word.setLength(0);
                    inside = false;
                }
            } else {
                inside = true;
                if (c == '\\' && i + 1 < options.length()) {
                    c = options.charAt(++i);
                }
                word.append(c);
            }
        }
        if (inside) {
            words.add(word.toString());
        }
        return words;
    }
}
