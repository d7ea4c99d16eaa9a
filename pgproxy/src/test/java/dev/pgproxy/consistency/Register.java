package dev.pgproxy.consistency;

import java.util.Arrays;
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

    /** The highest one that is {@link Write#outside}. */
    private volatile long outside;

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

    Write begin(String session, String sql) {
        return begin(session, sql, false);
    }

    synchronized Write begin(String session, String sql, boolean past) {
        Write write = new Write(this, ++issued, session, sql, past);
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
        if (write.outside) {
            outside = Math.max(outside, write.version);
        } else if (write.version > acknowledged) {
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
            if (write != null && !write.outside && write.acknowledged - moment < 0) {
                return version;
            }
        }
        return 0;
    }

    /** The highest version written past the proxy that was acknowledged before a moment. */
    long outsideBefore(long moment) {
        return outside == 0 ? 0 : latestOutside(moment);
    }

    private synchronized long latestOutside(long moment) {
        for (long version = outside; version > Math.max(0, issued - REMEMBERED); version--) {
            Write write = write(version);
            if (write != null && write.isAcknowledgedOutside() && write.acknowledged - moment < 0) {
                return version;
            }
        }
        return 0;
    }

    /** A read that was sent at a moment has had this version: what was written past the proxy and it lacks is noted. */
    void noteMissed(long version, long sent) {
        if (version < outside) {
            noteEachMissed(version, sent);
        }
    }

    private synchronized void noteEachMissed(long version, long sent) {
        for (long lacked = Math.max(version, issued - REMEMBERED) + 1; lacked <= outside; lacked++) {
            Write write = write(lacked);
            if (write != null && write.isAcknowledgedOutside()) {
                write.missed = Math.max(write.missed, sent - write.acknowledged);
            }
        }
    }

    /** How long each of the writes past the proxy that are remembered was missed. */
    synchronized long[] missed() {
        return Arrays.stream(writes)
                .filter(write -> write != null && write.isAcknowledgedOutside())
                .mapToLong(write -> write.missed)
                .toArray();
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
