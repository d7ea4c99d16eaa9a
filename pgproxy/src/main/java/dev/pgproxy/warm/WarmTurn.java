package dev.pgproxy.warm;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What is asked before clients ask, when next, and what came of it so far. Changed on one loop, read by anybody. */
public final class WarmTurn {
    private final String name;
    private final String database;
    private final String user;
    private final @Nullable Duration every;
    private long due;
    private long begunAt;
    private boolean running;
    private String before = "";
    private volatile long runs;
    private volatile long skipped;
    private volatile long millis;
    private volatile @Nullable Instant last;
    private volatile String result = "";

    WarmTurn(String name, String database, String user, @Nullable Duration every) {
        this.name = name;
        this.database = database;
        this.user = user;
        this.every = every;
    }

    /** For people. */
    public String name() {
        return name;
    }

    /** By the name that clients ask for. */
    public String database() {
        return database;
    }

    /** As clients log in; empty for several. */
    public String user() {
        return user;
    }

    /** How often it is asked; null = not by the clock. */
    public @Nullable Duration every() {
        return every;
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

    /** {@code kept}, or what is not and why; empty if it was not asked yet. */
    public String result() {
        return result;
    }
}
