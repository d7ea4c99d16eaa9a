package dev.pgproxy.routing.freshness;

import dev.pgproxy.routing.HostState;
import org.jspecify.annotations.Nullable;

/**
 * Where the primary's WAL ended at moments of the past. Whatever was acknowledged before a moment lies before the position
 * that was asked for after it; so a replica that has replayed up to this position has all of it.
 *
 * <p>Keeps a bounded number of (moment, position), closely spaced for the recent past and ever wider before. What is lost is
 * precision only, and towards the careful side. Idle time takes no room. Confined to its owner.
 */
public final class Watermarks {
    /** At ten polls a second: each of the last minute, seconds apart an hour before, minutes a day before; 64 kB. */
    public static final int DEFAULT_CAPACITY = 4096;

    private final long[] moments;
    private final long[] positions;
    private int size;
    private @Nullable Timeline timeline;

    /** Remembers so many positions, 4 or more. */
    public Watermarks(int capacity) {
        if (capacity < 4) {
            throw new IllegalArgumentException("capacity " + capacity);
        }
        moments = new long[capacity];
        positions = new long[capacity];
    }

    /**
     * The primary's answer to one poll. Another timeline than before forgets what was, and so does a position before the last
     * one: that is a server restored from an older copy.
     *
     * @param of that the position belongs to
     * @param moment before the question was sent; not before that of the last answer
     * @param lsn as {@link WalLayout#endBefore} reduces it, unsigned
     */
    public void add(Timeline of, long moment, long lsn) {
        if (!of.equals(timeline)) {
            size = 0;
            timeline = of;
        }
        if (size > 0) {
            int last = size - 1;
            if (moment < moments[last]) {
                throw new IllegalArgumentException("moment " + moment + " after " + moments[last]);
            }
            int order = Long.compareUnsigned(lsn, positions[last]);
            if (order == 0) {
                moments[last] = moment;
                return;
            }
            if (order < 0) {
                size = 0;
            }
        }
        if (size == moments.length) {
            thinOut();
        }
        moments[size] = moment;
        positions[size] = lsn;
        size++;
    }

    /** First where it costs least precision; makes room for at least a quarter. */
    private void thinOut() {
        for (long parts = moments.length / 8; parts > 0; parts /= 2) {
            thinOut(parts);
            if (size <= moments.length / 4 * 3) {
                return;
            }
        }
        int gone = size / 2;
        System.arraycopy(moments, gone, moments, 0, size - gone);
        System.arraycopy(positions, gone, positions, 0, size - gone);
        size -= gone;
    }

    /** Drops what leaves a gap of no more than this part of its age. */
    private void thinOut(long parts) {
        int kept = 1;
        long newest = moments[size - 1];
        for (int i = 1; i < size; i++) {
            boolean dispensable = i < size - 1 && (moments[i + 1] - moments[kept - 1]) * parts <= newest - moments[i];
            if (!dispensable) {
                moments[kept] = moments[i];
                positions[kept] = positions[i];
                kept++;
            }
        }
        size = kept;
    }

    /** Nothing is known any more. */
    public void forget() {
        size = 0;
        timeline = null;
    }

    /**
     * The latest moment before which everything acknowledged lies within what has been replayed; {@link HostState#NEVER} if
     * that was on another timeline or before all that is remembered.
     *
     * @param of that has been replayed
     * @param replayedLsn up to where, unsigned
     */
    public long freshAsOf(Timeline of, long replayedLsn) {
        if (!of.equals(timeline)) {
            return HostState.NEVER;
        }
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(positions[middle], replayedLsn) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == 0 ? HostState.NEVER : moments[low - 1];
    }

    /** How many bytes the primary was ahead at the last poll, at least 0; -1 if that is not known. */
    public long bytesBehind(Timeline of, long replayedLsn) {
        if (size == 0 || !of.equals(timeline)) {
            return -1;
        }
        long last = positions[size - 1];
        return Long.compareUnsigned(replayedLsn, last) < 0 ? last - replayedLsn : 0;
    }

    int size() {
        return size;
    }
}
