package dev.pgproxy.console;

import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolCounters;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.pool.Pools;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * What was counted of one database since the program started, in the order of {@link Counter}; times in microseconds.
 * Immutable.
 */
record Totals(long... values) {
    /** Nothing yet. */
    static final Totals NONE = new Totals(new long[Counter.values().length]);

    /** Those of every database that has a pool, by its name. */
    static SortedMap<String, Totals> now(Pools pools) {
        SortedMap<String, Totals> totals = new TreeMap<>();
        for (Pool pool : pools.all()) {
            totals.merge(pool.key().database(), of(pool.counters()), Totals::plus);
        }
        return totals;
    }

    static Totals sum(Map<String, Totals> databases) {
        return databases.values().stream().reduce(NONE, Totals::plus);
    }

    private static Totals of(PoolCounters counters) {
        long[] values = new long[Counter.values().length];
        for (Counter counter : Counter.values()) {
            values[counter.ordinal()] = counters.total(counter);
        }
        return new Totals(values);
    }

    long get(Counter counter) {
        return values[counter.ordinal()];
    }

    private Totals plus(Totals other) {
        return combine(other, 1);
    }

    Totals minus(Totals other) {
        return combine(other, -1);
    }

    private Totals combine(Totals other, int sign) {
        long[] result = values.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] += sign * other.values[i];
        }
        return new Totals(result);
    }

    /** PgBouncer's averages of what was counted in {@code nanos}: per second, but times per what they are times of. */
    Totals averages(long nanos) {
        long[] result = new long[values.length];
        for (Counter counter : Counter.values()) {
            result[counter.ordinal()] = switch (counter) {
                case XACT_TIME -> per(counter, Counter.XACT_COUNT);
                case QUERY_TIME -> per(counter, Counter.QUERY_COUNT);
                case WAIT_TIME -> per(counter, Counter.SERVER_ASSIGNMENT_COUNT);
                default -> nanos <= 0 ? 0 : (long) ((double) get(counter) * TimeUnit.SECONDS.toNanos(1) / nanos);
            };
        }
        return new Totals(result);
    }

    private long per(Counter time, Counter count) {
        return get(count) == 0 ? 0 : get(time) / get(count);
    }
}
