package dev.pgproxy.query;

import dev.pgproxy.limit.RateLimits;
import dev.pgproxy.rules.StatementRules;

/**
 * What keeps clients from running all that they like. Thread-safe.
 *
 * @param rates how many transactions may start
 * @param rules which statements are treated apart
 */
public record Restraints(RateLimits rates, StatementRules rules) {
    /** Nothing, for clients within the process. */
    public static final Restraints NONE = new Restraints(RateLimits.NONE, StatementRules.NONE);
}
