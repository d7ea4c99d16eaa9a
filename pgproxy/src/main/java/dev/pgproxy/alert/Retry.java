package dev.pgproxy.alert;

import java.time.Duration;

/**
 * How often something is tried, and how long the pauses are: each twice as long as the one before. Immutable.
 *
 * @param tries the first included
 * @param pause the first one
 */
record Retry(int tries, Duration pause) {
    /** Half a minute, and what the tries take. */
    static final Retry USUAL = new Retry(6, Duration.ofSeconds(1));

    /** Behind so many tries, in nanoseconds. */
    long pauseAfter(int tried) {
        return pause.toNanos() << (tried - 1);
    }
}
