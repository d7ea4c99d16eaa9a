package dev.pgproxy.config;

import java.net.URI;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the configuration says about one database; null = as everywhere. Immutable.
 *
 * @param name as clients ask for it; {@code *} for all that are not named
 * @param primary where writes go; {@link HostAddress#isPatroni} where Patroni tells
 * @param replicas its streaming replicas
 * @param patroni where members of its cluster answer who belongs to it; empty = primary and replicas are configured
 * @param dbname its name on the servers; null = the name the client asked for
 * @param user every client's user on the servers; null = each client's own
 * @param password that user's; null = as known from the users
 * @param authUser instead of the general one
 * @param authQuery instead of the general one
 * @param authDbname instead of the general one
 * @param poolMode instead of the general one; a user's wins
 * @param poolSize instead of the general one; a user's wins
 * @param minPoolSize instead of the general one
 * @param reservePoolSize instead of the general one
 * @param maxDbConnections servers of all users together; 0 = no limit
 * @param maxDbClientConnections clients; 0 = no limit
 * @param rateLimit transactions, of all users together
 * @param slowQueryThreshold instead of the general one; zero = none is slow
 * @param connectQuery run on each new server before its first client
 * @param parameters run-time parameters in the start-up message to servers
 */
public record DatabaseSettings(
        String name,
        HostAddress primary,
        List<ReplicaAddress> replicas,
        List<URI> patroni,
        @Nullable String dbname,
        @Nullable String user,
        @Nullable Secret password,
        @Nullable String authUser,
        @Nullable String authQuery,
        @Nullable String authDbname,
        @Nullable PoolMode poolMode,
        @Nullable Integer poolSize,
        @Nullable Integer minPoolSize,
        @Nullable Integer reservePoolSize,
        @Nullable Integer maxDbConnections,
        @Nullable Integer maxDbClientConnections,
        @Nullable RateLimit rateLimit,
        @Nullable Duration slowQueryThreshold,
        @Nullable String connectQuery,
        Map<String, String> parameters) {
    /** The name of the block that serves every database without one of its own. */
    public static final String WILDCARD = "*";

    /** Names of the console, which no database can have. */
    static final Set<String> CONSOLE_NAMES = Set.of("pgproxy", "pgbouncer");

    static final SettingGroup GROUP = new SettingGroup("databases.NAME");
    static final Setting<HostAddress> PRIMARY = GROUP.live(
            "primary",
            SettingTypes.address(),
            null,
            "Where it is: host, host:port, or the directory of a unix socket. A database must have it, or patroni.");
    static final Setting<List<ReplicaAddress>> REPLICAS = GROUP.live(
            "replicas",
            SettingTypes.list(SettingTypes.replica()),
            List.of(),
            "Streaming replicas of that primary, each with its share of reads: \"host:port weight=2\".");
    static final Setting<List<URI>> PATRONI = GROUP.live(
            "patroni",
            SettingTypes.list(SettingTypes.httpUrl()),
            List.of(),
            "In place of both: REST APIs of Patroni members, http://host:8008, who tell the hosts; any will do.");
    static final Setting<String> DBNAME = GROUP.live(
            "dbname", SettingTypes.text(), null, "Its name on the servers; empty = the name the client asked for.");
    static final Setting<String> USER = GROUP.live(
            "user", SettingTypes.text(), null, "User on the servers for every client; empty = the client's own.");
    static final Setting<Secret> PASSWORD = GROUP.live(
            "password", SettingTypes.secret(), null, "Password of that user; empty = as in users or auth_file.");
    static final Setting<String> AUTH_USER =
            GROUP.live("auth_user", SettingTypes.text(), null, "Instead of the general auth_user.");
    static final Setting<String> AUTH_QUERY =
            GROUP.live("auth_query", SettingTypes.text(), null, "Instead of the general auth_query.");
    static final Setting<String> AUTH_DBNAME =
            GROUP.live("auth_dbname", SettingTypes.text(), null, "Instead of the general auth_dbname.");
    static final Setting<PoolMode> POOL_MODE = GROUP.live(
            "pool_mode", SettingTypes.choice(PoolMode.class), null, "Instead of the general pool_mode; a user's wins.");
    static final Setting<Integer> POOL_SIZE = servers("pool_size", 1, "Instead of default_pool_size; a user's wins.");
    static final Setting<Integer> MIN_POOL_SIZE = servers("min_pool_size", 0, "Instead of the general min_pool_size.");
    static final Setting<Integer> RESERVE_POOL_SIZE =
            servers("reserve_pool_size", 0, "Instead of the general reserve_pool_size.");
    static final Setting<Integer> MAX_DB_CONNECTIONS =
            servers("max_db_connections", 0, "Instead of the general max_db_connections.");
    static final Setting<Integer> MAX_DB_CLIENT_CONNECTIONS = GROUP.live(
            "max_db_client_connections",
            SettingTypes.integer(0, LimitSettings.MAX_CLIENTS),
            null,
            "Instead of the general max_db_client_connections.");
    static final Setting<RateLimit> DB_RATE_LIMIT = GROUP.live(
            "db_rate_limit", SettingTypes.rate(), null, "Instead of the general db_rate_limit; 0 = no limit.");
    static final Setting<Duration> SLOW_QUERY_THRESHOLD = GROUP.live(
            "slow_query_threshold",
            SettingTypes.timeout(),
            null,
            "Instead of the general slow_query_threshold; 0 = none is slow.");
    static final Setting<String> CONNECT_QUERY =
            GROUP.live("connect_query", SettingTypes.text(), null, "Run on each new server before its first client.");
    /** The one entry that is a block itself: names and values are PostgreSQL's. */
    static final String PARAMETERS = "parameters";

    public DatabaseSettings {
        replicas = List.copyOf(replicas);
        patroni = List.copyOf(patroni);
        parameters = Map.copyOf(parameters);
    }

    private static Setting<Integer> servers(String key, int min, String description) {
        return GROUP.live(key, SettingTypes.integer(min, PoolSettings.MAX_SERVERS), null, description);
    }

    /** Whether there may be other hosts than the primary. */
    public boolean mayHaveReplicas() {
        return !replicas.isEmpty() || !patroni.isEmpty();
    }

    /** Whether its sessions write only if they ask to, by {@code default_transaction_read_only} among its parameters. */
    public boolean startsReadOnly() {
        return parameters.entrySet().stream()
                .anyMatch(parameter -> parameter.getKey().equalsIgnoreCase("default_transaction_read_only")
                        && List.of("on", "true", "yes", "1")
                                .contains(parameter.getValue().toLowerCase(Locale.ROOT)));
    }

    /** The name on the servers for a client that asked for {@code asked}. */
    public String serverDatabase(String asked) {
        return dbname == null ? asked : dbname;
    }

    /** The user on the servers for a client that logged in as {@code clientUser}. */
    public String serverUser(String clientUser) {
        return user == null ? clientUser : user;
    }

    /** The same one in whatever order they are written: what all databases of a cluster have in common. */
    private static URI first(List<URI> patroni) {
        return patroni.stream().min(Comparator.naturalOrder()).orElseThrow();
    }

    static DatabaseSettings from(String name, SettingValues values, Map<String, String> parameters) {
        List<URI> patroni = values.get(PATRONI);
        return new DatabaseSettings(
                name,
                patroni.isEmpty() ? values.get(PRIMARY) : HostAddress.ofPatroni(first(patroni)),
                values.get(REPLICAS),
                patroni,
                values.find(DBNAME),
                values.find(USER),
                values.find(PASSWORD),
                values.find(AUTH_USER),
                values.find(AUTH_QUERY),
                values.find(AUTH_DBNAME),
                values.find(POOL_MODE),
                values.find(POOL_SIZE),
                values.find(MIN_POOL_SIZE),
                values.find(RESERVE_POOL_SIZE),
                values.find(MAX_DB_CONNECTIONS),
                values.find(MAX_DB_CLIENT_CONNECTIONS),
                values.find(DB_RATE_LIMIT),
                values.find(SLOW_QUERY_THRESHOLD),
                values.find(CONNECT_QUERY),
                parameters);
    }
}
