package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.EffectivePool;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolKey;
import dev.pgproxy.pool.Pools;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Clients wait because a pool has all the servers that it may have, and all are in use. */
record PoolFull(Pools pools, Supplier<ProxyConfig> config) implements Condition {
    @Override
    public AlertKind kind() {
        return AlertKind.POOL_SATURATED;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        List<Reading> readings = new ArrayList<>();
        long limit = settings.poolWait().toNanos();
        if (limit == 0) {
            return readings;
        }
        Threshold threshold = new Threshold(limit, limit / 2.0, false);
        for (Pool pool : pools.all()) {
            long wait = pool.hasWaiting() ? pool.longestWait(System.nanoTime()) : 0;
            if (wait > 0) {
                int servers = pool.servers().size() + pool.connecting();
                readings.add(new Reading(
                        pool.key().toString(),
                        isFull(pool.key(), servers) ? wait : 0,
                        threshold,
                        String.format(
                                Locale.ROOT,
                                "a client has waited for %.1f s, and all %d servers are in use",
                                (double) wait / TimeUnit.SECONDS.toNanos(1),
                                servers)));
            }
        }
        return readings;
    }

    /** Who waits for a pool that is paused, or whose host is away, is told of by others. */
    private boolean isFull(PoolKey key, int servers) {
        ProxyConfig current = config.get();
        DatabaseSettings database = current.database(key.database());
        if (database == null || pools.gates().isPaused(key.database())) {
            return false;
        }
        EffectivePool sizes = current.pool(database, key.user());
        return servers >= sizes.poolSize()
                || reaches(pools.serversOfDatabase(key.database()), sizes.maxDbConnections())
                || reaches(pools.serversOfUser(key.user()), sizes.maxUserConnections());
    }

    private static boolean reaches(int servers, int limit) {
        return limit > 0 && servers >= limit;
    }
}
