package dev.pgproxy.insight;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A statement that may have changed definitions, or a migration. Immutable.
 *
 * @param at when it was complete, or told
 * @param caller who has run it; the database alone if it was a migration
 * @param text without literals, or what a migration says of itself
 * @param sqlState of the error that it failed with; null if it succeeded
 */
public record SchemaChange(
        Instant at, Caller caller, String text, @Nullable String sqlState) {}
