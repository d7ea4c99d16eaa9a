package dev.pgproxy.route;

import com.github.benmanes.caffeine.cache.Interner;
import dev.pgproxy.health.catalog.RoleDefaults;
import dev.pgproxy.protocol.sql.SqlScanner;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.TokenType;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.freshness.FreshnessToken;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a session's settings mean for routing: in which schemas it looks for names, and how its transactions begin. Read
 * anew when they change. Confined to the client's loop.
 */
public final class SessionView {
    private static final Pattern TIME = Pattern.compile("\\s*(\\d+(?:\\.\\d*)?)\\s*(us|ms|s|min|h|d)?\\s*");

    /** They are compared at each statement: the same object is soon seen to be the same. */
    private static final Interner<SearchPath> PATHS = Interner.newWeakInterner();

    private static final String SEARCH_PATH = "search_path";
    private static final String ISOLATION = "default_transaction_isolation";
    private static final String READ_ONLY = "default_transaction_read_only";

    /** What the words of a hint are when they are to hold for all statements. */
    private static final String ROUTE = "pgproxy.route";

    private static final String FRESHNESS = "pgproxy.freshness";

    private final Session session;
    private final String serverUser;
    private final DatabaseState state;
    private @Nullable Settings seen;
    private @Nullable RoleDefaults seenDefaults;
    private SearchPath path = SearchPath.ANY;
    private @Nullable String isolation;
    private @Nullable String readOnly;
    private long idleInTransaction;
    private long transactionTimeout;
    private RoutingHint hint = RoutingHint.NONE;
    private @Nullable FreshnessToken token;
    private List<String> problems = List.of();

    /** @param serverUser as whom the session is logged in to servers */
    public SessionView(Session session, String serverUser, DatabaseState state) {
        this.session = session;
        this.serverUser = serverUser;
        this.state = state;
    }

    /** Where bare names are looked for. */
    public SearchPath path() {
        look();
        return path;
    }

    /** Whether a BEGIN that says nothing of it begins READ COMMITTED; false if that is not known. */
    public boolean beginsReadCommitted() {
        look();
        return "read committed".equals(isolation) || "read uncommitted".equals(isolation);
    }

    /** Whether a BEGIN that says nothing of it begins REPEATABLE READ. */
    public boolean beginsRepeatableRead() {
        look();
        return "repeatable read".equals(isolation);
    }

    /** Whether a transaction that says nothing of it is SERIALIZABLE; replicas cannot run one. */
    public boolean beginsSerializable() {
        look();
        return "serializable".equals(isolation);
    }

    /** Whether a BEGIN that says nothing of it begins READ ONLY; false if that is not known. */
    public boolean beginsReadOnly() {
        look();
        return "on".equals(readOnly);
    }

    /** After how many nanoseconds PostgreSQL ends an idle transaction; 0 = never. */
    public long idleInTransaction() {
        look();
        return idleInTransaction;
    }

    /** After how many nanoseconds PostgreSQL ends a transaction (from version 17 on); 0 = never. */
    public long transactionTimeout() {
        look();
        return transactionTimeout;
    }

    /** What it has SET for the routes of its statements. */
    public RoutingHint hint() {
        look();
        return hint;
    }

    /** What its reads must not be older than; null if it has SET nothing of that. */
    public @Nullable FreshnessToken token() {
        look();
        return token;
    }

    /** What is wrong with {@link #hint} and {@link #token} as they are SET: sentences, each told once. */
    public List<String> takeProblems() {
        look();
        List<String> taken = problems;
        problems = List.of();
        return taken;
    }

    private void look() {
        Settings now = session.settings().get();
        RoleDefaults defaults = state.defaults();
        if (now == seen && defaults == seenDefaults) {
            return;
        }
        seen = now;
        seenDefaults = defaults;
        String text = value(now, defaults, SEARCH_PATH);
        boolean itself = now.get(Settings.ROLE) == null && now.get(Settings.SESSION_AUTHORIZATION) == null;
        path = text == null ? SearchPath.ANY : PATHS.intern(path(text, itself ? serverUser : null));
        isolation = lower(value(now, defaults, ISOLATION));
        readOnly = flag(lower(value(now, defaults, READ_ONLY)));
        idleInTransaction = nanos(value(now, defaults, "idle_in_transaction_session_timeout"));
        transactionTimeout = nanos(value(now, defaults, "transaction_timeout"));
        hinted(unquoted(value(now, defaults, ROUTE)), unquoted(value(now, defaults, FRESHNESS)));
    }

    private void hinted(String route, String freshness) {
        RoutingHint.Parsed parsed = route.isBlank() ? null : RoutingHint.parse(route);
        hint = parsed == null ? RoutingHint.NONE : parsed.hint();
        token = FreshnessToken.parse(freshness);
        problems = new ArrayList<>(0);
        if (parsed != null) {
            parsed.problems()
                    .forEach(problem -> problems.add(ROUTE + " = \"" + route + "\" is not obeyed: " + problem));
        }
        if (token == null && !freshness.isBlank()) {
            problems.add(FRESHNESS + " = \"" + freshness + "\" is not obeyed: it is none of those that SHOW "
                    + FRESHNESS + " gives");
        }
    }

    /** The only element of a list. */
    private static String unquoted(@Nullable String list) {
        boolean quotes = list != null && list.length() > 1 && list.startsWith("\"") && list.endsWith("\"");
        return list == null ? "" : quotes ? list.substring(1, list.length() - 1).replace("\"\"", "\"") : list;
    }

    private @Nullable String value(Settings now, @Nullable RoleDefaults defaults, String name) {
        String sql = now.get(name);
        if (sql != null) {
            return list(sql);
        }
        return defaults == null ? null : defaults.get(serverUser, name);
    }

    private static @Nullable String lower(@Nullable String text) {
        return text == null
                ? null
                : text.toLowerCase(Locale.ROOT).replaceAll("\\s+", " ").strip();
    }

    /** A time as PostgreSQL reads it, in milliseconds unless it says otherwise; 0 if it cannot be read. */
    static long nanos(@Nullable String text) {
        Matcher matcher = TIME.matcher(text == null ? "" : text.replace("\"", ""));
        if (!matcher.matches()) {
            return 0;
        }
        String unit = matcher.group(2);
        double amount = Double.parseDouble(matcher.group(1));
        double seconds = switch (unit == null ? "ms" : unit) {
            case "us" -> 1e-6;
            case "s" -> 1;
            case "min" -> 60;
            case "h" -> 3600;
            case "d" -> 86_400;
            default -> 1e-3;
        };
        return (long) (amount * seconds * 1e9);
    }

    private static @Nullable String flag(@Nullable String text) {
        return text == null
                ? null
                : switch (text) {
                    case "on", "true", "yes", "1", "t", "y" -> "on";
                    default -> "off";
                };
    }

    /** The value in the SQL that sets a parameter, as SHOW would print a list; null if the SQL is of another form. */
    static @Nullable String list(String sql) {
        byte[] text = sql.getBytes(StandardCharsets.UTF_8);
        SqlScanner scanner = new SqlScanner();
        scanner.reset(text, 0, text.length, true);
        List<String> words = new ArrayList<>();
        List<Integer> types = new ArrayList<>();
        for (int type = scanner.next(); type != TokenType.END; type = scanner.next()) {
            String word = switch (type) {
                case TokenType.WORD, TokenType.QUOTED -> SqlText.decodeIdentifier(text, scanner.start(), scanner.end());
                case TokenType.STRING -> SqlText.decodeString(text, scanner.start(), scanner.end(), true);
                default -> new String(text, scanner.start(), scanner.end() - scanner.start(), StandardCharsets.UTF_8);
            };
            if (word == null) {
                return null;
            }
            words.add(word);
            types.add(type);
        }
        if (words.size() >= 8 && words.getFirst().equals("select") && words.contains("set_config")) {
            int first = types.indexOf(TokenType.STRING);
            return first < 0 || first + 2 >= words.size() ? null : words.get(first + 2);
        }
        int at = words.indexOf("to") < 0 ? words.indexOf("=") : words.indexOf("to");
        if (words.size() == 3 && words.get(1).equals("schema")) {
            at = 1;
        }
        if (at < 0) {
            return null;
        }
        StringBuilder list = new StringBuilder();
        for (int i = at + 1; i < words.size(); i++) {
            boolean comma = types.get(i) == ',';
            if (comma) {
                list.append(", ");
            } else {
                list.append(types.get(i) == TokenType.WORD ? words.get(i) : quoted(words.get(i)));
            }
        }
        return list.toString();
    }

    private static String quoted(String name) {
        return name.matches("[a-z_][a-z0-9_]*( [a-z]+)?") ? name : '"' + name.replace("\"", "\"\"") + '"';
    }

    /** A list as SHOW prints it; {@code user} null makes {@code $user} unknown. */
    static SearchPath path(String list, @Nullable String user) {
        List<String> schemas = new ArrayList<>();
        int at = 0;
        while (at < list.length()) {
            char c = list.charAt(at);
            if (c == ',' || Character.isWhitespace(c)) {
                at++;
            } else if (c == '"') {
                StringBuilder name = new StringBuilder();
                for (at++; at < list.length(); at++) {
                    if (list.charAt(at) == '"') {
                        if (at + 1 < list.length() && list.charAt(at + 1) == '"') {
                            at++;
                        } else {
                            break;
                        }
                    }
                    name.append(list.charAt(at));
                }
                at++;
                schemas.add(name.toString());
            } else {
                int end = at;
                while (end < list.length() && list.charAt(end) != ',') {
                    end++;
                }
                schemas.add(list.substring(at, end).strip().toLowerCase(Locale.ROOT));
                at = end;
            }
        }
        int own = schemas.indexOf("$user");
        if (own >= 0 && user == null) {
            return SearchPath.ANY;
        }
        if (own >= 0 && user != null) {
            schemas.set(own, user);
        }
        return new SearchPath(schemas);
    }
}
