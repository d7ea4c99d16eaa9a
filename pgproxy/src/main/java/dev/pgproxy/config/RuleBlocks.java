package dev.pgproxy.config;

import java.util.List;

/**
 * The rules of a file. Immutable.
 *
 * @param cache in the order in which they are tried
 * @param statements in the order in which they are tried
 */
record RuleBlocks(List<CacheRule> cache, List<StatementRule> statements) {
    /** No rules. */
    static final RuleBlocks NONE = new RuleBlocks(List.of(), List.of());

    RuleBlocks {
        cache = List.copyOf(cache);
        statements = List.copyOf(statements);
    }
}
