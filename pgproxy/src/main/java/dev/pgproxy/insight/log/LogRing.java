package dev.pgproxy.insight.log;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * What one event loop has to say, until the thread of the log takes it: so many places, and what finds none is dropped and
 * counted. No lock, and nobody is woken. One loop adds, one thread takes.
 */
public final class LogRing {
    static final int PLACES = 4096;

    private final AtomicReferenceArray<@Nullable LogEntry> places = new AtomicReferenceArray<>(PLACES);
    private final AtomicLong dropped = new AtomicLong();
    private final SplittableRandom random = new SplittableRandom();
    private volatile double rate;
    private int next;
    private int first;

    LogRing(double rate) {
        this.rate = rate;
    }

    /** From now on this share of the statements is logged. */
    void rate(double share) {
        rate = share;
    }

    /** Whether the next statement is one that is logged; on the loop only. */
    public boolean samples() {
        double share = rate;
        return share >= 1 || share > 0 && random.nextDouble() < share;
    }

    /** Adds one; on the loop only. */
    public void add(LogEntry entry) {
        if (places.getAcquire(next) != null) {
            dropped.lazySet(dropped.getPlain() + 1);
            return;
        }
        places.setRelease(next, entry);
        next = next + 1 & PLACES - 1;
    }

    /** The next one, on the thread of the log; null if there is none. */
    @Nullable
    LogEntry take() {
        LogEntry entry = places.getAcquire(first);
        if (entry != null) {
            places.setRelease(first, null);
            first = first + 1 & PLACES - 1;
        }
        return entry;
    }

    /** How many found no place. */
    long dropped() {
        return dropped.get();
    }
}
