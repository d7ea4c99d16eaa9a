package dev.pgproxy.cache.feed;

import java.sql.SQLException;

/** What a {@link FeedStream} tells, in order; {@link Failed} is the last. Immutable. */
sealed interface FeedEvent {
    /** The slot exists, and the stream from its consistent point has begun. */
    record Began() implements FeedEvent {}

    /** A transaction is in WAL as committed. */
    record Committed(Written written) implements FeedEvent {}

    /** The stream has ended, or never began. */
    record Failed(FeedLoss.Step step, SQLException cause) implements FeedEvent {}
}
