package dev.pgproxy.cache.feed;

import java.time.Duration;

/**
 * The bounds of a {@link ChangeFeed}. Immutable.
 *
 * @param maxLagBytes of WAL between what the server has written and what has arrived; beyond, the feed gives up for a moment
 * @param maxKeptBytes of WAL that the slot may keep from being removed. The slot keeps WAL from the start of the oldest
 *     writing transaction that is open, and some seconds more, however fast the feed reads
 * @param patience how long nothing may be heard before coverage counts as lost; at least 2 s. The server is told to speak
 *     at least every half of it
 * @param maxTables of one transaction that are told one by one; beyond, everything
 * @param recheck how often a server that cannot have a feed until somebody changes it is looked at again
 */
public record FeedSettings(long maxLagBytes, long maxKeptBytes, Duration patience, int maxTables, Duration recheck) {
    private static final long MB = 1024 * 1024;

    /** 256 MB, 1 GB (what max_wal_size is by default), 5 s, 1000 tables, 30 s. */
    public static final FeedSettings DEFAULT =
            new FeedSettings(256 * MB, 1024 * MB, Duration.ofSeconds(5), 1000, Duration.ofSeconds(30));

    public FeedSettings {
        if (maxLagBytes <= 0 || maxKeptBytes <= 0 || maxTables <= 0 || !recheck.isPositive()) {
            throw new IllegalArgumentException("bounds must be positive");
        }
        if (patience.compareTo(Duration.ofSeconds(2)) < 0) {
            throw new IllegalArgumentException("patience " + patience + " is less than 2 s");
        }
    }

    public FeedSettings withPatience(Duration newPatience) {
        return new FeedSettings(maxLagBytes, maxKeptBytes, newPatience, maxTables, recheck);
    }

    public FeedSettings withRecheck(Duration newRecheck) {
        return new FeedSettings(maxLagBytes, maxKeptBytes, patience, maxTables, newRecheck);
    }

    public FeedSettings withMaxKeptBytes(long bytes) {
        return new FeedSettings(maxLagBytes, bytes, patience, maxTables, recheck);
    }

    public FeedSettings withMaxLagBytes(long bytes) {
        return new FeedSettings(bytes, maxKeptBytes, patience, maxTables, recheck);
    }
}
