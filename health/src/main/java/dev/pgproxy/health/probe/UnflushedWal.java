package dev.pgproxy.health.probe;

import java.time.Duration;

/**
 * Notices that WAL of a primary stays in memory. Only a commit makes the server write a page that is not full: what an open
 * transaction has written last is sent to no replica until somebody commits or the next snapshot of the background writer, 15 s
 * later (XLogSetAsyncXactLSN in xlog.c, LOG_SNAPSHOT_INTERVAL_MS in bgwriter.c). Nothing of it is visible to anybody, but where
 * it ends nobody can tell whether a commit is in it. Confined to one thread.
 */
final class UnflushedWal {
    /** Longer than the 3 × wal_writer_delay after which an asynchronous commit is on disk. */
    private static final long PATIENCE = Duration.ofSeconds(1).toNanos();

    private long awaited;
    private long since;

    /**
     * Whether what was there a second ago has still not been flushed; then not again for a second.
     *
     * @param moment of the question, {@link dev.pgproxy.routing.freshness.Monotonic}
     * @param end where the last record ends, unsigned
     * @param flushed up to where, unsigned
     */
    boolean isStuck(long moment, long end, long flushed) {
        boolean stuck = Long.compareUnsigned(flushed, awaited) < 0;
        if (stuck && moment - since < PATIENCE) {
            return false;
        }
        awaited = end;
        since = moment;
        return stuck;
    }
}
