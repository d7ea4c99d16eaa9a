package dev.pgproxy.insight;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the planner says of an index that is not there, by HypoPG. Immutable.
 *
 * @param sql that would create it
 * @param at when it was asked
 * @param costs null if it could not be asked
 * @param reason why it could not be asked; empty if it could
 */
public record IndexTrial(String sql, Instant at, @Nullable Costs costs, String reason) {
    /**
     * What the statement's plan costs, in the planner's own unit. Immutable.
     *
     * @param before as things are
     * @param after with the index
     * @param isTaken whether the plan uses the index
     */
    public record Costs(double before, double after, boolean isTaken) {}

    /** Nothing is known, for this reason, which has nothing of the statement in it. */
    public static IndexTrial none(String sql, String reason) {
        return new IndexTrial(sql, Instant.now(), null, reason);
    }

    /**
     * Reads two answers to EXPLAIN (FORMAT JSON).
     *
     * @param oid of the index, which HypoPG begins the index's name with
     */
    public static IndexTrial of(String sql, String before, String after, String oid) {
        try {
            Costs costs = new Costs(
                    Double.parseDouble(ExplainedPlan.of(before).cost()),
                    Double.parseDouble(ExplainedPlan.of(after).cost()),
                    after.contains("\"Index Name\": \"<" + oid + ">"));
            return new IndexTrial(sql, Instant.now(), costs, "");
        } catch (IllegalArgumentException e) {
            return none(sql, "the plan cannot be read");
        }
    }
}
