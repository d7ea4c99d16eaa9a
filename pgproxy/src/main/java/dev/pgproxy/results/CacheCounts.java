package dev.pgproxy.results;

import dev.pgproxy.routing.LoopTotals;

/** How many reads of a database met the cache, and why others did not. Thread-safe. */
public final class CacheCounts {
    private final LoopTotals byReason;

    /** Nothing counted yet. */
    public CacheCounts(int loops) {
        byReason = new LoopTotals(loops, CacheReason.values().length);
    }

    /** One more; only on that loop. */
    public void count(int loop, CacheReason reason) {
        byReason.add(loop, reason.ordinal(), 1);
    }

    /** How many there were. */
    public long of(CacheReason reason) {
        return byReason.of(reason.ordinal());
    }
}
