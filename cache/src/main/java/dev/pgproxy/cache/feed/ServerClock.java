package dev.pgproxy.cache.feed;

/**
 * How far the server's clock is from ours: the least difference seen in the last one to two minutes, so that a clock that is
 * set is followed and a message that was long under way does not count. What every message needs at least counts as
 * difference too. Told by one thread, asked by any. Times are microseconds since 1970.
 */
final class ServerClock {
    private static final long WINDOW = 60_000_000;

    private long windowEnd = Long.MIN_VALUE;
    private long least = Long.MAX_VALUE;
    private long leastBefore = Long.MAX_VALUE;
    private volatile long difference;

    /** A message that was sent at the one time has arrived at the other. */
    void heard(long sent, long arrived) {
        if (arrived >= windowEnd) {
            leastBefore = least;
            least = Long.MAX_VALUE;
            windowEnd = arrived + WINDOW;
        }
        least = Math.min(least, arrived - sent);
        difference = Math.min(least, leastBefore);
    }

    /** How long ago something happened there. */
    long since(long there, long here) {
        return Math.max(0, here - there - difference);
    }
}
