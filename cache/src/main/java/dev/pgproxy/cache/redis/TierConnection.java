package dev.pgproxy.cache.redis;

import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection that values travel on, and its breaker: {@value #FAILURES} failures in a row close it, and it is not opened
 * again before a pause, which doubles up to half a minute as long as nothing succeeds. Thread-safe.
 */
final class TierConnection {
    private static final Logger LOG = LoggerFactory.getLogger(TierConnection.class);
    private static final int FAILURES = 5;
    private static final long FIRST_PAUSE = 100_000_000L;
    private static final long LAST_PAUSE = 30_000_000_000L;

    private final RedisAccess access;
    private volatile @Nullable StatefulRedisConnection<byte[], byte[]> connection;
    private boolean opening;
    private boolean closed;
    private volatile int failures;
    private volatile long pause = FIRST_PAUSE;
    private long openAt = System.nanoTime();

    TierConnection(RedisAccess access) {
        this.access = access;
    }

    /** Where to ask; null if there is nothing to be asked now. Then it is opened, if it is time. */
    @Nullable
    RedisAsyncCommands<byte[], byte[]> commands() {
        StatefulRedisConnection<byte[], byte[]> current = connection;
        if (current != null && current.isOpen()) {
            return current.async();
        }
        open(current);
        return null;
    }

    private synchronized void open(@Nullable StatefulRedisConnection<byte[], byte[]> lost) {
        if (lost != null && lost == connection) {
            connection = null;
            pauseNow();
        }
        if (closed || opening || connection != null || System.nanoTime() - openAt < 0) {
            return;
        }
        opening = true;
        access.values().whenComplete(this::opened);
    }

    private synchronized void opened(
            @Nullable StatefulRedisConnection<byte[], byte[]> now, @Nullable Throwable failure) {
        opening = false;
        if (now == null) {
            LOG.debug("Redis at {} cannot be reached", access, failure);
            pauseNow();
        } else if (closed) {
            now.closeAsync();
        } else {
            connection = now;
            failures = FAILURES - 1; // the first answer decides
        }
    }

    private void pauseNow() {
        openAt = System.nanoTime() + pause;
        pause = Math.min(2 * pause, LAST_PAUSE);
    }

    /** Redis has answered in time. */
    void succeeded() {
        if (failures != 0
                || pause != FIRST_PAUSE) { // a glance without the lock: most of the time there is nothing to do
            synchronized (this) {
                failures = 0;
                pause = FIRST_PAUSE;
            }
        }
    }

    /** Redis has not, or with an error. */
    synchronized void failed() {
        StatefulRedisConnection<byte[], byte[]> current = connection;
        if (++failures >= FAILURES && current != null) {
            LOG.warn(
                    "Redis at {} is left alone for {} ms: it fails or does not answer in time",
                    access,
                    pause / 1_000_000);
            connection = null;
            current.closeAsync();
            pauseNow();
        }
    }

    boolean isOpen() {
        return connection != null;
    }

    synchronized void close() {
        closed = true;
        StatefulRedisConnection<byte[], byte[]> current = connection;
        connection = null;
        if (current != null) {
            current.closeAsync();
        }
    }
}
