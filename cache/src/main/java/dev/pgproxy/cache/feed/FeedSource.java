package dev.pgproxy.cache.feed;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;

/**
 * New connections of pgjdbc to one database on the server that is believed to be the primary, as one role. If they lead to
 * different servers, that is noticed and they are tried again. May block, on the feed's own threads, for as long as its
 * owner's limits for logging in. Thread-safe.
 */
public interface FeedSource {
    /** An ordinary connection with autocommit; the feed keeps it while it covers, and closes it. */
    Connection sql() throws SQLException;

    /** A connection of its own, with {@link #REPLICATION_PROPERTIES}; never from a pool. */
    Connection replication() throws SQLException;

    /** Of the database, for people. */
    String name();

    /**
     * What makes pgjdbc's connection one that may replicate: the server's replication commands are simple queries alone.
     * Such a connection matches the lines of pg_hba.conf for its database, not those for {@code replication}.
     */
    Map<String, String> REPLICATION_PROPERTIES =
            Map.of("replication", "database", "assumeMinServerVersion", "13", "preferQueryMode", "simple");
}
