package dev.pgproxy.cache.feed;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Tells a listener which tables of one database are written, by whomever. Keeps trying until it is closed. Two threads of
 * its own. Thread-safe.
 *
 * <p>{@link FeedLevel#LOGICAL}: through a temporary logical replication slot with the plugin {@code test_decoding}, which
 * needs no publication and makes no statement of anybody fail; two connections while it covers. {@link FeedLevel#NOTIFY}:
 * what is said with NOTIFY on channel {@code pgproxy_invalidate}; one connection.
 *
 * <p>What a slot costs the server: a walsender that decodes all WAL (of other databases too, which it then drops), the WAL
 * since the oldest open transaction that writes, at most {@link FeedSettings#maxKeptBytes}, and catalog rows that vacuum
 * must keep meanwhile. The slot goes when the connection does, at the latest {@link FeedSettings#patience} after this
 * process has vanished.
 */
public final class ChangeFeed implements AutoCloseable {
    /** Transactions that may wait to be reported; then the stream waits. */
    private static final int QUEUE = 4096;

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    private final FeedLevel level;
    private final FeedSource source;
    private final FeedSettings settings;
    private final FeedReports reports;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition closed = lock.newCondition();
    private volatile boolean open = true;
    private volatile @Nullable FeedConnection stream;

    private ChangeFeed(FeedLevel level, FeedSource source, FeedSettings settings, FeedListener listener) {
        this.level = level;
        this.source = source;
        this.settings = settings;
        this.reports = new FeedReports(listener, source.name(), level);
        this.thread = Thread.ofPlatform().daemon().name("feed " + source.name()).unstarted(this::run);
    }

    /** Begins to try, without waiting; the listener is told what comes of it. */
    public static ChangeFeed start(FeedLevel level, FeedSource source, FeedSettings settings, FeedListener listener) {
        ChangeFeed feed = new ChangeFeed(level, source, settings, listener);
        feed.thread.start();
        return feed;
    }

    /** How it is now. */
    public FeedStatus status() {
        FeedConnection current = stream;
        return reports.status(
                current == null ? Duration.ZERO : Duration.ofNanos(Math.max(0, System.nanoTime() - current.heard())));
    }

    private void run() {
        try {
            keepTrying();
        } finally {
            // not even an error may leave the listener believing that everything is reported
            reports.ended(FeedLoss.refusal("The feed has ended.", "See the log, and restart pgproxy."));
        }
    }

    private void keepTrying() {
        int failures = 0;
        while (open) {
            long begun = System.nanoTime();
            reports.connecting();
            FeedLoss loss = attempt();
            if (open) {
                boolean lasted = reports.covers() && System.nanoTime() - begun > LONGEST_PAUSE.toNanos();
                failures = lasted ? 1 : failures + 1;
                reports.ended(loss);
                await(loss.refused() ? settings.recheck() : pause(failures));
            }
        }
    }

    /** Covers as long as it can; returns why it could not any longer. */
    private FeedLoss attempt() {
        try {
            return switch (level) {
                case LOGICAL -> decode();
                case NOTIFY -> listen();
            };
        } catch (SQLException e) {
            return FeedLoss.ofControl(e);
        } catch (InterruptedException e) {
            // by close or renew, or by somebody whose wish is not known here
            return FeedLoss.transitory("The primary has changed.", "");
        } catch (RuntimeException e) {
            return FeedLoss.transitory("The feed failed: " + e, "This is a mistake in pgproxy; please report it.");
        } finally {
            stream = null;
        }
    }

    private FeedLoss decode() throws SQLException, InterruptedException {
        // the queue is this attempt's own: what an earlier stream still says is not heard
        BlockingQueue<FeedEvent> events = new ArrayBlockingQueue<>(QUEUE);
        try (FeedWatch asked = FeedWatch.open(source.sql(), settings.patience().minus(FeedRound.POLL))) {
            FeedFacts facts = asked.facts();
            Optional<FeedLoss> refusal = facts.refusal();
            if (refusal.isPresent()) {
                return refusal.get();
            }
            try (FeedStream changes = new FeedStream(source, settings, facts, reports.clock(), events)) {
                stream = changes;
                if (!open) {
                    return FeedLoss.transitory("closed", "");
                }
                changes.start();
                return new FeedRound(asked, changes, events, settings, reports).follow();
            }
        }
    }

    private FeedLoss listen() throws InterruptedException {
        BlockingQueue<NotifyEvent> events = new ArrayBlockingQueue<>(QUEUE);
        try (NotifyStream notifications = new NotifyStream(source, settings, events)) {
            stream = notifications;
            if (!open) {
                return FeedLoss.transitory("closed", "");
            }
            notifications.start();
            return new NotifyRound(events, settings, reports).follow();
        }
    }

    /** 1, 2, 4 ... 30 s, a quarter less to a quarter more. */
    private static Duration pause(int failures) {
        long seconds = Math.min(LONGEST_PAUSE.toSeconds(), 1L << Math.min(failures - 1, 10));
        return Duration.ofMillis(ThreadLocalRandom.current().nextLong(750 * seconds, 1250 * seconds));
    }

    private void await(Duration pause) {
        lock.lock();
        try {
            long left = pause.toNanos();
            while (open && left > 0) {
                left = closed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            // by close, or by somebody whose wish is not known here: it is tried again sooner
            return;
        } finally {
            lock.unlock();
        }
    }

    /** Loses what it has and begins anew: the primary may be another. */
    public void renew() {
        thread.interrupt();
    }

    /**
     * Ends it: when this returns the listener is called no more, and the slot goes as soon as the server notices. Waits for
     * a call of the listener that runs, so not while holding what that waits for.
     */
    @Override
    public void close() {
        reports.close();
        lock.lock();
        try {
            open = false;
            closed.signalAll();
        } finally {
            lock.unlock();
        }
        FeedConnection changes = stream;
        if (changes != null) {
            changes.close();
        }
        thread.interrupt();
    }
}
