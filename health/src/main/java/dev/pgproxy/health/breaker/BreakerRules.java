package dev.pgproxy.health.breaker;

import java.time.Duration;

/**
 * When a breaker opens, for how long, and when it closes. Immutable.
 *
 * @param failureRate percent of the logins in the window that have failed; counts from {@link #FEWEST} on
 * @param window how long a login is remembered, in whole seconds
 * @param failures so many in a row open it, too
 * @param openTime until the host is tried again; up to a tenth longer, by chance. Zero = it never opens
 * @param probes so many good logins, one after the other, close it
 */
public record BreakerRules(int failureRate, Duration window, int failures, Duration openTime, int probes) {
    /** Of fewer logins no share is taken: the first one that fails would be all of them. */
    public static final int FEWEST = 10;
}
