package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.StatisticsSettings;
import dev.pgproxy.insight.StatementReport.Percentiles;
import dev.pgproxy.insight.StatementStats.Counter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;

/**
 * What statements have cost since the start or the last {@link #reset}, by fingerprint, database, user, application and host.
 * Each event loop counts in a table of its own; who asks adds them up. Thread-safe.
 */
public final class QueryStats {
    private static final int DIGITS = 2;

    private final LoopStats[] loops;
    private final SlowStatements slow = new SlowStatements();
    private final LongAdder forgotten = new LongAdder();

    /** Raised by a reset: tables of an older one are empty, whatever they hold. */
    private final AtomicInteger generation = new AtomicInteger();

    private volatile long slowFrom;

    /** Nothing counted yet. */
    public QueryStats(int loops, StatisticsSettings settings) {
        this.loops = new LoopStats[loops];
        for (int i = 0; i < loops; i++) {
            this.loops[i] = new LoopStats(this, settings.queryStatsMax());
        }
        reload(settings);
    }

    /** RELOAD: which statements are slow from now on. */
    public void reload(StatisticsSettings settings) {
        Duration threshold = settings.slowQueryThreshold();
        slowFrom = threshold.isZero() ? Long.MAX_VALUE : threshold.toNanos();
    }

    /** The table of a loop. */
    public LoopStats loop(int i) {
        return loops[i];
    }

    int generation() {
        return generation.get();
    }

    /** Nanoseconds. */
    long slowFrom() {
        return slowFrom;
    }

    /** The slow ones of late. */
    public SlowStatements slow() {
        return slow;
    }

    void forgot(int entries) {
        forgotten.add(entries);
    }

    /** How many have left since there were too many. */
    public long forgotten() {
        return forgotten.sum();
    }

    /** Forgets everything. */
    public void reset() {
        generation.incrementAndGet();
        forgotten.reset();
        slow.clear();
    }

    /** All that is counted now, in no order. Takes some milliseconds for thousands: not for an event loop. */
    public List<StatementReport> read() {
        Map<StatementKey, List<StatementStats>> parts = new HashMap<>();
        for (LoopStats loop : loops) {
            for (StatementStats entry : loop.entries()) {
                parts.computeIfAbsent(entry.key(), key -> new ArrayList<>(1)).add(entry);
            }
        }
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
