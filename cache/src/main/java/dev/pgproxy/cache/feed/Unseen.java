package dev.pgproxy.cache.feed;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.Set;

/**
 * Transactions that others cannot see yet. A commit is in WAL, and so in the stream, before its transaction has ended for
 * others: whoever reads between still gets the old rows. Confined to the feed's thread.
 */
final class Unseen {
    private final Queue<Written> committed = new ArrayDeque<>();

    /**
     * Open when coverage began, and not told of by the stream since. One of them may have committed in WAL before the slot's
     * consistent point, so that the stream will never tell, and be seen only later.
     */
    private final Set<Long> untold = new HashSet<>();

    /** Coverage begins, with these open. */
    void begin(Running running) {
        untold.addAll(running.xids());
    }

    /** The stream has told of a commit. */
    void add(Written written) {
        committed.add(written);
        untold.removeIf(xid -> xid.intValue() == written.xid());
    }

    boolean hasCommits() {
        return !committed.isEmpty();
    }

    /** Those that can be seen now, in the order of their commits; they are forgotten. */
    List<Written> seen(Running running) {
        List<Written> seen = new ArrayList<>();
        for (Iterator<Written> each = committed.iterator(); each.hasNext(); ) {
            Written written = each.next();
            if (running.hasEnded(written.xid())) {
                each.remove();
                seen.add(written);
            }
        }
        return seen;
    }

    /** Whether any has ended of which the stream has not told, since this was last asked. */
    boolean endedUntold(Running running) {
        return untold.removeIf(running::hasEnded);
    }
}
