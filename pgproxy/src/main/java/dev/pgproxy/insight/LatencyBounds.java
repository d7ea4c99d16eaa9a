package dev.pgproxy.insight;

import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * The buckets of latencies that are counted for databases and hosts: nine for each power of ten from 10 µs to 100 s, and one for
 * all that is longer. Stateless.
 */
public final class LatencyBounds {
    private static final long[] STEPS = {10, 15, 20, 25, 30, 40, 50, 60, 80};
    private static final long[] NANOS = LongStream.iterate(1000, power -> power * 10)
            .limit(7)
            .flatMap(power -> Arrays.stream(STEPS).map(step -> step * power))
            .toArray();

    /** By the power of two that a time is at least: the first bucket where it may belong. */
    private static final byte[] FROM = new byte[Long.SIZE];

    static {
        for (int power = 0; power < Long.SIZE - 1; power++) {
            int at = Arrays.binarySearch(NANOS, 1L << power);
            FROM[power] = (byte) (at < 0 ? -at - 1 : at);
        }
    }

    private LatencyBounds() {}

    /** How many buckets there are, the unbounded one included. */
    public static int count() {
        return NANOS.length + 1;
    }

    /** The longest time that belongs to a bucket, in nanoseconds; Long.MAX_VALUE for the last. */
    public static long nanos(int bucket) {
        return bucket == NANOS.length ? Long.MAX_VALUE : NANOS[bucket];
    }

    /** Where a time belongs. */
    static int bucket(long nanos) {
        if (nanos <= NANOS[0]) {
            return 0;
        }
        int at = FROM[Long.SIZE - 1 - Long.numberOfLeadingZeros(nanos)];
        while (at < NANOS.length && NANOS[at] < nanos) {
            at++;
        }
        return at;
    }
}
