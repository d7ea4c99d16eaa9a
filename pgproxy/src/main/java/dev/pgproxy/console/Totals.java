package dev.pgproxy.console;

import dev.pgproxy.pool.Counted;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.pool.Pools;
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

    /** Those of each database by its name, and of all, databases included that nobody uses any longer. */
    record Now(SortedMap<String, Totals> databases, Totals all) {
        static Now of(Pools pools) {
            Counted counted = pools.counted();
            SortedMap<String, Totals> databases = new TreeMap<>();
            counted.databases().forEach((name, values) -> databases.put(name, new Totals(values)));
            return new Now(
                    databases, databases.values().stream().reduce(new Totals(counted.elsewhere()), Totals::plus));
        }
    }

    long get(Counter counter) {
        return values[counter.ordinal()];
    }

    private Totals plus(Totals other) {
        return combine(other, 1);
    }

    /** What came after {@code before}; all of it if the database was forgotten meanwhile, and counts anew. */
    Totals since(Totals before) {
        for (int i = 0; i < values.length; i++) {
            if (values[i] < before.values[i]) {
                return this;
            }
        }
        return combine(before, -1);
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
