package dev.pgproxy.pool;

import dev.pgproxy.protocol.backend.ErrorFields;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** What has failed at logging in to the host of a pool, and since when. Moments are System.nanoTime. Guarded by the pool. */
final class Outage {
    private static final long SECOND = 1_000_000_000L;
    private static final long REMINDER = 10 * SECOND;

    /** 2^6 s is more than a minute. */
    private static final int MOST_DOUBLED = 6;

    private final RandomGenerator random;
    private @Nullable ErrorFields failure;
    private int doubled;
    private long toldAt;
    private long since;
    private long retryAt = System.nanoTime();

    /** @param random for the pauses: pools whose host went away together do not come back together */
    Outage(RandomGenerator random) {
        this.random = random;
    }

    /**
     * Logging in has failed; unless somebody waits for it, it is tried again after a second, then after 2, 4 … s.
     *
     * @param longest pause, in nanoseconds
     * @return whether that is to be told: while clients wait, it is tried some times a second
     */
    boolean failed(ErrorFields error, long now, long longest) {
        if (isRetried(now)) { // else it began before the pause
            long pause = Math.min(longest, SECOND << doubled);
            doubled = Math.min(doubled + 1, MOST_DOUBLED);
            retryAt = now + pause - random.nextLong(pause / 4 + 1);
        }
        if (!isUnreachable(error)) {
            return true;
        }
        boolean isNews = failure == null || !failure.message().equals(error.message()) || now - toldAt >= REMINDER;
        toldAt = isNews ? now : toldAt;
        since = failure == null ? now : since;
        failure = error;
        return isNews;
    }

    /** A server has logged in, or the pool has another host. */
    void end() {
        failure = null;
        doubled = 0;
    }

    /** The host is down, starts up or shuts down, or is another than it should be. */
    private static boolean isUnreachable(ErrorFields error) {
        return error.code().startsWith("08") || error.code().startsWith("57P");
    }

    /** Why the host cannot be reached; null if it can, as far as is known. */
    @Nullable
    ErrorFields failure() {
        return failure;
    }

    /**
     * What clients are told in place of waiting for a login; null if they may wait, since it is time for one, or one that comes
     * up may be up by now.
     *
     * @param tried whether somebody else tries, so that none of them needs to
     */
    @Nullable
    ErrorFields refusal(boolean tried, long now) {
        boolean away = failure != null && failure.code().startsWith("08");
        return away && (tried || !isRetried(now)) ? failure : null;
    }

    /** Whether it is one from which a host may come back so soon that clients wait for that. */
    boolean isShorterThan(long wait, long now) {
        return failure != null && now - since < wait;
    }

    /** Whether it is time to try again without anybody waiting. */
    boolean isRetried(long now) {
        return now - retryAt >= 0;
    }
}
