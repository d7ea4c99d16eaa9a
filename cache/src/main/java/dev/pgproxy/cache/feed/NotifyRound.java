package dev.pgproxy.cache.feed;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One listening connection from its beginning to its loss: reports what it brings once it has shown that it brings
 * everything, and watches that it goes on to. Confined to the feed's thread.
 */
final class NotifyRound {
    /** Triggers are silent where the queue is half full; nobody fills a quarter of it between two beats. */
    private static final double FULLEST = 0.25;

    private final BlockingQueue<NotifyEvent> events;
    private final FeedSettings settings;
    private final FeedReports reports;

    NotifyRound(BlockingQueue<NotifyEvent> events, FeedSettings settings, FeedReports reports) {
        this.events = events;
        this.settings = settings;
        this.reports = reports;
    }

    /** Returns why it ended. */
    FeedLoss follow() throws InterruptedException {
        // until it listens, the limits of its owner and of its statements apply
        NotifyEvent event = events.take();
        long returned = System.nanoTime();
        while (event != null) {
            switch (event) {
                case NotifyEvent.Listening listening -> returned = System.nanoTime();
                case NotifyEvent.Told told -> {
                    // before the first beat has returned, nothing that was read before is believed anyway
                    if (reports.covers()) {
                        told.what().forEach(reports::notified);
                    }
                }
                case NotifyEvent.Beat beat -> {
                    returned = System.nanoTime();
                    if (beat.inRecovery()) {
                        return FeedLoss.STANDBY;
                    }
                    if (beat.queueUsage() > FULLEST) {
                        return FeedLoss.transitory(
                                "The server's queue of notifications is more than a quarter full.",
                                "A session that listens has a transaction open for long, or does not read; see"
                                        + " pg_stat_activity.");
                    }
                    if (!reports.covers()) {
                        reports.covering();
                    }
                    reports.delayed(beat.delay());
                }
                case NotifyEvent.Failed failed -> {
                    return failed.loss();
                }
            }
            // also while others' notifications come: those that are later than that are too late
            long left = returned + settings.patience().toNanos() - System.nanoTime();
            event = left <= 0 ? null : events.poll(left, TimeUnit.NANOSECONDS);
        }
        return reports.covers() ? FeedLoss.SILENCE : FeedLoss.DEAF;
    }
}
