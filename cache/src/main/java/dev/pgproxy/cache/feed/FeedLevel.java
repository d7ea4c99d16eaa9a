package dev.pgproxy.cache.feed;

import java.util.Locale;

/** How a {@link ChangeFeed} learns of writes. Immutable. */
public enum FeedLevel {
    /** By a logical replication slot. */
    LOGICAL,
    /** By what triggers and people say with NOTIFY. */
    NOTIFY;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
