package dev.pgproxy.pool;

import dev.pgproxy.pool.PoolCounters.Counter;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What pools had counted that are no longer there, so that totals never go back. Databases that have a block in the
 * configuration, or other pools, are kept by name; what else was counted, under however many names, is one sum.
 * Thread-safe: a pool is either there or in here for whoever counts.
 */
final class ForgottenPools {
    private final Map<String, long[]> databases = new HashMap<>();
    private final long[] elsewhere = new long[Counter.values().length];

    /**
     * Forgets pools.
     *
     * @param remove takes one out of {@code all}, unless it is in use again
     * @param configured databases with a block of their own
     */
    synchronized void forget(
            Collection<Pool> pools, Predicate<Pool> remove, Collection<Pool> all, Set<String> configured) {
        for (Pool pool : pools) {
            if (remove.test(pool)) {
                add(databases, pool);
            }
        }
        Set<String> named = new HashSet<>(configured);
        all.forEach(pool -> named.add(pool.key().database()));
        databases.entrySet().removeIf(entry -> {
            boolean nameless = !named.contains(entry.getKey());
            if (nameless) {
                for (int i = 0; i < elsewhere.length; i++) {
                    elsewhere[i] += entry.getValue()[i];
                }
            }
            return nameless;
        });
    }

    /** What these and the forgotten ones have counted together. */
    synchronized Counted with(Collection<Pool> all) {
        Map<String, long[]> sums = new TreeMap<>();
        databases.forEach((name, values) -> sums.put(name, values.clone()));
        all.forEach(pool -> add(sums, pool));
        return new Counted(sums, elsewhere.clone());
    }

    private static void add(Map<String, long[]> sums, Pool pool) {
        long[] sum = sums.computeIfAbsent(pool.key().database(), name -> new long[Counter.values().length]);
        for (Counter counter : Counter.values()) {
            sum[counter.ordinal()] += pool.counters().total(counter);
        }
    }
}
