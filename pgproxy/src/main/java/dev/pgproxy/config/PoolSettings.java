package dev.pgproxy.config;

import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * How servers are shared, where neither database nor user says otherwise. Immutable.
 *
 * @param poolMode when a server goes back to its pool
 * @param defaultPoolSize servers per database and user
 * @param minPoolSize servers kept open per database and user
 * @param reservePoolSize further servers once a client has waited for {@code reservePoolTimeout}
 * @param reservePoolTimeout zero = the reserve is never used
 * @param maxPreparedStatements statements kept prepared on each server
 * @param conflictRetries how often a lone statement is run again that failed with 40001 or 40P01; zero = never
 * @param applicationNameAddHost whether the client's address is added to its application_name
 * @param startup which parameters clients may start with
 * @param criticalApplications application_names of clients that are given a server before others
 * @param batchApplications application_names of clients that are given one behind others
 */
public record PoolSettings(
        PoolMode poolMode,
        int defaultPoolSize,
        int minPoolSize,
        int reservePoolSize,
        Duration reservePoolTimeout,
        int maxPreparedStatements,
        int conflictRetries,
        boolean applicationNameAddHost,
        StartupRules startup,
        Set<String> criticalApplications,
        Set<String> batchApplications) {
    static final int MAX_SERVERS = 100_000;
    static final SettingGroup GROUP = new SettingGroup("Pools");
    static final Setting<PoolMode> POOL_MODE = GROUP.live(
            "pool_mode",
            SettingTypes.choice(PoolMode.class),
            PoolMode.TRANSACTION,
            "When a server goes back to its pool: after the session, the transaction or the statement.");
    static final Setting<Integer> DEFAULT_POOL_SIZE =
            GROUP.live("default_pool_size", SettingTypes.integer(1, MAX_SERVERS), 20, "Servers per database and user.");
    static final Setting<Integer> MIN_POOL_SIZE = GROUP.live(
            "min_pool_size",
            SettingTypes.integer(0, MAX_SERVERS),
            0,
            "Servers kept open per database and user, from the first login on.");
    static final Setting<Integer> RESERVE_POOL_SIZE = GROUP.live(
            "reserve_pool_size",
            SettingTypes.integer(0, MAX_SERVERS),
            0,
            "Further servers for a pool whose clients wait longer than reserve_pool_timeout.");
    static final Setting<Duration> RESERVE_POOL_TIMEOUT = GROUP.live(
            "reserve_pool_timeout",
            SettingTypes.timeout(),
            Duration.ofSeconds(5),
            "How long a client waits before the reserve is used; 0 = never used.");
    static final Setting<Integer> MAX_PREPARED_STATEMENTS = GROUP.live(
            "max_prepared_statements",
            SettingTypes.integer(1, 1_000_000),
            200,
            "Statements kept prepared on each server; the least recently used goes first.");
    static final Setting<Integer> CONFLICT_RETRIES = GROUP.live(
            "conflict_retries",
            SettingTypes.integer(0, 10),
            2,
            "How often a statement outside a transaction is run again that failed with 40001 or 40P01; 0 = never.");
    static final Setting<Boolean> APPLICATION_NAME_ADD_HOST = GROUP.live(
            "application_name_add_host",
            SettingTypes.flag(),
            false,
            "Add the client's address to the application_name it starts with, for pg_stat_activity.");
    static final Setting<List<String>> ALLOW_STARTUP_PARAMETERS = GROUP.live(
            "allow_startup_parameters",
            SettingTypes.list(SettingTypes.text()),
            List.of("*"),
            "Run-time parameters that clients may start with; others are refused, as by PgBouncer. \"*\" = all.");
    static final Setting<List<String>> IGNORE_STARTUP_PARAMETERS = GROUP.live(
            "ignore_startup_parameters",
            SettingTypes.list(SettingTypes.text()),
            List.of(),
            "Those that are ignored unless allow_startup_parameters names them; options = all that stand in there.");

    static final Setting<List<String>> CRITICAL_APPLICATIONS = GROUP.live(
            "critical_applications",
            SettingTypes.list(SettingTypes.text()),
            List.of(),
            "application_names whose sessions have priority critical: most servers, and the reserve at once.");
    static final Setting<List<String>> BATCH_APPLICATIONS = GROUP.live(
            "batch_applications",
            SettingTypes.list(SettingTypes.text()),
            List.of(),
            "application_names whose sessions have priority batch: few servers while others wait.");

    public PoolSettings {
        criticalApplications = Set.copyOf(criticalApplications);
        batchApplications = Set.copyOf(batchApplications);
    }

    static PoolSettings from(SettingValues values) {
        return new PoolSettings(
                values.get(POOL_MODE),
                values.get(DEFAULT_POOL_SIZE),
                values.get(MIN_POOL_SIZE),
                values.get(RESERVE_POOL_SIZE),
                values.get(RESERVE_POOL_TIMEOUT),
                values.get(MAX_PREPARED_STATEMENTS),
                values.get(CONFLICT_RETRIES),
                values.get(APPLICATION_NAME_ADD_HOST),
                new StartupRules(
                        Set.copyOf(values.get(ALLOW_STARTUP_PARAMETERS)),
                        Set.copyOf(values.get(IGNORE_STARTUP_PARAMETERS))),
                Set.copyOf(values.get(CRITICAL_APPLICATIONS)),
                Set.copyOf(values.get(BATCH_APPLICATIONS)));
    }
}
