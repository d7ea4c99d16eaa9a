package dev.pgproxy.cache.feed;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the listener and the log what has happened, and keeps it for people. Told by the feed's thread alone; {@link #status}
 * and {@link #close} may be called by any.
 */
final class FeedReports implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FeedReports.class);
    private static final long BETWEEN_COMPLAINTS = Duration.ofMinutes(1).toNanos();
    private static final int MOST_SHOWN = 100;

    private final FeedListener listener;
    private final String name;
    private final FeedLevel level;
    private final ServerClock clock = new ServerClock();

    /** Held while the listener is called, so that close can wait for that; re-entrant, as a listener may close. */
    private final ReentrantLock telling = new ReentrantLock();

    private final AtomicLong transactions = new AtomicLong();
    private final AtomicLong changes = new AtomicLong();
    private final AtomicLong losses = new AtomicLong();
    private volatile boolean open = true;
    private volatile FeedStatus.State state = FeedStatus.State.CONNECTING;
    private volatile String reason = "";
    private volatile String hint = "";
    private volatile long lag;
    private volatile long kept;
    private volatile long delay;
    private volatile long longestDelay;

    private boolean covers;
    /** Whether the listener knows that it is not. */
    private boolean toldLost;

    private String complaint = "";
    private long quietUntil = System.nanoTime();

    FeedReports(FeedListener listener, String name, FeedLevel level) {
        this.listener = listener;
        this.name = name;
        this.level = level;
    }

    /** How late the server's messages are. */
    ServerClock clock() {
        return clock;
    }

    void connecting() {
        if (state != FeedStatus.State.REFUSED) {
            state = FeedStatus.State.CONNECTING;
        }
    }

    /** The slot is not ready, as transactions that write have not ended. */
    void waits(int open, boolean complain) {
        state = FeedStatus.State.CONNECTING;
        reason = "The slot waits for the end of transactions that had written when it was asked for; " + open
                + " are open now.";
        hint = "End sessions that are idle in transaction: SELECT * FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
                + " ORDER BY xact_start. A prepared transaction counts too, see pg_prepared_xacts.";
        if (complain) {
            complain("waiting", reason + " " + hint);
        }
    }

    void covering() {
        longestDelay = 0;
        state = switch (level) {
            case LOGICAL -> FeedStatus.State.STREAMING;
            case NOTIFY -> FeedStatus.State.LISTENING;
        };
        complaint = "";
        LOG.info("{} covers every commit from now on", subject());
        covers = true;
        toldLost = false;
        tell(listener::covering);
    }

    private String subject() {
        return switch (level) {
            case LOGICAL -> "the change feed of database " + name;
            case NOTIFY -> "the listener of database " + name;
        };
    }

    boolean covers() {
        return covers;
    }

    void measured(long newLag, long newKept) {
        lag = newLag;
        kept = newKept;
    }

    void written(Written written) {
        transactions.incrementAndGet();
        changes.addAndGet(written.changes());
        tell(written.everything() ? listener::everythingWritten : () -> listener.written(written.tables()));
        if (written.committed() != 0) {
            delay = clock.since(written.committed(), FeedStream.microseconds());
            longestDelay = Math.max(longestDelay, delay);
        }
    }

    /** Somebody has sent this. */
    void notified(Invalidation what) {
        tell(() -> {
            if (!listener.notified(what) && System.nanoTime() - quietUntil >= 0) {
                quietUntil = System.nanoTime() + BETWEEN_COMPLAINTS;
                LOG.warn(
                        "a notification to pgproxy_invalidate in database {} names nothing that is known, so that everything"
                                + " there counts as written: {} (later ones within a minute are not logged)",
                        name,
                        shown(what));
            }
        });
        transactions.incrementAndGet();
    }

    /** Anybody may have sent it. */
    private static String shown(Invalidation what) {
        String text = switch (what) {
            case Invalidation.Unreadable unreadable -> unreadable.payload();
            case Invalidation.Named named -> "table:" + named.spelling().text();
            case Invalidation.Targets targets -> "oid:" + targets.oids();
            case Invalidation.Everything everything -> "all";
            case Invalidation.Definitions definitions -> "schema";
        };
        return text.substring(0, Math.min(text.length(), MOST_SHOWN)).replaceAll("\\p{Cntrl}", "?");
    }

    /** This is how long a notification takes. */
    void delayed(Duration by) {
        delay = TimeUnit.NANOSECONDS.toMicros(by.toNanos());
        longestDelay = Math.max(longestDelay, delay);
    }

    void everythingWritten() {
        tell(listener::everythingWritten);
    }

    /** An attempt has ended. */
    void ended(FeedLoss loss) {
        reason = loss.why();
        hint = loss.hint();
        state = loss.refused() ? FeedStatus.State.REFUSED : FeedStatus.State.CONNECTING;
        measured(0, 0);
        if (covers) {
            losses.incrementAndGet();
            complaint = "";
        }
        complain(
                loss.refused() ? loss.why() : "lost",
                (loss.why() + " " + loss.hint()).strip() + (loss.refused() ? "" : " It is tried again."));
        covers = false;
        if (!toldLost) {
            toldLost = true;
            try {
                tell(() -> listener.lost(loss.why(), !loss.refused()));
            } catch (RuntimeException e) {
                LOG.error("{} could not tell that it ended", subject(), e);
            }
        }
    }

    /** Once per kind of trouble. */
    private void complain(String kind, String text) {
        if (open && !kind.equals(complaint)) {
            complaint = kind;
            LOG.warn("{} does not cover what others write: {}", subject(), text);
        }
    }

    private void tell(Runnable call) {
        telling.lock();
        try {
            if (open) {
                call.run();
            }
        } finally {
            telling.unlock();
        }
    }

    /** With how long the stream has been silent. */
    FeedStatus status(Duration silence) {
        FeedStatus.State now = open ? state : FeedStatus.State.OFF;
        boolean streams = now == FeedStatus.State.STREAMING || now == FeedStatus.State.LISTENING;
        return new FeedStatus(
                now,
                reason,
                hint,
                streams ? lag : 0,
                kept,
                Duration.of(delay, ChronoUnit.MICROS),
                Duration.of(longestDelay, ChronoUnit.MICROS),
                streams ? silence : Duration.ZERO,
                transactions.get(),
                changes.get(),
                losses.get());
    }

    /** Waits for a call that runs; none follows. */
    @Override
    public void close() {
        telling.lock();
        try {
            open = false;
        } finally {
            telling.unlock();
        }
    }
}
