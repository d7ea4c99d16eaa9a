package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import org.jspecify.annotations.Nullable;

/**
 * What figures are kept apart by. Immutable.
 *
 * @param high of the statement's shape, as {@code low}
 * @param host who has answered; null = no server
 */
public record StatementKey(
        long high, long low, Caller caller, @Nullable HostAddress host) {}
