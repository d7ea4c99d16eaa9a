package dev.pgproxy.query;

import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolCounters;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.SharedStatement;
import java.nio.charset.StandardCharsets;

/**
 * The prepared statements that a session shares with others of its pool, and what is counted of statements. Confined to the
 * client's loop.
 */
public record PoolStatements(
        Session session, Pool pool, FlowSettings settings, PoolCounters.Row counters, StatementWatch watch) {
    /** One more of what SHOW STATS counts of named statements. */
    void count(Counter counter) {
        counters.add(counter, 1);
    }

    /** The shared statement of a text and everything that decides what it means now. */
    SharedStatement find(byte[] rest, String proposedName, QueryFacts facts) {
        return pool.statements()
                .find(rest, settings.scope(session, pool.catalog().version()), proposedName, facts);
    }

    /** The same text as a statement of its own: what this one was prepared for has changed. */
    SharedStatement fresh(SharedStatement stale) {
        String proposedName = new String(stale.name(), StandardCharsets.UTF_8);
        SharedStatement found = find(stale.rest(), proposedName, stale.facts());
        if (found != stale) {
            return found;
        }
        pool.catalog().changed();
        return find(stale.rest(), proposedName, stale.facts());
    }

    /** How many may be prepared on one server. */
    int maxPerServer() {
        return settings.maxPreparedStatements();
    }
}
