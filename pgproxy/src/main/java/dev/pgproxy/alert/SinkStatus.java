package dev.pgproxy.alert;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How telling a sink goes. Immutable.
 *
 * @param name who
 * @param kind of what kind
 * @param queued messages that are still to be sent
 * @param delivered messages that were taken
 * @param tries how often one was sent, or tried to be
 * @param failed messages that were given up
 * @param dropped messages for which the queue had no place
 * @param heldBack alerts that were too many for a minute
 * @param lastDelivery when the last one was taken; null = none was
 * @param problem why the last try failed; empty if it did not
 */
public record SinkStatus(
        String name,
        String kind,
        int queued,
        long delivered,
        long tries,
        long failed,
        long dropped,
        long heldBack,
        @Nullable Instant lastDelivery,
        String problem) {}
