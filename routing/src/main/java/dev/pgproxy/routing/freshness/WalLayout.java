package dev.pgproxy.routing.freshness;

/**
 * How a server divides its WAL. Immutable. Source: access/xlog_internal.h, access/transam/xlog.c
 * (XLogBytePosToRecPtr, XLogBytePosToEndRecPtr).
 *
 * @param blockSize of a page in bytes: 8192 unless compiled otherwise; a power of two
 * @param segmentSize of a file in bytes: 16 MB unless initdb was told otherwise; a power of two
 */
public record WalLayout(int blockSize, long segmentSize) {
    private static final int PAGE_HEADER = 24;
    /** At the start of each segment. */
    private static final int LONG_PAGE_HEADER = 40;

    public WalLayout {
        if (Integer.bitCount(blockSize) != 1 || Long.bitCount(segmentSize) != 1 || segmentSize < blockSize) {
            throw new IllegalArgumentException("WAL pages of " + blockSize + " in segments of " + segmentSize);
        }
    }

    /**
     * Where the last record before an insert position may have ended. The insert position is where the next record will
     * start; when the last one filled its page that is behind the header of the next page, while a replica that has
     * replayed everything stands at the boundary between the pages.
     *
     * @param insertLsn unsigned
     */
    public long endBefore(long insertLsn) {
        long inSegment = insertLsn & segmentSize - 1;
        if (inSegment == LONG_PAGE_HEADER) {
            return insertLsn - LONG_PAGE_HEADER;
        }
        boolean behindPageHeader = (insertLsn & blockSize - 1) == PAGE_HEADER && inSegment != PAGE_HEADER;
        return behindPageHeader ? insertLsn - PAGE_HEADER : insertLsn;
    }
}
