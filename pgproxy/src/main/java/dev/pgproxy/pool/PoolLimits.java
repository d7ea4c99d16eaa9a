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
        databases.merge(key.database(), -1, PoolLimits::sumOrGone);
        users.merge(key.user(), -1, PoolLimits::sumOrGone);
    }

    private static Integer sumOrGone(Integer a, Integer b) {
        int sum = a + b;
        return sum > 0 ? Integer.valueOf(sum) : null;
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
