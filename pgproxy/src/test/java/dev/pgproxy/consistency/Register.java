package dev.pgproxy.consistency;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One row whose version only grows, and the latest {@link #REMEMBERED} writes to it. Every write is guarded by
 * {@code version < new version} in SQL, so one that commits late never replaces a higher one. Thread-safe.
 */
final class Register {
    /** A power of two. */
    static final int REMEMBERED = 1 << 14;

    final Family family;
    final int key;

    /** Position in the arrays of {@link Viewer}. */
    final int index;

    private final AtomicBoolean writing = new AtomicBoolean();
    private final @Nullable Write[] writes = new @Nullable Write[REMEMBERED];
    private long issued;
    private volatile long acknowledged;

    Register(Family family, int key, int index) {
        this.family = family;
        this.key = key;
        this.index = index;
    }

    /** One writer at a time: nobody waits for another's row lock, and versions are committed in their order. */
    boolean tryWriting() {
        return writing.compareAndSet(false, true);
    }

    void doneWriting() {
        writing.set(false);
    }

    synchronized Write begin(String session, String sql) {
        Write write = new Write(this, ++issued, session, sql);
        writes[(int) (issued & (REMEMBERED - 1))] = write;
        return write;
    }

    synchronized void committing(Write write, long now) {
        write.state = Write.State.COMMITTING;
        write.sent = now;
    }

    synchronized void acknowledged(Write write) {
        write.state = Write.State.COMMITTED;
        write.acknowledged = System.nanoTime();
        if (write.version > acknowledged) {
            acknowledged = write.version;
        }
    }

    synchronized void unknown(Write write) {
        write.state = Write.State.UNKNOWN;
    }

    /** False if somebody has read it. */
    synchronized boolean aborted(Write write) {
        write.state = Write.State.ABORTED;
        return !write.seen;
    }

    /** Somebody has read this version. */
    synchronized void seen(Write write) {
        write.seen = true;
    }

    /** The highest version that is acknowledged now. */
    long acknowledged() {
        return acknowledged;
    }

    /** The highest version that was acknowledged before a moment; 0 where that is longer ago than what is remembered. */
    synchronized long acknowledgedBefore(long moment) {
        for (long version = acknowledged; version > Math.max(0, issued - REMEMBERED); version--) {
            Write write = write(version);
            if (write != null && write.acknowledged - moment < 0) {
                return version;
            }
        }
        return 0;
    }

    synchronized long issued() {
        return issued;
    }

    /** The write of a version, or null if there is none or it is forgotten. */
    synchronized @Nullable Write write(long version) {
        Write write = version < 1 ? null : writes[(int) (version & (REMEMBERED - 1))];
        return write != null && write.version == version ? write : null;
    }

    synchronized Write.State state(Write write) {
        return write.state;
    }

    @Override
    public String toString() {
        return family.name().toLowerCase(Locale.ROOT) + " " + key;
    }
}
