package dev.pgproxy.pool;

import java.util.HashMap;
import java.util.Map;

/** Servers per database and per user over all pools. Thread-safe. */
final class PoolLimits {
    private final Map<String, Integer> databases = new HashMap<>();
    private final Map<String, Integer> users = new HashMap<>();

    /** Counts one more server, unless that would exceed a limit; 0 = no limit. */
    synchronized boolean acquire(PoolKey key, int maxDatabase, int maxUser) {
        if (maxDatabase > 0 && databases.getOrDefault(key.database(), 0) >= maxDatabase
                || maxUser > 0 && users.getOrDefault(key.user(), 0) >= maxUser) {
            return false;
        }
        databases.merge(key.database(), 1, Integer::sum);
        users.merge(key.user(), 1, Integer::sum);
        return true;
    }

    /** Counts one less. */
    synchronized void release(PoolKey key) {
        less(databases, key.database());
        less(users, key.user());
    }

    private static void less(Map<String, Integer> counts, String name) {
        counts.computeIfPresent(name, (k, n) -> n > 1 ? Integer.valueOf(n - 1) : null);
    }

    /** Servers of a database. */
    synchronized int ofDatabase(String database) {
        return databases.getOrDefault(database, 0);
    }

    /** Servers of a user. */
    synchronized int ofUser(String user) {
        return users.getOrDefault(user, 0);
    }
}
