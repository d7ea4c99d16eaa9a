package dev.pgproxy.config;

import org.jspecify.annotations.Nullable;

/**
 * The numbers of one pool once user, database and general settings are put together, in this order. Immutable.
 *
 * @param poolMode when a server goes back to the pool
 * @param poolSize servers of the pool
 * @param minPoolSize servers kept open, at most poolSize
 * @param reservePoolSize further servers once clients wait
 * @param maxDbConnections servers of the database; 0 = no limit
 * @param maxUserConnections servers of the user; 0 = no limit
 */
public record EffectivePool(
        PoolMode poolMode,
        int poolSize,
        int minPoolSize,
        int reservePoolSize,
        int maxDbConnections,
        int maxUserConnections) {

    static EffectivePool of(ProxyConfig config, DatabaseSettings database, @Nullable UserSettings user) {
        PoolSettings pool = config.pool();
        PoolMode mode = or(database.poolMode(), pool.poolMode());
        int size = or(database.poolSize(), pool.defaultPoolSize());
        int reserve = or(database.reservePoolSize(), pool.reservePoolSize());
        int maxUser = config.limits().maxUserConnections();
        if (user != null) {
            mode = or(user.poolMode(), mode);
            size = or(user.poolSize(), size);
            reserve = or(user.reservePoolSize(), reserve);
            maxUser = or(user.maxUserConnections(), maxUser);
        }
        return new EffectivePool(
                mode,
                size,
                Math.min(size, or(database.minPoolSize(), pool.minPoolSize())),
                reserve,
                or(database.maxDbConnections(), config.limits().maxDbConnections()),
                maxUser);
    }

    private static <T> T or(@Nullable T own, T general) {
        return own == null ? general : own;
    }
}
