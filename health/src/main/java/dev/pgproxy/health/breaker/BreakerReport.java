package dev.pgproxy.health.breaker;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A breaker at one moment. Immutable.
 *
 * @param inRow failures since the last success
 * @param failures of {@code calls}, since the beginning: logins, and connections that were lost in the middle of something
 * @param opened how often
 * @param age how long it has been in this state
 * @param nextTry until when it stays open; null if it is not open
 * @param lastFailure in the words of the host, or ours about it; null if there was none
 * @param lastFailureAge how long ago that was; zero if there was none
 */
public record BreakerReport(
        BreakerState state,
        int inRow,
        long failures,
        long calls,
        long opened,
        Duration age,
        @Nullable Duration nextTry,
        @Nullable String lastFailure,
        Duration lastFailureAge) {}
