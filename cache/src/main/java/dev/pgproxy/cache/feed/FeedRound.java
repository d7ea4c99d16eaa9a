package dev.pgproxy.cache.feed;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One slot from the attempt to make it to its loss: reports what its stream brings as soon as others can see it, and watches
 * what the slot costs the server. Confined to the feed's thread.
 */
final class FeedRound {
    /** How often the server is asked where it is. */
    static final Duration POLL = Duration.ofSeconds(1);

    /** At most so often it is asked which transactions have ended, and so rarely about one that is slow to end. */
    private static final long PACE = Duration.ofMillis(2).toNanos();

    /** Of so many polls without a slot the log is told. */
    private static final int WAITS_TO_COMPLAIN = 5;

    private static final long MOST_PACE = Duration.ofMillis(50).toNanos();

    private final FeedWatch watch;
    private final FeedStream stream;
    private final BlockingQueue<FeedEvent> events;
    private final FeedSettings settings;
    private final FeedReports reports;

    private final List<FeedEvent> batch = new ArrayList<>();
    private final Unseen unseen = new Unseen();

    private boolean begun;
    private int waits;
    private long pace = PACE;
    private long nextQuestion = System.nanoTime();
    private long nextPoll = System.nanoTime() + POLL.toNanos();

    FeedRound(
            FeedWatch watch,
            FeedStream stream,
            BlockingQueue<FeedEvent> events,
            FeedSettings settings,
            FeedReports reports) {
        this.watch = watch;
        this.stream = stream;
        this.events = events;
        this.settings = settings;
        this.reports = reports;
    }

    /** Returns why it ended. */
    FeedLoss follow() throws SQLException, InterruptedException {
        Optional<FeedLoss> loss = Optional.empty();
        while (loss.isEmpty()) {
            loss = take();
            long now = System.nanoTime();
            if (loss.isEmpty() && now - nextPoll >= 0) {
                loss = poll();
                nextPoll = now + POLL.toNanos();
            } else if (loss.isEmpty() && unseen.hasCommits() && now - nextQuestion >= 0) {
                report(watch.running());
            }
        }
        return loss.get();
    }

    /** Waits for events as long as there is nothing to ask. */
    private Optional<FeedLoss> take() throws SQLException, InterruptedException {
        long now = System.nanoTime();
        long wait = (unseen.hasCommits() ? Math.min(nextPoll, nextQuestion) : nextPoll) - now;
        FeedEvent first = events.poll(Math.max(0, wait), TimeUnit.NANOSECONDS);
        if (first == null) {
            return Optional.empty();
        }
        batch.clear();
        batch.add(first);
        events.drainTo(batch);
        for (FeedEvent event : batch) {
            switch (event) {
                case FeedEvent.Began began -> begin();
                case FeedEvent.Committed committed -> unseen.add(committed.written());
                case FeedEvent.Failed failed -> {
                    return Optional.of(FeedLoss.of(failed.step(), failed.cause(), watch.facts()));
                }
            }
        }
        return Optional.empty();
    }

    private void begin() throws SQLException {
        unseen.begin(watch.running());
        begun = true;
        reports.covering();
    }

    private void report(Running running) {
        unseen.seen(running).forEach(reports::written);
        pace = unseen.hasCommits() ? Math.min(2 * pace, MOST_PACE) : PACE;
        nextQuestion = System.nanoTime() + pace;
    }

    private Optional<FeedLoss> poll() throws SQLException {
        FeedWatch.Positions now = watch.positions(stream.slot());
        long lag = begun ? Math.max(0, now.written() - stream.position()) : 0;
        reports.measured(lag, now.kept());
        if (begun) {
            report(now.running());
            if (unseen.endedUntold(now.running())) {
                reports.everythingWritten();
            }
        } else {
            reports.waits(now.running().xids().size(), ++waits >= WAITS_TO_COMPLAIN);
        }
        // a read that waits too long fails by itself; this is for one that cannot even write
        if (begun
                && System.nanoTime() - stream.heard()
                        > settings.patience().plus(POLL).toNanos()) {
            return Optional.of(FeedLoss.SILENCE);
        }
        if (lag > settings.maxLagBytes()) {
            return Optional.of(FeedLoss.transitory(
                    "The feed was more than " + settings.maxLagBytes() + " bytes of WAL behind.",
                    "The server writes faster than it can decode; see the load of its walsender."));
        }
        if (now.kept() > settings.maxKeptBytes()) {
            return Optional.of(FeedLoss.transitory(
                    "The slot kept more than " + settings.maxKeptBytes() + " bytes of WAL.",
                    "A slot keeps what was written since the oldest open transaction began to write; see"
                            + " pg_stat_activity.xact_start."));
        }
        return FeedFacts.refusalOf(now.synchronousStandbys());
    }
}
