package dev.pgproxy.query;

import dev.pgproxy.results.CacheRules;
import dev.pgproxy.results.Results;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.routing.CacheWish;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Session;
import org.jspecify.annotations.Nullable;

/**
 * What is to become of the results of a client's reads: as the statement says, or else as the first rule says that fits.
 * Which rule that is stays known for the shapes that the client has asked lately. One per client; confined to its loop.
 */
final class CachePolicy {
    private static final int SLOTS = 16;

    /** What was found for a shape; it holds while all that it was found by is the same. */
    private record Found(
            Shape shape,
            RelationSet reads,
            long definitions,
            Reported reported,
            CacheRules by,
            CacheRules.@Nullable Rule rule,
            CacheWish wish) {}

    private final DatabaseState state;
    private final Results results;
    private final Session session;
    private @Nullable Found @Nullable [] slots;
    private CacheWish lastSaid = CacheWish.NONE;
    private CacheWish lastRuled = CacheWish.NONE;
    private CacheWish lastBoth = CacheWish.NONE;

    CachePolicy(DatabaseState state, Session session) {
        this.state = state;
        this.results = state.results();
        this.session = session;
    }

    /** What is asked for a read of this shape whose statement, or session, says that. */
    CacheWish wish(@Nullable Shape shape, RelationSet reads, CacheWish said) {
        CacheRules rules = results.rules();
        if (rules.isEmpty() || shape == null) {
            return said;
        }
        Found found = find(shape, reads, rules);
        if (found.rule == null) {
            return said;
        }
        found.rule.count();
        return said.isSaid() ? both(said, found.wish) : found.wish;
    }

    private Found find(Shape shape, RelationSet reads, CacheRules rules) {
        @Nullable Found[] known = slots;
        if (known == null) {
            known = new @Nullable Found[SLOTS];
            slots = known;
        }
        int slot = (int) shape.high() & SLOTS - 1;
        long definitions = state.definitions();
        Reported reported = session.reported();
        Found found = known[slot];
        if (found == null
                || found.shape != shape
                || found.reads != reads
                || found.definitions != definitions
                || found.reported != reported
                || found.by != rules) {
            CacheRules.Rule rule = rule(rules, shape, reads, state.catalog(), session);
            CacheWish wish = rule == null ? CacheWish.NONE : rule.says().wish();
            found = new Found(shape, reads, definitions, reported, rules, rule, wish);
            known[slot] = found;
        }
        return found;
    }

    /** The rule for a read of a session; null if none fits. */
    static CacheRules.@Nullable Rule rule(
            CacheRules rules, Shape shape, RelationSet reads, @Nullable Catalog catalog, Session session) {
        String application = session.application();
        CacheRules.Reader by = new CacheRules.Reader(session.user(), session.database(), application);
        return catalog == null ? null : rules.first(shape, reads, catalog, by);
    }

    private CacheWish both(CacheWish said, CacheWish ruled) {
        if (said != lastSaid || ruled != lastRuled) {
            lastSaid = said;
            lastRuled = ruled;
            lastBoth = said.over(ruled);
        }
        return lastBoth;
    }
}
