package dev.pgproxy.insight;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A read that one caller repeats with differing values behind another one. Immutable.
 *
 * @param child what is repeated
 * @param parent what gave the values, as far as can be guessed; null if that cannot be told
 * @param parentBy by what it was guessed
 * @param occurrences runs of executions
 * @param executions of the child in all of them
 * @param nanos that these took, from complete to answered
 * @param tags what a comment of the child said of where it comes from; null if nothing
 * @param batched the child for an array of values; null if it cannot be told how
 * @param joined the child for all rows of the parent; null if it is not known by which column
 */
public record NPlusOne(
        Statement child,
        @Nullable Statement parent,
        String parentBy,
        Caller caller,
        long occurrences,
        long executions,
        long nanos,
        @Nullable String tags,
        @Nullable String batched,
        @Nullable String joined,
        Instant firstSeen,
        Instant lastSeen) {

    /** Executions of each occurrence, on average. */
    public double perOccurrence() {
        return occurrences == 0 ? 0 : (double) executions / occurrences;
    }

    /** Nanoseconds of all executions but one of each occurrence. */
    public long lost() {
        return executions == 0 ? 0 : nanos - (long) ((double) nanos * occurrences / executions);
    }
}
