package dev.pgproxy.pool;

import dev.pgproxy.protocol.backend.ErrorFields;
import org.jspecify.annotations.Nullable;

/** What has failed at logging in to the host of a pool, and since when. Moments are System.nanoTime. Guarded by the pool. */
final class Outage {
    private static final long REMINDER = 10_000_000_000L;

    private @Nullable ErrorFields failure;
    private long toldAt;
    private long since;
    private long retryAt = System.nanoTime();

    /**
     * Logging in has failed; it is tried again, unless somebody waits for it, after so many nanoseconds.
     *
     * @return whether that is to be told: while clients wait, it is tried some times a second
     */
    boolean failed(ErrorFields error, long now, long retry) {
        retryAt = now + retry;
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

    /** What clients are told until it is time to try again; null if it is, or one that comes up may be up by now. */
    @Nullable
    ErrorFields refusal(long now) {
        boolean away = failure != null && failure.code().startsWith("08");
        return away && !isRetried(now) ? failure : null;
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
