package dev.pgproxy.advice;

import dev.pgproxy.advice.statement.ReadStatement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A statement of one database with its figures, of all callers and hosts together. Immutable.
 *
 * @param statement null if its text could not be read
 * @param rows in all
 * @param bytes in all
 * @param cached of the calls
 * @param served milliseconds in all that servers took
 * @param p99 milliseconds, the highest of its callers
 * @param deadlocks calls that ended with 40P01
 * @param deadlockedWith the statements that these waited for and that waited for them, as far as they passed through here
 * @param hours since statements are counted, or since the first of this database
 * @param share of the calls of the caller that calls it most: how many of these are this statement
 */
public record Load(
        String fingerprint,
        String text,
        @Nullable ReadStatement statement,
        long calls,
        long rows,
        long bytes,
        long cached,
        double served,
        double p99,
        long deadlocks,
        List<String> deadlockedWith,
        double hours,
        double share) {
    public Load {
        deadlockedWith = List.copyOf(deadlockedWith);
    }

    /** Milliseconds per call that a server has answered. */
    public double mean() {
        return calls <= cached ? 0 : served / (calls - cached);
    }

    /** Milliseconds per hour. */
    public double servedPerHour() {
        return served / hours;
    }

    /** Per call. */
    public double rowsPerCall() {
        return calls == 0 ? 0 : (double) rows / calls;
    }

    /** Per hour. */
    public double callsPerHour() {
        return calls / hours;
    }
}
