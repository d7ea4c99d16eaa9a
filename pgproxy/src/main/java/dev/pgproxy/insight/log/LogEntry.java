package dev.pgproxy.insight.log;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.insight.Caller;
import dev.pgproxy.results.CacheReason;
import org.jspecify.annotations.Nullable;

/**
 * One statement that was answered, as its event loop saw it. Immutable.
 *
 * @param ended when, by System.nanoTime
 * @param address of the client, empty for a unix socket
 * @param host who has answered; null = no server
 * @param cache what became of it as far as the cache is concerned; null if the cache was not asked
 * @param fingerprint the same in every process
 * @param text without literals
 * @param queued nanoseconds until it was sent
 * @param served nanoseconds from then until it was answered
 * @param sqlState of the error that it was answered with; null if it succeeded
 */
public record LogEntry(
        long ended,
        Caller caller,
        String address,
        @Nullable HostAddress host,
        @Nullable CacheReason cache,
        String fingerprint,
        String text,
        long queued,
        long served,
        long rows,
        @Nullable String sqlState) {}
