package dev.pgproxy.pool;

import dev.pgproxy.config.HostAddress;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Servers per database and per user over all pools; limits hold for each host by itself, whose connections they are.
 * Thread-safe.
 */
final class PoolLimits {
    /** What is counted: on the primary for null. */
    private record Counted(String name, @Nullable HostAddress replica) {}

    private final Map<Counted, Integer> databases = new HashMap<>();
    private final Map<Counted, Integer> users = new HashMap<>();

    /** Counts one more server, unless that would exceed a limit; 0 = no limit. */
    synchronized boolean acquire(PoolKey key, int maxDatabase, int maxUser) {
        Counted database = new Counted(key.database(), key.replica());
        Counted user = new Counted(key.user(), key.replica());
        if (maxDatabase > 0 && databases.getOrDefault(database, 0) >= maxDatabase
                || maxUser > 0 && users.getOrDefault(user, 0) >= maxUser) {
            return false;
        }
        databases.merge(database, 1, Integer::sum);
        users.merge(user, 1, Integer::sum);
        return true;
    }

    /** Counts one less. */
    synchronized void release(PoolKey key) {
        less(databases, new Counted(key.database(), key.replica()));
        less(users, new Counted(key.user(), key.replica()));
    }

    private static void less(Map<Counted, Integer> counts, Counted counted) {
        counts.computeIfPresent(counted, (k, n) -> n > 1 ? Integer.valueOf(n - 1) : null);
    }

    /** Servers of a database on all hosts. */
    synchronized int ofDatabase(String database) {
        return sum(databases, database);
    }

    /** Servers of a user on all hosts. */
    synchronized int ofUser(String user) {
        return sum(users, user);
    }

    private static int sum(Map<Counted, Integer> counts, String name) {
        int sum = 0;
        for (Map.Entry<Counted, Integer> entry : counts.entrySet()) {
            sum += entry.getKey().name().equals(name) ? entry.getValue() : 0;
        }
        return sum;
    }
}
