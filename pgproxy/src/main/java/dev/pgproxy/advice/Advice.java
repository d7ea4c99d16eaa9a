package dev.pgproxy.advice;

import org.jspecify.annotations.Nullable;

/**
 * What somebody could do, and why. Immutable.
 *
 * @param kind such as {@code index} or {@code deep_offset}
 * @param gain milliseconds of servers per hour that it would save; 0 = not known
 * @param fingerprint of the statement that would gain most; empty = of none
 * @param table for people; empty = none
 * @param advice what to do
 * @param why the facts
 * @param sql to copy; empty = none
 * @param estimate of an index; null for all others
 */
public record Advice(
        String kind,
        double gain,
        String fingerprint,
        String table,
        String advice,
        String why,
        String sql,
        @Nullable Estimate estimate) {
    /**
     * What an index promises: not verified by the planner. Immutable.
     *
     * @param before pages of 8 kB that a call of the statement that gains most reads, from memory or not
     * @param after the same with the index
     * @param bytes of the index
     */
    public record Estimate(double before, double after, long bytes) {}

    /** Without an index. */
    public static Advice of(
            String kind, double gain, String fingerprint, String table, String advice, String why, String sql) {
        return new Advice(kind, gain, fingerprint, table, advice, why, sql, null);
    }
}
