package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One call that took longer than {@code slow_query_threshold}. Immutable.
 *
 * @param endedAt when its answer was complete
 * @param address of the client, empty for a unix socket
 * @param host who has answered; null = no server
 * @param text without literals
 * @param queued nanoseconds until it was sent
 * @param served nanoseconds from then until it was answered
 * @param sqlState of the error that it was answered with; null if it succeeded
 */
public record SlowStatement(
        Instant endedAt,
        Caller caller,
        String address,
        @Nullable HostAddress host,
        String fingerprint,
        String text,
        long queued,
        long served,
        long rows,
        @Nullable String sqlState) {}
