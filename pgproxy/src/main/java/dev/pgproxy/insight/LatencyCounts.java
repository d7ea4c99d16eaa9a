package dev.pgproxy.insight;

import dev.pgproxy.routing.LoopCounters;

/** How often something took how long on one loop, and how long in all; only grows. Written by one thread, read by any. */
final class LatencyCounts {
    private static final int SUM = LatencyBounds.count();

    /** A count for each bucket, then the sum of nanoseconds. */
    private final LoopCounters counts = new LoopCounters(SUM + 1);

    void record(long nanos) {
        record(nanos, LatencyBounds.bucket(nanos));
    }

    /** With the bucket where it belongs. */
    void record(long nanos, int bucket) {
        counts.add(bucket, 1);
        counts.add(SUM, nanos);
    }

    /** Adds them to others; {@code buckets} has one place for each. */
    void addTo(long[] buckets) {
        for (int i = 0; i < buckets.length; i++) {
            buckets[i] += counts.get(i);
        }
    }

    /** Nanoseconds in all. */
    long sum() {
        return counts.get(SUM);
    }
}
