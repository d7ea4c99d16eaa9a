package dev.pgproxy.config;

/**
 * How much anybody may take, where neither database nor user says otherwise; 0 = no limit. Immutable.
 *
 * @param maxClientConn clients in all; never 0
 * @param maxDbConnections servers per database, of all users together
 * @param maxUserConnections servers per user, of all databases together
 * @param maxDbClientConnections clients per database
 * @param maxUserClientConnections clients per user
 * @param maxConnectionsPerAddress connections from one address, counted before authentication
 * @param maxStatementSize bytes of the longest statement that is held to be looked at: a longer Query is sent on unseen, a longer
 *     Parse refused; never 0
 */
public record LimitSettings(
        int maxClientConn,
        int maxDbConnections,
        int maxUserConnections,
        int maxDbClientConnections,
        int maxUserClientConnections,
        int maxConnectionsPerAddress,
        long maxStatementSize) {
    static final int MAX_CLIENTS = 1_000_000;
    static final SettingGroup GROUP = new SettingGroup("Limits");
    static final Setting<Integer> MAX_CLIENT_CONN = GROUP.live(
            "max_client_conn",
            SettingTypes.integer(1, MAX_CLIENTS),
            1000,
            "Clients in all. An idle one costs about 12 kB (more with TLS) and one open file.");
    static final Setting<Integer> MAX_DB_CONNECTIONS = GROUP.live(
            "max_db_connections",
            SettingTypes.integer(0, PoolSettings.MAX_SERVERS),
            0,
            "Servers per database, all users together; 0 = no limit.");
    static final Setting<Integer> MAX_USER_CONNECTIONS = GROUP.live(
            "max_user_connections",
            SettingTypes.integer(0, PoolSettings.MAX_SERVERS),
            0,
            "Servers per user, all databases together; 0 = no limit.");
    static final Setting<Integer> MAX_DB_CLIENT_CONNECTIONS = GROUP.live(
            "max_db_client_connections",
            SettingTypes.integer(0, MAX_CLIENTS),
            0,
            "Clients per database; 0 = no limit.");
    static final Setting<Integer> MAX_USER_CLIENT_CONNECTIONS = GROUP.live(
            "max_user_client_connections", SettingTypes.integer(0, MAX_CLIENTS), 0, "Clients per user; 0 = no limit.");
    static final Setting<Integer> MAX_CONNECTIONS_PER_ADDRESS = GROUP.live(
            "max_connections_per_address",
            SettingTypes.integer(0, MAX_CLIENTS),
            0,
            "Connections from one address, counted before authentication; 0 = no limit.");
    static final Setting<Long> MAX_STATEMENT_SIZE = GROUP.live(
            "max_statement_size",
            SettingTypes.size(1L << 10, 1L << 30),
            16L << 20,
            "Longest statement that is held in memory to be looked at. A longer Query is sent on unseen, a longer Parse refused.");

    static LimitSettings from(SettingValues values) {
        return new LimitSettings(
                values.get(MAX_CLIENT_CONN),
                values.get(MAX_DB_CONNECTIONS),
                values.get(MAX_USER_CONNECTIONS),
                values.get(MAX_DB_CLIENT_CONNECTIONS),
                values.get(MAX_USER_CLIENT_CONNECTIONS),
                values.get(MAX_CONNECTIONS_PER_ADDRESS),
                values.get(MAX_STATEMENT_SIZE));
    }
}
