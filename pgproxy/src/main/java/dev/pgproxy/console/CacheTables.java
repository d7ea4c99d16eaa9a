package dev.pgproxy.console;

import dev.pgproxy.cache.CacheCounters;
import dev.pgproxy.cache.feed.FeedLevel;
import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.cache.redis.LinkStatus;
import dev.pgproxy.cache.redis.TierCounters;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.CacheSettings;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.results.CacheRules;
import dev.pgproxy.results.Comparison;
import dev.pgproxy.results.ShadowCounts.Tally;
import dev.pgproxy.route.Coverage;
import dev.pgproxy.route.DatabaseFeed;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Instances;
import dev.pgproxy.route.Routes;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.warm.WarmTurn;
import dev.pgproxy.warm.Warming;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** SHOW CACHE and its kin. Thread-safe. */
record CacheTables(Routes known, Warming warm) {
    private List<DatabaseState> databases() {
        return known.all().stream()
                .filter(state -> state.routes() != null)
                .sorted(Comparator.comparing(state -> state.database().toString()))
                .toList();
    }

    ConsoleAnswer cache() {
        Table table = Table.of("mode entries:int8 bytes:int8 size:int8 hits:int8 misses:int8 hit_ratio stores:int8"
                + " evictions:int8 expirations:int8 stale:int8 too_large:int8 shadow_hits:int8 compared:int8"
                + " mismatches:int8 reordered:int8 overtaken:int8 saved_ms:int8");
        CacheCounters now = known.results().counters();
        List<Tally> shadows =
                known.all().stream().map(state -> state.shadow().all()).toList();
        table.row(
                known.results().settings().mode().toString(),
                now.entries(),
                now.bytes(),
                known.results().settings().size(),
                now.hits(),
                now.misses(),
                ratio(now.hits(), now.misses()),
                now.stores(),
                now.evictions(),
                now.expirations(),
                now.stale(),
                now.tooLarge(),
                sum(shadows, Tally::hits),
                sum(shadows, Tally::compared),
                sum(shadows, of(Comparison.DIFFERENT)),
                sum(shadows, of(Comparison.REORDERED)),
                sum(shadows, of(Comparison.OVERTAKEN)),
                sum(shadows, Tally::savedMillis));
        return table.answer();
    }

    private static long sum(List<Tally> tallies, ToLongFunction<Tally> what) {
        return tallies.stream().mapToLong(what).sum();
    }

    private static ToLongFunction<Tally> of(Comparison comparison) {
        return tally -> tally.of(comparison);
    }

    /** What came of reads that the cache could have answered, of each statement in each database. */
    ConsoleAnswer shadow() {
        Table table = Table.of("database fingerprint shadow_hits:int8 compared:int8 mismatches:int8 reordered:int8"
                + " overtaken:int8 saved_ms:int8 statement");
        Comparator<Tally> better =
                Comparator.comparingLong(of(Comparison.DIFFERENT)).thenComparingLong(Tally::hits);
        for (DatabaseState state : databases()) {
            state.shadow().byShape().entrySet().stream()
                    .sorted(Map.Entry.comparingByValue(better.reversed()))
                    .forEach(entry -> table.row(
                            state.database().name(),
                            entry.getKey().fingerprint(),
                            entry.getValue().hits(),
                            entry.getValue().compared(),
                            entry.getValue().of(Comparison.DIFFERENT),
                            entry.getValue().of(Comparison.REORDERED),
                            entry.getValue().of(Comparison.OVERTAKEN),
                            entry.getValue().savedMillis(),
                            entry.getKey().masked()));
        }
        return table.answer();
    }

    private static @Nullable String ratio(long hits, long misses) {
        return hits + misses == 0 ? null : String.format(Locale.ROOT, "%.2f %%", 100.0 * hits / (hits + misses));
    }

    /** What became of reads, and why others are never in the cache. */
    ConsoleAnswer misses() {
        Table table = Table.of("database reason count:int8 description");
        for (DatabaseState state : databases()) {
            for (CacheReason reason : CacheReason.values()) {
                long count = state.counts().of(reason);
                if (count > 0) {
                    table.row(state.database().name(), reason.code(), count, reason.description());
                }
            }
        }
        return table.answer();
    }

    /** What the configuration says of reads, in the order in which it is tried. */
    ConsoleAnswer rules() {
        Table table = Table.of("name conditions wish reads:int8");
        for (CacheRules.Rule rule : known.results().rules().all()) {
            table.row(rule.says().name(), rule.says().conditions(), rule.says().asks(), rule.reads());
        }
        return table.answer();
    }

    ConsoleAnswer fingerprints() {
        Table table =
                Table.of("fingerprint hits:int8 misses:int8 hit_ratio compared:int8 mismatches:int8 reordered:int8"
                        + " statement");
        known.shapes().all().stream()
                .filter(shape -> shape.hits() + shape.misses() > 0)
                .sorted(Comparator.comparingLong(Shape::hits).reversed())
                .forEach(shape -> table.row(
                        shape.fingerprint(),
                        shape.hits(),
                        shape.misses(),
                        ratio(shape.hits(), shape.misses()),
                        sum(shadows(shape), Tally::compared),
                        sum(shadows(shape), of(Comparison.DIFFERENT)),
                        sum(shadows(shape), of(Comparison.REORDERED)),
                        shape.masked()));
        return table.answer();
    }

    /** Of a statement in all databases. */
    private List<Tally> shadows(Shape shape) {
        return known.all().stream()
                .map(state -> state.shadow().byShape().get(shape))
                .filter(Objects::nonNull)
                .toList();
    }

    /** What is asked before clients need it. */
    ConsoleAnswer warming() {
        Table table = Table.of("name database user every runs:int8 skipped:int8 last_run last_ms:int8 last_result");
        for (WarmTurn turn : warm.turns()) {
            Instant last = turn.last();
            table.row(
                    turn.name(),
                    turn.database(),
                    turn.user(),
                    turn.every() == null ? "" : turn.every().toMillis() + " ms",
                    turn.runs(),
                    turn.skipped(),
                    last == null ? "" : SocketTables.TIME.format(last),
                    last == null ? null : turn.millis(),
                    turn.result());
        }
        return table.answer();
    }

    /** How well each table is covered against writes that do not pass through here. */
    ConsoleAnswer coverage() {
        Table table = Table.of("database table level bound why");
        CacheSettings settings = known.results().settings();
        for (DatabaseState state : databases()) {
            Catalog catalog = state.catalog();
            DatabaseFeed feed = state.feed();
            if (catalog == null) {
                continue;
            }
            for (int oid : catalog.tables()) {
                Coverage coverage = state.coverage(catalog.rowsOf(oid));
                table.row(
                        state.database().name(),
                        catalog.nameOf(oid),
                        coverage.toString(),
                        shown(coverage == Coverage.TTL ? settings.ttl() : settings.coveredTtl()),
                        feed == null ? "change_feed is off" : why(coverage, feed, oid, catalog));
            }
        }
        return table.answer();
    }

    private static String shown(Duration time) {
        return time.toSeconds() + " s";
    }

    /** Why it is no better. */
    private static String why(Coverage coverage, DatabaseFeed feed, int oid, Catalog catalog) {
        FeedStatus decoding = feed.decoding();
        List<String> reasons = new ArrayList<>();
        if (coverage != Coverage.LOGICAL && decoding == null) {
            reasons.add("change_feed = notify");
        } else if (coverage != Coverage.LOGICAL && decoding != null) {
            boolean streams = decoding.state() == FeedStatus.State.STREAMING;
            reasons.add(streams ? "unlogged tables and materialized views are not in the stream" : decoding.reason());
        }
        if (coverage == Coverage.TTL) {
            String untold = catalog.untold(oid);
            FeedStatus listening = feed.listening();
            reasons.add(
                    untold == null
                            ? listening.reason()
                            : untold + " has no triggers in force, see pgproxy install-triggers");
        }
        return String.join("; ", reasons);
    }

    ConsoleAnswer feed() {
        Table table = Table.of("database level state lag_bytes:int8 kept_bytes:int8 delay_us:int8 longest_delay_us:int8"
                + " silence_ms:int8 transactions:int8 changes:int8 losses:int8 reason hint");
        for (DatabaseState state : databases()) {
            DatabaseFeed feed = state.feed();
            if (feed == null) {
                continue;
            }
            FeedStatus decoding = feed.decoding();
            if (decoding != null) {
                row(table, state, FeedLevel.LOGICAL, decoding);
            }
            row(table, state, FeedLevel.NOTIFY, feed.listening());
        }
        return table.answer();
    }

    private static void row(Table table, DatabaseState state, FeedLevel level, FeedStatus status) {
        table.row(
                state.database().name(),
                level.toString(),
                status.state().toString().toLowerCase(Locale.ROOT),
                status.lagBytes(),
                status.keptBytes(),
                TimeUnit.NANOSECONDS.toMicros(status.delay().toNanos()),
                TimeUnit.NANOSECONDS.toMicros(status.longestDelay().toNanos()),
                status.silence().toMillis(),
                status.transactions(),
                status.changes(),
                status.losses(),
                status.reason(),
                status.hint());
    }

    /** This instance and the others, as the link sees them. */
    CompletionStage<ConsoleAnswer> instances() {
        Table table =
                Table.of("instance connected serving standing others:int4 lost:int4 own_doubts:int4 foreign_doubts:int4"
                        + " delay_us:int8 joins:int8 losses:int8 flushes:int8 waited:int8 waited_us:int8 shared_hits:int8"
                        + " shared_stores:int8 problem");
        Instances instances = known.instances();
        if (instances == null) {
            return CompletableFuture.completedFuture(table.answer());
        }
        return instances.status().thenApply(status -> {
            LinkStatus.Counters counters = status.counters();
            TierCounters shared = instances.tier().counters();
            table.row(
                    status.instance(),
                    status.connected() ? "yes" : "no",
                    status.serving() ? "yes" : "no",
                    status.standing().toString().toLowerCase(Locale.ROOT),
                    status.instances().size(),
                    status.lost().size(),
                    status.ownDoubts(),
                    status.foreignDoubts(),
                    status.delayMicros(),
                    counters.joins(),
                    counters.losses(),
                    counters.flushes(),
                    counters.confirmedByAll() + counters.confirmedByTime() + counters.confirmedApart(),
                    counters.confirmMicros(),
                    shared.hits(),
                    shared.stores(),
                    status.problem());
            return table.answer();
        });
    }

    private static final class Use {
        private long hits;
        private long misses;
    }

    /** Of the tables that cacheable reads have read. */
    ConsoleAnswer tables() {
        Table table = Table.of("database table hits:int8 misses:int8 hit_ratio written_ms:int8 in_doubt");
        long now = Monotonic.now();
        for (DatabaseState state : databases()) {
            Catalog catalog = state.catalog();
            if (catalog == null) {
                continue;
            }
            Map<Integer, Use> uses = uses(catalog);
            Map<String, Integer> byName = new TreeMap<>();
            uses.keySet().forEach(oid -> byName.put(String.valueOf(catalog.nameOf(oid)), oid));
            byName.forEach((name, oid) -> {
                Use use = uses.getOrDefault(oid, new Use());
                long written = state.clock().lastWrite(RelationSet.of(oid));
                boolean doubt = written == TableClock.IN_DOUBT;
                table.row(
                        state.database().name(),
                        name,
                        use.hits,
                        use.misses,
                        ratio(use.hits, use.misses),
                        doubt ? null : TimeUnit.NANOSECONDS.toMillis(now - written),
                        doubt ? "yes" : "no");
            });
        }
        return table.answer();
    }

    private Map<Integer, Use> uses(Catalog catalog) {
        Map<Integer, Use> uses = new TreeMap<>();
        for (Shape shape : known.shapes().all()) {
            Reading reading = shape.lastReading(catalog);
            RelationSet reads = reading == null ? RelationSet.NONE : reading.reads();
            if (shape.hits() + shape.misses() == 0) {
                continue;
            }
            for (int i = 0; i < reads.size(); i++) {
                Use use = uses.computeIfAbsent(reads.id(i), oid -> new Use());
                use.hits += shape.hits();
                use.misses += shape.misses();
            }
        }
        return uses;
    }
}
