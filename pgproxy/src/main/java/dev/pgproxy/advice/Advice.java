package dev.pgproxy.advice;

import dev.pgproxy.insight.IndexTrial;
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
     * What an index promises. Immutable.
     *
     * @param before pages of 8 kB that a call of the statement that gains most reads, from memory or not
     * @param after the same with the index
     * @param bytes of the index
     * @param verified what the planner has said of it; null = it was not asked, or could not be
     */
    public record Estimate(double before, double after, long bytes, IndexTrial.@Nullable Costs verified) {}

    /** Without an index. */
    public static Advice of(
            String kind, double gain, String fingerprint, String table, String advice, String why, String sql) {
        return new Advice(kind, gain, fingerprint, table, advice, why, sql, null);
    }

    /** The same of an index, with what the planner has said, and what that means for people. */
    Advice verified(Estimate promised, IndexTrial.@Nullable Costs costs, String verdict) {
        return new Advice(
                kind,
                costs != null && !costs.isTaken() ? 0 : gain,
                fingerprint,
                table,
                costs != null && !costs.isTaken() ? "do not create this index: the planner would not use it" : advice,
                why + " " + verdict,
                sql,
                new Estimate(promised.before(), promised.after(), promised.bytes(), costs));
    }
}
