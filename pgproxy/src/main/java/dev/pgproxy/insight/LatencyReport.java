package dev.pgproxy.insight;

/**
 * How long something took since the start, as all loops have counted it. Immutable.
 *
 * @param of what took so long
 * @param name of the database or the host
 * @param buckets a count for each of {@link LatencyBounds}
 * @param sum nanoseconds in all
 */
public record LatencyReport(Kind of, String name, long[] buckets, long sum) {
    /** What is told apart. */
    public enum Kind {
        /** A statement of a database, from complete to answered, by whomever. */
        STATEMENTS,
        /** A statement of a database, from complete to sent or refused. */
        QUEUE,
        /** A statement of a database that the cache has answered. */
        CACHE,
        /** A statement, from sent to answered by a host. */
        HOST;

        /** As it is shown. */
        public String code() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** How many there were. */
    public long calls() {
        long calls = 0;
        for (long count : buckets) {
            calls += count;
        }
        return calls;
    }

    /** A share of all took no longer than so many nanoseconds, by linear interpolation within a bucket; 0 without any. */
    public long percentile(double share) {
        double wanted = share * calls();
        long below = 0;
        for (int i = 0; i < buckets.length; i++) {
            if (buckets[i] > 0 && below + buckets[i] >= wanted) {
                long from = i == 0 ? 0 : LatencyBounds.nanos(i - 1);
                long to = i == buckets.length - 1 ? from : LatencyBounds.nanos(i);
                return from + (long) ((to - from) * (wanted - below) / buckets[i]);
            }
            below += buckets[i];
        }
        return 0;
    }
}
