package dev.pgproxy.config;

import dev.pgproxy.routing.Priority;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What the configuration says about one user; null = as everywhere. Immutable.
 *
 * @param name as the client gives it
 * @param password plain text, {@code md5…}, or a {@code SCRAM-SHA-256$…} verifier; null = known from elsewhere
 * @param poolMode wins over the database's
 * @param poolSize wins over the database's
 * @param reservePoolSize wins over the database's
 * @param maxUserConnections servers, of all databases together; 0 = no limit
 * @param maxUserClientConnections clients; 0 = no limit
 * @param rateLimit transactions, in all databases together
 * @param priority the highest that his sessions have
 * @param timeouts instead of the general ones
 */
public record UserSettings(
        String name,
        @Nullable Secret password,
        @Nullable PoolMode poolMode,
        @Nullable Integer poolSize,
        @Nullable Integer reservePoolSize,
        @Nullable Integer maxUserConnections,
        @Nullable Integer maxUserClientConnections,
        @Nullable RateLimit rateLimit,
        @Nullable Priority priority,
        UserTimeouts timeouts) {
    static final SettingGroup GROUP = new SettingGroup("users.NAME");
    static final Setting<Secret> PASSWORD = GROUP.live(
            "password",
            SettingTypes.secret(),
            null,
            "Plain text, md5 hash or SCRAM-SHA-256 verifier; empty = from auth_file or auth_query.");
    static final Setting<PoolMode> POOL_MODE = GROUP.live(
            "pool_mode", SettingTypes.choice(PoolMode.class), null, "Instead of the database's and the general one.");
    static final Setting<Integer> POOL_SIZE = GROUP.live(
            "pool_size",
            SettingTypes.integer(1, PoolSettings.MAX_SERVERS),
            null,
            "Instead of the database's pool_size and default_pool_size.");
    static final Setting<Integer> RESERVE_POOL_SIZE = GROUP.live(
            "reserve_pool_size",
            SettingTypes.integer(0, PoolSettings.MAX_SERVERS),
            null,
            "Instead of the database's and the general reserve_pool_size.");
    static final Setting<Integer> MAX_USER_CONNECTIONS = GROUP.live(
            "max_user_connections",
            SettingTypes.integer(0, PoolSettings.MAX_SERVERS),
            null,
            "Instead of the general max_user_connections.");
    static final Setting<Integer> MAX_USER_CLIENT_CONNECTIONS = GROUP.live(
            "max_user_client_connections",
            SettingTypes.integer(0, LimitSettings.MAX_CLIENTS),
            null,
            "Instead of the general max_user_client_connections.");
    static final Setting<RateLimit> USER_RATE_LIMIT = GROUP.live(
            "user_rate_limit", SettingTypes.rate(), null, "Instead of the general user_rate_limit; 0 = no limit.");

    static final Setting<Priority> PRIORITY = GROUP.live(
            "priority",
            SettingTypes.choice(Priority.class),
            null,
            "The most that his sessions have when several wait for a server; application and hint may lower it.");

    static final Setting<Duration> QUERY_TIMEOUT = timeout(TimeoutSettings.QUERY_TIMEOUT);
    static final Setting<Duration> TRANSACTION_TIMEOUT = timeout(TimeoutSettings.TRANSACTION_TIMEOUT);
    static final Setting<Duration> IDLE_TRANSACTION_TIMEOUT = timeout(TimeoutSettings.IDLE_TRANSACTION_TIMEOUT);
    static final Setting<Duration> CLIENT_IDLE_TIMEOUT = timeout(TimeoutSettings.CLIENT_IDLE_TIMEOUT);

    private static Setting<Duration> timeout(Setting<Duration> general) {
        return GROUP.live(
                general.key(),
                SettingTypes.timeout(),
                null,
                "Instead of the general " + general.key() + "; 0 = never.");
    }

    static UserSettings from(String name, SettingValues values) {
        return new UserSettings(
                name,
                values.find(PASSWORD),
                values.find(POOL_MODE),
                values.find(POOL_SIZE),
                values.find(RESERVE_POOL_SIZE),
                values.find(MAX_USER_CONNECTIONS),
                values.find(MAX_USER_CLIENT_CONNECTIONS),
                values.find(USER_RATE_LIMIT),
                values.find(PRIORITY),
                UserTimeouts.from(values));
    }
}
