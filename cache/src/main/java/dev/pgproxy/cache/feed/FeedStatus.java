package dev.pgproxy.cache.feed;

import java.time.Duration;

/**
 * How a {@link ChangeFeed} is, for people and metrics. Immutable.
 *
 * @param reason why it does not stream, or why it last ceased to; empty if it always has
 * @param hint what to do about that; may be empty
 * @param lagBytes of WAL between what the server had written when last asked and what had arrived; 0 unless streaming
 * @param keptBytes of WAL that the slot kept from being removed when last asked
 * @param delay between the last commit and its report, by the server's clock and ours with their difference taken out; of a
 *     listener, how long a notification of its own takes to come back
 * @param longestDelay the longest one since coverage began
 * @param silence since the server was last heard on the stream; 0 unless streaming or listening
 * @param transactions reported, or notifications
 * @param changes rows changed and tables truncated in them
 * @param losses how often coverage was lost
 */
public record FeedStatus(
        State state,
        String reason,
        String hint,
        long lagBytes,
        long keptBytes,
        Duration delay,
        Duration longestDelay,
        Duration silence,
        long transactions,
        long changes,
        long losses) {
    /** Where it stands. */
    public enum State {
        /** Closed. */
        OFF,
        /** Connects, waits for its slot, or pauses before it tries again. */
        CONNECTING,
        /** Every commit is reported. */
        STREAMING,
        /** Whatever is told by NOTIFY is reported. */
        LISTENING,
        /** Somebody has to change something first. */
        REFUSED
    }
}
