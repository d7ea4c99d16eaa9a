package dev.pgproxy.warm;

import dev.pgproxy.config.WarmQuery;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A query of the configuration, when it is asked next, and what came of it so far. Changed on one loop, read by anybody. */
public final class WarmTurn {
    private final WarmQuery query;
    private long due;
    private long begunAt;
    private boolean running;
    private String before = "";
    private volatile long runs;
    private volatile long skipped;
    private volatile long millis;
    private volatile @Nullable Instant last;
    private volatile String result = "";

    WarmTurn(WarmQuery query) {
        this.query = query;
    }

    /** What is asked. */
    public WarmQuery query() {
        return query;
    }

    void due(long moment) {
        due = moment;
    }

    boolean isDue(long now) {
        return !running && due != Long.MAX_VALUE && now - due >= 0;
    }

    void awaitsDefinitions() {
        result = "the definitions of the database are not known yet";
    }

    /** It had to give way to clients. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one loop writes
    void skipped(long again) {
        skipped++;
        due = again;
    }

    void begun(long now) {
        running = true;
        begunAt = now;
        Duration every = query.every();
        due = every == null ? Long.MAX_VALUE : now + every.toNanos();
    }

    /** Returns whether that is news. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one loop writes
    boolean ended(String how, long now) {
        boolean news = !how.equals(before);
        before = how;
        running = false;
        runs++;
        millis = TimeUnit.NANOSECONDS.toMillis(now - begunAt);
        last = Instant.now();
        result = how;
        return news;
    }

    /** How often it was asked, or found to be kept already. */
    public long runs() {
        return runs;
    }

    /** How often it was not asked since clients were waiting for servers. */
    public long skipped() {
        return skipped;
    }

    /** How long it took the last time. */
    public long millis() {
        return millis;
    }

    /** When it ended the last time; null if it has not yet. */
    public @Nullable Instant last() {
        return last;
    }

    /** {@code kept}, or why it is not; empty if it was not asked yet. */
    public String result() {
        return result;
    }
}
