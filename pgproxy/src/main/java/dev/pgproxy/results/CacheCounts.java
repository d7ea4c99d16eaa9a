package dev.pgproxy.results;

import java.util.concurrent.atomic.LongAdder;

/** How many reads of a database met the cache, and why others did not. Thread-safe. */
public final class CacheCounts {
    private final LongAdder[] byReason = new LongAdder[CacheReason.values().length];

    /** Nothing counted yet. */
    public CacheCounts() {
        for (int i = 0; i < byReason.length; i++) {
            byReason[i] = new LongAdder();
        }
    }

    /** One more. */
    public void count(CacheReason reason) {
        byReason[reason.ordinal()].increment();
    }

    /** How many there were. */
    public long of(CacheReason reason) {
        return byReason[reason.ordinal()].sum();
    }
}
