package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.StatisticsSettings;
import dev.pgproxy.insight.StatementReport.Percentiles;
import dev.pgproxy.insight.StatementStats.Counter;
import dev.pgproxy.insight.log.QueryLog;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What statements have cost since the start or the last {@link #reset}, by fingerprint, database, user, application and host.
 * Each event loop counts in a table of its own; who asks adds them up. Thread-safe.
 */
public final class QueryStats {
    private static final int DIGITS = 2;

    private final LoopStats[] loops;
    private final SlowStatements slow = new SlowStatements();
    private final SchemaHistory definitions = new SchemaHistory();
    private final Deadlocks deadlocks = new Deadlocks();
    private final LongAdder forgotten = new LongAdder();

    /** Raised by a reset: tables of an older one are empty, whatever they hold. */
    private final AtomicInteger generation = new AtomicInteger();

    private final LoopRuns[] runs;
    private volatile int runsFrom;

    private volatile @Nullable QueryLog log;

    /** What another process has counted before this one. */
    private volatile List<StatementStats> restored = List.of();

    /** Replaced as a whole. */
    private volatile Set<String> named = Set.of();

    private volatile Thresholds thresholds;
    private volatile Slowness slowness = Slowness.NONE;

    /** Nothing counted yet. */
    public QueryStats(int loops, StatisticsSettings settings) {
        this.loops = new LoopStats[loops];
        this.runs = new LoopRuns[loops];
        for (int i = 0; i < loops; i++) {
            this.runs[i] = new LoopRuns(this);
            this.loops[i] = new LoopStats(this, runs[i], settings.queryStatsMax());
        }
        this.thresholds = Thresholds.of(settings);
        this.runsFrom = settings.nPlusOneThreshold();
    }

    /** The start and RELOAD: which statements are slow, and which runs are findings, from now on. */
    public void reload(ProxyConfig config) {
        thresholds = Thresholds.of(config);
        runsFrom = config.statistics().nPlusOneThreshold();
    }

    /** The databases of the configuration: latencies of each are counted apart, those of all others together. */
    public void named(Set<String> databases) {
        if (!named.equals(databases)) {
            named = Set.copyOf(databases);
        }
    }

    /** Every statement that is counted is told to this log, too. Before there are clients. */
    public void logTo(QueryLog queryLog) {
        log = queryLog;
        for (int i = 0; i < loops.length; i++) {
            loops[i].logTo(queryLog.ring(i));
        }
    }

    /** The query log; null if there is none. */
    public @Nullable QueryLog log() {
        return log;
    }

    Set<String> named() {
        return named;
    }

    /** What is to be told of slow statements, too. */
    public void slowness(Slowness told) {
        slowness = told;
    }

    Slowness slowness() {
        return slowness;
    }

    /** The table of a loop. */
    public LoopStats loop(int i) {
        return loops[i];
    }

    int generation() {
        return generation.get();
    }

    Thresholds thresholds() {
        return thresholds;
    }

    /** Executions that make a run a finding; 0 = none do. */
    int runsFrom() {
        return runsFrom;
    }

    /** What is repeated in runs, of each loop. */
    List<LoopRuns> runs() {
        return List.of(runs);
    }

    /** The slow ones of late. */
    public SlowStatements slow() {
        return slow;
    }

    /** What has changed definitions; a reset does not forget it. */
    public SchemaHistory definitions() {
        return definitions;
    }

    /** Statements that waited for each other. */
    public Deadlocks deadlocks() {
        return deadlocks;
    }

    void forgot(int entries) {
        forgotten.add(entries);
    }

    /** How many have left since there were too many. */
    public long forgotten() {
        return forgotten.sum();
    }

    /** How long statements took since the start, whatever was forgotten since: by database, and by host. */
    public List<LatencyReport> latencies() {
        Map<LoopLatencies.Key, List<LatencyCounts>> parts =
                new TreeMap<>(Comparator.comparing(LoopLatencies.Key::of).thenComparing(LoopLatencies.Key::name));
        for (LoopStats loop : loops) {
            loop.latencies()
                    .all()
                    .forEach((key, counts) -> parts.computeIfAbsent(key, each -> new ArrayList<>())
                            .add(counts));
        }
        List<LatencyReport> reports = new ArrayList<>();
        parts.forEach((key, list) -> {
            long[] buckets = new long[LatencyBounds.count()];
            long sum = 0;
            for (LatencyCounts counts : list) {
                counts.addTo(buckets);
                sum += counts.sum();
            }
            reports.add(new LatencyReport(key.of(), key.name(), buckets, sum));
        });
        return reports;
    }

    /** Forgets everything but how long statements take, which only grows. */
    public void reset() {
        generation.incrementAndGet();
        restored = List.of();
        forgotten.reset();
        slow.clear();
        deadlocks.reset();
    }

    /** All that is counted now, in no order. Takes some milliseconds for thousands: not for an event loop. */
    public List<StatementReport> read() {
        Map<StatementKey, List<StatementStats>> parts = parts();
        Map<StatementKey, Hits> hits = new HashMap<>();
        parts.forEach((key, list) ->
                hits.merge(anywhere(key), new Hits(sum(list, Counter.CALLS), sum(list, Counter.CACHED)), Hits::with));
        Histogram histogram = new Histogram(1, Latencies.LONGEST, DIGITS);
        List<StatementReport> reports = new ArrayList<>(parts.size());
        parts.forEach((key, list) -> {
            Hits of = hits.getOrDefault(anywhere(key), Hits.NONE);
            reports.add(report(key, list, of.rate(), histogram));
        });
        return reports;
    }

    /** What each loop has counted, and another process before. */
    private Map<StatementKey, List<StatementStats>> parts() {
        Map<StatementKey, List<StatementStats>> parts = new HashMap<>();
        Map<String, StatementKey> known = new HashMap<>();
        List<StatementStats> before = restored;
        for (LoopStats loop : loops) {
            for (StatementStats entry : loop.entries()) {
                parts.computeIfAbsent(entry.key(), key -> new ArrayList<>(1)).add(entry);
                if (!before.isEmpty()) {
                    known.put(entry.fingerprint(), entry.key());
                }
            }
        }
        for (StatementStats entry : before) {
            StatementKey key = entry.key();
            StatementKey here = known.getOrDefault(entry.fingerprint(), key);
            parts.computeIfAbsent(
                            new StatementKey(here.high(), here.low(), key.caller(), key.host()),
                            each -> new ArrayList<>(1))
                    .add(entry);
        }
        return parts;
    }

    /** What another process has counted counts as well. */
    public void restore(List<StatementStats> saved) {
        restored = List.copyOf(saved);
    }

    /** The sums over all loops of so many statements at most, those with the most time and calls. */
    public List<StatementStats> sums(int most) {
        return parts().values().stream()
                .map(StatementStats::sum)
                .sorted(Comparator.comparingLong(StatementStats::worth).reversed())
                .limit(most)
                .toList();
    }

    /** Calls of a caller on all hosts. */
    private record Hits(long calls, long cached) {
        static final Hits NONE = new Hits(0, 0);

        Hits with(Hits more) {
            return new Hits(calls + more.calls, cached + more.cached);
        }

        double rate() {
            return calls == 0 ? 0 : (double) cached / calls;
        }
    }

    private static StatementKey anywhere(StatementKey key) {
        HostAddress nowhere = null;
        return new StatementKey(key.high(), key.low(), key.caller(), nowhere);
    }

    private static long sum(List<StatementStats> parts, Counter counter) {
        long sum = 0;
        for (StatementStats part : parts) {
            sum += part.get(counter);
        }
        return sum;
    }

    private static StatementReport report(
            StatementKey key, List<StatementStats> parts, double hitRate, Histogram histogram) {
        histogram.reset();
        SqlStates errors = SqlStates.NONE;
        long first = parts.getFirst().firstSeen();
        long last = parts.getFirst().get(Counter.LAST_SEEN);
        long longest = 0;
        for (StatementStats part : parts) {
            part.latencies().addTo(histogram);
            errors = errors.with(part.errors());
            first = first - part.firstSeen() > 0 ? part.firstSeen() : first;
            long seen = part.get(Counter.LAST_SEEN);
            last = seen - last > 0 ? seen : last;
            longest = Math.max(longest, part.get(Counter.LONGEST));
        }
        long now = System.nanoTime();
        Instant time = Instant.now();
        return new StatementReport(
                key,
                parts.getFirst().fingerprint(),
                parts.getFirst().text(),
                sum(parts, Counter.CALLS),
                errors,
                sum(parts, Counter.ROWS),
                sum(parts, Counter.BYTES),
                sum(parts, Counter.QUEUED),
                sum(parts, Counter.SERVED),
                sum(parts, Counter.CACHED),
                sum(parts, Counter.RETRIES),
                hitRate,
                percentiles(histogram, longest / 1000),
                time.minusNanos(now - first),
                time.minusNanos(now - last));
    }

    private static Percentiles percentiles(Histogram histogram, long longest) {
        return new Percentiles(
                Math.min(longest, histogram.getValueAtPercentile(50)),
                Math.min(longest, histogram.getValueAtPercentile(95)),
                Math.min(longest, histogram.getValueAtPercentile(99)),
                longest);
    }
}
