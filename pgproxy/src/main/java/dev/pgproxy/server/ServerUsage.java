package dev.pgproxy.server;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Times of one server connection. Written on the loop that owns it; readers of SHOW SERVERS may see values
 * a moment old.
 */
public final class ServerUsage {
    private final Instant connectedAt = Instant.now();
    private final long connectedNanos = System.nanoTime();
    private volatile long lastUsedNanos = connectedNanos;
    private volatile int epoch;
    private final AtomicInteger cancelsInFlight = new AtomicInteger();

    /** It has been used until {@code nanoTime}. */
    public void usedUntil(long nanoTime) {
        lastUsedNanos = nanoTime;
    }

    /** When its login was complete. */
    public Instant connectedAt() {
        return connectedAt;
    }

    /** When its login was complete, on the clock of System.nanoTime. */
    public long connectedNanos() {
        return connectedNanos;
    }

    /** When it was last used, on the clock of System.nanoTime. */
    public long lastUsedNanos() {
        return lastUsedNanos;
    }

    /** The epoch of its pool when it logged in: RECONNECT begins another. */
    public int epoch() {
        return epoch;
    }

    /** It has logged in in this epoch of its pool. */
    public void epoch(int now) {
        epoch = now;
    }

    /** It is of no epoch any more. */
    public void outdate() {
        epoch = -1;
    }

    /** Cancel requests on their way to it. */
    public int cancelsInFlight() {
        return cancelsInFlight.get();
    }

    /** One more cancel request is on its way, or one less. */
    public void cancelsInFlight(int change) {
        cancelsInFlight.addAndGet(change);
    }
}
