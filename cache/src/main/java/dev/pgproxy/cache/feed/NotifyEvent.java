package dev.pgproxy.cache.feed;

import java.time.Duration;
import java.util.List;

/** What a {@link NotifyStream} tells, in order; {@link Failed} is the last. Immutable. */
sealed interface NotifyEvent {
    /** Whatever is sent from now on arrives, if the connection is what it seems to be. */
    record Listening() implements NotifyEvent {}

    /** Others have sent these. */
    record Told(List<Invalidation> what) implements NotifyEvent {}

    /**
     * What we had sent ourselves has come back, after everything that others had sent before.
     *
     * @param delay since it was sent
     * @param queueUsage how full the server's queue of notifications was then, 0 to 1
     * @param inRecovery whether the server was a standby then
     */
    record Beat(Duration delay, double queueUsage, boolean inRecovery) implements NotifyEvent {}

    /** It has ended, or never began. */
    record Failed(FeedLoss loss) implements NotifyEvent {}
}
