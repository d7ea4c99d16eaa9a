package dev.pgproxy.session;

import java.time.Instant;

/**
 * One reason why a session keeps its server. Immutable.
 *
 * @param statement the beginning of the statement that caused it, without literals
 */
public record Pin(PinReason reason, String statement, Instant since) {}
