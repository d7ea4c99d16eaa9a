package dev.pgproxy.cache.feed;

import java.util.HashSet;
import java.util.Set;

/**
 * Which transactions have not ended: a snapshot as {@code pg_current_snapshot()} prints it, {@code xmin:xmax:xid,xid,...}.
 * Immutable.
 *
 * @param oldest all before it have ended
 * @param next none from here on has ended
 * @param xids those between that have not
 */
record Running(long oldest, long next, Set<Long> xids) {
    Running {
        xids = Set.copyOf(xids);
    }

    static Running parse(String snapshot) {
        int first = snapshot.indexOf(':');
        int second = snapshot.indexOf(':', first + 1);
        Set<Long> xids = new HashSet<>();
        String list = snapshot.substring(second + 1);
        for (int from = 0; from < list.length(); ) {
            int comma = list.indexOf(',', from);
            int end = comma < 0 ? list.length() : comma;
            xids.add(Long.parseLong(list, from, end, 10));
            from = end + 1;
        }
        return new Running(
                Long.parseLong(snapshot, 0, first, 10), Long.parseLong(snapshot, first + 1, second, 10), xids);
    }

    /** Whether a transaction has ended of which only the lower 32 bits are known; it is within two thousand million of these. */
    boolean hasEnded(int xid) {
        return hasEnded(oldest + (xid - (int) oldest));
    }

    boolean hasEnded(long xid) {
        return xid < oldest || (xid < next && !xids.contains(xid));
    }
}
