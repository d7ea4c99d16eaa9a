package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.routing.sql.Shape;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLongArray;
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
    private final long firstSeen;
    private final AtomicLongArray counters = new AtomicLongArray(Counter.COUNT);
    private final Latencies latencies = new Latencies();
    private volatile SqlStates errors = SqlStates.NONE;

    /** Microseconds and calls, those of long ago counting less; only for its loop. */
    private double value;

    StatementStats(Shape shape, Caller caller, @Nullable HostAddress host, long now) {
        this.high = shape.high();
        this.low = shape.low();
        this.fingerprint = shape.fingerprint();
        this.text = shape.masked();
        this.caller = caller;
        this.host = host;
        this.firstSeen = now;
        counters.setPlain(Counter.LAST_SEEN.ordinal(), now);
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
        long whole = queued + served;
        add(Counter.CALLS, 1);
        add(Counter.ROWS, rows);
        add(Counter.BYTES, bytes);
        counters.lazySet(Counter.LAST_SEEN.ordinal(), now);
        add(Counter.QUEUED, queued);
        add(Counter.SERVED, served);
        if (whole > counters.getPlain(Counter.LONGEST.ordinal())) {
            counters.lazySet(Counter.LONGEST.ordinal(), whole);
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
        answered(queued, served, rows, bytes, now);
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

    private void add(Counter counter, long n) {
        int i = counter.ordinal();
        counters.lazySet(i, counters.getPlain(i) + n);
    }

    double value() {
        return value;
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
