package dev.pgproxy.cache.feed;

/** A connection that is read by a thread of its own, and tells a queue. Both methods may be called by any thread. */
interface FeedConnection extends AutoCloseable {
    /** When the server was last heard, by {@link System#nanoTime}. */
    long heard();

    /** Ends it, and what it keeps on the server. */
    @Override
    void close();
}
