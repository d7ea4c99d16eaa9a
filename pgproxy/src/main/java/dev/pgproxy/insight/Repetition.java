package dev.pgproxy.insight;

import java.time.Instant;

/**
 * A statement that one caller executes again and again in a row, for whoever gives advice. Immutable.
 *
 * @param inBlocks executions within transaction blocks
 * @param outside executions outside of any
 */
public record Repetition(
        What what,
        Statement statement,
        Caller caller,
        long occurrences,
        long inBlocks,
        long outside,
        long nanos,
        Instant lastSeen) {

    /** What of it repeats. */
    public enum What {
        /** A read with the same values: what a cache would save. */
        SAME_VALUES,
        /** INSERT, UPDATE, DELETE or MERGE, one after the other. */
        WRITE_BY_ROW
    }
}
