package dev.pgproxy.insight;

import java.time.Instant;

/**
 * What all loops together have counted of a statement. Immutable.
 *
 * @param key whose it is
 * @param fingerprint the same in every process
 * @param text of the first that was seen, without literals
 * @param calls answered in whatever way, with an error too
 * @param cached of these, by the cache
 * @param hitRate share of the calls of this statement by this caller, on all hosts, that the cache has answered
 * @param queued nanoseconds until calls were sent, in all
 * @param served nanoseconds from then until they were answered, in all
 * @param retries how often calls were sent once more before they were answered
 */
public record StatementReport(
        StatementKey key,
        String fingerprint,
        String text,
        long calls,
        SqlStates errors,
        long rows,
        long bytes,
        long queued,
        long served,
        long cached,
        long retries,
        double hitRate,
        Percentiles latencies,
        Instant firstSeen,
        Instant lastSeen) {

    /** From complete to answered, in microseconds; wrong by a sixteenth at most, the longest exact. Immutable. */
    public record Percentiles(long p50, long p95, long p99, long longest) {}

    /** Nanoseconds in all. */
    public long total() {
        return queued + served;
    }
}
