package dev.pgproxy.route;

import dev.pgproxy.cache.CachedResult;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.results.CacheRules;
import dev.pgproxy.results.Dependency;
import dev.pgproxy.results.Key;
import dev.pgproxy.results.Results;
import dev.pgproxy.routing.CacheWish;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import dev.pgproxy.routing.sql.Shape;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What the cache would make of a text now, where it is on. Looking is neither a hit nor a miss. Confined to its call. */
final class CacheExplanation {
    private final Map<String, String> said;
    private final QueryFacts facts;
    private final Viewpoint from;
    private final DatabaseState state;
    private final Results results;

    private CacheExplanation(Map<String, String> said, QueryFacts facts, Viewpoint from, DatabaseState state) {
        this.said = said;
        this.facts = facts;
        this.from = from;
        this.state = state;
        this.results = state.results();
    }

    /** Adds to what is said; nothing if the cache is off. */
    static void add(
            Map<String, String> said, QueryFacts facts, @Nullable Shape shape, Viewpoint from, DatabaseState state) {
        if (!state.results().settings().isOn()) {
            return;
        }
        CacheExplanation explanation = new CacheExplanation(said, facts, from, state);
        if (!state.knowsOfAll()) {
            explanation.no(CacheReason.APART, null);
            return;
        }
        Catalog catalog = state.routes() == null ? null : state.catalog();
        Reading reading = catalog == null || shape == null ? null : shape.reading(catalog, from.path());
        if (catalog == null || shape == null || reading == null) {
            explanation.no(catalog == null ? CacheReason.NO_CATALOG : CacheReason.UNKNOWN, null);
        } else {
            explanation.of(shape, reading, catalog);
        }
    }

    private void no(CacheReason reason, @Nullable String culprit) {
        said.put("cache", "no");
        because(reason, culprit);
    }

    private void because(CacheReason reason, @Nullable String culprit) {
        said.put(
                "cache reason",
                reason.code() + ": " + reason.description() + (culprit == null ? "" : " (" + culprit + ")"));
    }

    private void of(Shape shape, Reading reading, Catalog catalog) {
        RoutingHint hint = facts.hint() instanceof RoutingHint own ? own.over(from.hint()) : from.hint();
        CacheReason reason = whatItIs(reading, hint);
        if (reason != null) {
            boolean named = reading.uncacheable() != null && reason == CacheReason.of(reading.uncacheable());
            no(reason, named ? reading.uncacheableCulprit() : null);
            return;
        }
        CacheRules.Rule rule = from.rule(shape, reading.reads(), catalog);
        CacheWish wish =
                rule == null ? hint.cache() : hint.cache().over(rule.says().wish());
        if (rule != null) {
            said.put("cache rule", rule.says().name());
        }
        if (wish.never()) {
            no(CacheReason.RULE, null);
        } else if (state.clock().lastWrite(reading.reads()) == TableClock.IN_DOUBT) {
            no(CacheReason.IN_DOUBT, null);
        } else {
            lookUp(shape, reading, wish);
        }
    }

    /** Why it is not looked up, rules aside; null if it is. In the order in which reads are judged. */
    private @Nullable CacheReason whatItIs(Reading reading, RoutingHint hint) {
        CacheReason reason = Cacheable.hindrance(facts, reading);
        if (reason != null) {
            return reason;
        }
        if (reading.reads().isEmpty()) {
            return CacheReason.NO_TABLE;
        }
        return hint.target() != null || hint.cache().never() ? CacheReason.HINT : from.uncached();
    }

    private void lookUp(Shape shape, Reading reading, CacheWish wish) {
        Coverage coverage = state.coverage(reading.reads());
        Duration ttl = wish.ttl() == null ? state.ttl(coverage) : wish.ttl();
        Key key = from.key(reading.dependsOnSettings());
        CachedResult<Dependency> found = key == null ? null : results.peek(key);
        long now = Monotonic.now();
        long age = found == null ? 0 : now - found.asOf();
        boolean due = key != null && found != null && results.isDue(key.high(), key.low(), found, now);
        boolean hit =
                found != null && !due && (wish.ttl() == null || age < wish.ttl().toNanos());
        if (key == null) {
            said.put("cache", "hit or miss");
            said.put("cache reason", "it may be kept");
        } else {
            said.put("cache", hit ? "hit" : "miss");
            CacheReason kept = results.settings().serves() ? CacheReason.HIT : CacheReason.SHADOW;
            CacheReason none = shape.isSeldomRepeated() ? CacheReason.SELDOM : CacheReason.MISS;
            because(hit ? kept : due ? CacheReason.RENEWAL : none, null);
        }
        said.put("cache level", coverage.toString());
        said.put("cache ttl", ttl.toMillis() % 1000 == 0 ? ttl.toSeconds() + " s" : ttl.toMillis() + " ms");
        if (!wish.tags().isEmpty()) {
            said.put("cache tags", String.join(", ", wish.tags()));
        }
        if (hit) {
            said.put("cache age", age / 1_000_000 + " ms");
        }
        said.put(
                "cache key",
                key == null ? from.keyless() : Objects.requireNonNull(key).shown());
    }
}
