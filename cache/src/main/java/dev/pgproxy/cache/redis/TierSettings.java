package dev.pgproxy.cache.redis;

import java.time.Duration;

/**
 * The bounds of the shared tier. Immutable.
 *
 * @param timeout after which a look-up is a miss, 1 ms to 1 s
 * @param maxInFlight look-ups that wait at once, and as many stores; 1 to 100,000
 * @param maxResult bytes of the largest result that is shared, before compression; at most 64 MB
 * @param compressOver bytes from which on results are compressed
 */
public record TierSettings(Duration timeout, int maxInFlight, int maxResult, int compressOver) {
    /** 50 ms, 256 at once, results up to 1 MB, compressed over 4 KB. */
    public static final TierSettings DEFAULT = new TierSettings(Duration.ofMillis(50), 256, 1 << 20, 4096);

    /** Checks the ranges. */
    public TierSettings {
        if (timeout.compareTo(Duration.ofMillis(1)) < 0 || timeout.compareTo(Duration.ofSeconds(1)) > 0) {
            throw new IllegalArgumentException("timeout is " + timeout + ", not between 1 ms and 1 s");
        }
        if (maxInFlight < 1 || maxInFlight > 100_000) {
            throw new IllegalArgumentException("maxInFlight is " + maxInFlight + ", not between 1 and 100,000");
        }
        if (maxResult < 1 || maxResult > 64 << 20) {
            throw new IllegalArgumentException("maxResult is " + maxResult + ", not between 1 byte and 64 MB");
        }
    }
}
