package dev.pgproxy.limit;

import dev.pgproxy.config.RateLimit;

/**
 * Which transactions started within the last window of time: never more than the limit's number in any window, whenever
 * they come. Times are nanoseconds of one clock, which stands still where it would go back.
 *
 * <p>A ring of groups, each with the time of its last transaction. A group is used again once that is a whole window ago. So
 * between a transaction and the one that comes {@code capacity} later there is a window or more. Up to {@value #MAX_GROUPS}
 * transactions each is a group of its own, and the count is exact; beyond that groups are as large as they have to be, and
 * up to two of them less than the limit may be let through. Not thread-safe.
 */
final class SlidingWindow {
    /** Groups at most: 32 kB. */
    static final int MAX_GROUPS = 4096;

    /** There will never be room. */
    static final long NEVER = Long.MAX_VALUE;

    private final RateLimit limit;
    private final long window;
    private final int groupSize;
    private final long[] lasts;
    private int current;
    private int inCurrent;

    /** Groups that have been begun; not more than there are. */
    private int begun;

    /** Whether the current group has taken the place of another one, and when the last of that was. */
    private boolean replaces;

    private long replaced;
    private long latest;
    private long started;
    private long refused;

    SlidingWindow(RateLimit limit) {
        this.limit = limit;
        this.window = limit.window().toNanos();
        this.groupSize = (limit.transactions() + MAX_GROUPS - 1) / MAX_GROUPS;
        this.lasts = new long[limit.transactions() / groupSize];
    }

    /** The same under another limit: what has started counts on. */
    SlidingWindow under(RateLimit other) {
        SlidingWindow next = new SlidingWindow(other);
        for (int age = begun - 1; age >= 0; age--) {
            next.add(Math.min(size(age), next.capacity()), lasts[index(-age)]);
        }
        next.started = started;
        next.refused = refused;
        return next;
    }

    RateLimit limit() {
        return limit;
    }

    /** Transactions that it lets through at once. */
    private int capacity() {
        return lasts.length * groupSize;
    }

    /** Nanoseconds until so many transactions may start together: 0 = now, or {@link #NEVER}. */
    long delay(int count, long now) {
        if (count > capacity()) {
            return NEVER;
        }
        int room = begun == 0 ? 0 : groupSize - inCurrent;
        int groups = count <= room ? 0 : (count - room + groupSize - 1) / groupSize;
        if (groups == 0 ? !replaces : begun + groups <= lasts.length) {
            return 0;
        }
        long since = Math.max(now, latest) - (groups == 0 ? replaced : lasts[index(groups)]);
        return since >= window ? 0 : window - since;
    }

    /** So many start now, whether there is room or not. */
    void start(int count, long now) {
        add(count, begun == 0 ? now : Math.max(now, latest));
        started += count;
    }

    private void add(int count, long at) {
        latest = at;
        for (int left = count; left > 0; ) {
            if (begun == 0 || inCurrent == groupSize) {
                current = index(1);
                inCurrent = 0;
                replaces = begun == lasts.length;
                replaced = lasts[current];
                begun = Math.min(begun + 1, lasts.length);
            }
            int now = Math.min(left, groupSize - inCurrent);
            inCurrent += now;
            lasts[current] = at;
            left -= now;
        }
    }

    /** So many were not let through. */
    void refuse(int count) {
        refused += count;
    }

    /** Whether nothing has started within the last window. */
    boolean isIdle(long now) {
        return begun == 0 || now - latest >= window;
    }

    /** How many have started within the last window; a group counts as a whole until its last one is older. */
    long used(long now) {
        long used = 0;
        for (int age = 0; age < begun && now - lasts[index(-age)] < window; age++) {
            used += size(age);
        }
        return used;
    }

    /** How many have started at all. */
    long started() {
        return started;
    }

    /** How many were refused at all. */
    long refused() {
        return refused;
    }

    /** Transactions in the group that was begun so many groups before the current one. */
    private int size(int age) {
        return age == 0 ? inCurrent : groupSize;
    }

    private int index(int fromCurrent) {
        return Math.floorMod(current + fromCurrent, lasts.length);
    }
}
