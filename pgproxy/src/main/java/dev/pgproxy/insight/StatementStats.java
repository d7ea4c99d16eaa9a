package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.insight.log.LogEntry;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.routing.LoopCounters;
import dev.pgproxy.routing.sql.Shape;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one event loop has counted of one statement, run by one user and application of one database on one host. Does not
 * keep the shape, which may be large: only its words for people. Written by its loop alone, with no lock prefix (lazy set);
 * read by any thread, which may see one figure a little before another.
 */
public final class StatementStats {
    /** What is counted; times in nanoseconds. */
    enum Counter {
        CALLS,
        ROWS,
        BYTES,
        /** From when it was complete until it was sent. */
        QUEUED,
        /** From then until its answer was complete. */
        SERVED,
        /** Of the calls those that the cache has answered. */
        CACHED,
        /** How often calls were sent once more before they were answered. */
        RETRIES,
        /** The longest call. */
        LONGEST,
        /** By System.nanoTime. */
        LAST_SEEN;

        private static final int COUNT = values().length;
    }

    /** What a call is worth besides the microseconds that it took, when it is decided who has to leave. */
    private static final long WORTH = 100;

    private final long high;
    private final long low;
    private final String fingerprint;
    private final String text;
    private final Caller caller;
    private final @Nullable HostAddress host;
    private volatile long firstSeen;
    private final LoopCounters counters = new LoopCounters(Counter.COUNT);
    private final Latencies latencies = new Latencies();
    private volatile SqlStates errors = SqlStates.NONE;

    /** Of its database and host; only for its loop. */
    private LoopLatencies.Series series = LoopLatencies.Series.NONE;

    /** Microseconds and calls, those of long ago counting less; only for its loop. */
    private double value;

    StatementStats(Shape shape, Caller caller, @Nullable HostAddress host, LoopLatencies.Series series, long now) {
        this(shape.high(), shape.low(), shape.fingerprint(), shape.masked(), caller, host, now);
        this.series = series;
    }

    private StatementStats(
            long high, long low, String fingerprint, String text, Caller caller, @Nullable HostAddress host, long now) {
        this.high = high;
        this.low = low;
        this.fingerprint = fingerprint;
        this.text = text;
        this.caller = caller;
        this.host = host;
        this.firstSeen = now;
        counters.set(Counter.LAST_SEEN.ordinal(), now);
    }

    /** What another process has counted, or several loops together: nothing yet. Not for a table. */
    static StatementStats saved(
            String fingerprint, String text, Caller caller, @Nullable HostAddress host, long firstSeen) {
        // what shapes are keyed with is not that of another process: the same words make the same key here, and no
        // shape has it
        long high = Long.parseUnsignedLong(fingerprint, 0, 16, 16);
        long low = Long.parseUnsignedLong(fingerprint, 16, 32, 16);
        return new StatementStats(high, low, fingerprint, text, caller, host, firstSeen);
    }

    /** The same with what several have counted of it. */
    static StatementStats sum(List<StatementStats> parts) {
        StatementStats one = parts.getFirst();
        StatementStats sum =
                new StatementStats(one.high, one.low, one.fingerprint, one.text, one.caller, one.host, one.firstSeen);
        for (StatementStats part : parts) {
            long[] figures = new long[Counter.COUNT];
            for (int i = 0; i < figures.length; i++) {
                figures[i] = part.counters.get(i);
            }
            sum.add(figures);
            sum.add(part.errors);
            sum.latencies.add(part.latencies);
            sum.firstSeen = sum.firstSeen - part.firstSeen > 0 ? part.firstSeen : sum.firstSeen;
        }
        return sum;
    }

    /** Adds figures, one for each counter; only before anybody else knows of it. */
    void add(long[] figures) {
        for (Counter counter : Counter.values()) {
            int i = counter.ordinal();
            long before = counters.get(i);
            counters.set(
                    i,
                    switch (counter) {
                        case LONGEST -> Math.max(before, figures[i]);
                        case LAST_SEEN -> before - figures[i] > 0 ? before : figures[i];
                        default -> before + figures[i];
                    });
        }
    }

    /** Adds errors; as above. */
    void add(SqlStates more) {
        errors = errors.with(more);
    }

    /** Where it may stand in a table: its fingerprint is keyed, and so is the hash of its caller. */
    static int hash(Shape shape, Caller caller, @Nullable HostAddress host) {
        int mixed = (int) shape.low() ^ caller.hashCode() * 31 ^ (host == null ? 0 : host.hashCode() * 17);
        return mixed ^ mixed >>> 16;
    }

    int hash() {
        int mixed = (int) low ^ caller.hashCode() * 31 ^ (host == null ? 0 : host.hashCode() * 17);
        return mixed ^ mixed >>> 16;
    }

    boolean isOf(Shape shape, Caller by, @Nullable HostAddress at) {
        return low == shape.low()
                && high == shape.high()
                && (caller == by || caller.equals(by))
                && (host == at || host != null && host.equals(at));
    }

    /**
     * It has been answered, by a server or with an error of ours.
     *
     * @param queued nanoseconds until it was sent
     * @param served nanoseconds from then until it was answered
     */
    public void answered(long queued, long served, long rows, long bytes, long now) {
        count(queued, served, rows, bytes, now);
        series.answered(queued, served);
    }

    private void count(long queued, long served, long rows, long bytes, long now) {
        long whole = queued + served;
        add(Counter.CALLS, 1);
        add(Counter.ROWS, rows);
        add(Counter.BYTES, bytes);
        counters.set(Counter.LAST_SEEN.ordinal(), now);
        add(Counter.QUEUED, queued);
        add(Counter.SERVED, served);
        if (whole > counters.get(Counter.LONGEST.ordinal())) {
            counters.set(Counter.LONGEST.ordinal(), whole);
        }
        long micros = whole / 1000;
        latencies.record(micros);
        value += WORTH + micros;
    }

    /**
     * The cache has answered it.
     *
     * @param queued nanoseconds until it was looked up
     * @param served nanoseconds from then until it was answered
     */
    public void cached(long queued, long served, long rows, long bytes, long now) {
        count(queued, served, rows, bytes, now);
        series.cached(queued, served);
        add(Counter.CACHED, 1);
    }

    /** What was answered had been sent so often before, and nobody has heard of it. */
    public void repeated(long times) {
        if (times > 0) {
            add(Counter.RETRIES, times);
        }
    }

    /** What was answered was this error. */
    public void failed(String sqlState) {
        errors = errors.with(sqlState, 1);
    }

    /**
     * One call of it by itself.
     *
     * @param sqlState of the error that it was answered with; null if it succeeded
     */
    public SlowStatement slow(
            Instant endedAt, String address, long queued, long served, long rows, @Nullable String sqlState) {
        return new SlowStatement(endedAt, caller, address, host, fingerprint, text, queued, served, rows, sqlState);
    }

    /**
     * One call of it for the query log.
     *
     * @param now when it ended
     * @param cache what the cache had to say to it; null = it was not asked
     * @param sqlState of the error that it was answered with; null if it succeeded
     */
    public LogEntry logged(
            long now,
            String address,
            @Nullable CacheReason cache,
            long queued,
            long served,
            long rows,
            @Nullable String sqlState) {
        return new LogEntry(now, caller, address, host, cache, fingerprint, text, queued, served, rows, sqlState);
    }

    /** The databases that have series of their own are others now. */
    void series(LoopLatencies all, Set<String> named) {
        series = all.series(caller.database(), host, named);
    }

    private void add(Counter counter, long n) {
        counters.add(counter.ordinal(), n);
    }

    double value() {
        return value;
    }

    /** Microseconds and calls in all. */
    long worth() {
        return get(Counter.CALLS) * WORTH + (get(Counter.QUEUED) + get(Counter.SERVED)) / 1000;
    }

    /** What it was worth so far counts a little less from now on. */
    void age(double share) {
        value *= share;
    }

    long get(Counter counter) {
        return counters.get(counter.ordinal());
    }

    SqlStates errors() {
        return errors;
    }

    Latencies latencies() {
        return latencies;
    }

    StatementKey key() {
        return new StatementKey(high, low, caller, host);
    }

    String fingerprint() {
        return fingerprint;
    }

    String text() {
        return text;
    }

    /** By System.nanoTime. */
    long firstSeen() {
        return firstSeen;
    }
}
