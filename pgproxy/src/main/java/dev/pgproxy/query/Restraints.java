package dev.pgproxy.query;

import dev.pgproxy.limit.Priorities;
import dev.pgproxy.limit.RateLimits;
import dev.pgproxy.rules.StatementRules;

/**
 * What keeps clients from running all that they like. Thread-safe.
 *
 * @param rates how many transactions may start
 * @param rules which statements are treated apart
 * @param priorities whose are given a server first
 */
public record Restraints(RateLimits rates, StatementRules rules, Priorities priorities) {
    /** Nothing, for clients within the process. */
    public static final Restraints NONE = new Restraints(RateLimits.NONE, StatementRules.NONE, Priorities.NONE);
}
