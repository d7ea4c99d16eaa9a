package dev.pgproxy.cache.feed;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/**
 * One connection that listens on {@link #CHANNEL}, read by a thread of its own that tells a queue and waits when that is
 * full. Once a second it sends itself a notification on a channel that nobody else knows: the server delivers all of a
 * database in the order of their commits, so its return says that nothing sent before is missing; a connection through a
 * pooler, which loses LISTEN, never sees it return. The sends wait for no disk and no standby, as nobody reads them after a crash.
 */
final class NotifyStream implements FeedConnection {
    /** Where triggers and people say what was written. */
    static final String CHANNEL = "pgproxy_invalidate";

    /** How often it sends to itself. */
    static final Duration BEAT = Duration.ofSeconds(1);

    /** Below this number of pages the queue could fill and drain again between two looks at it. */
    private static final int LEAST_QUEUE = 65_536;

    private static final String FACTS = """
            SELECT pg_is_in_recovery(), coalesce(current_setting('max_notify_queue_pages', true), '1048576')::int
            """;
    private static final String SEND = "SELECT pg_notify(?, ?), pg_notification_queue_usage(), pg_is_in_recovery()";

    private final FeedSource source;
    private final FeedSettings settings;
    private final BlockingQueue<NotifyEvent> events;
    private final String own = "pgproxy_" + UUID.randomUUID().toString().replace("-", "");
    private final Thread thread;

    private volatile @Nullable Connection connection;
    private volatile boolean open = true;
    private volatile long heard = System.nanoTime();

    private long beats;
    private long sent;
    private double queueUsage;
    private boolean inRecovery;

    NotifyStream(FeedSource source, FeedSettings settings, BlockingQueue<NotifyEvent> events) {
        this.source = source;
        this.settings = settings;
        this.events = events;
        this.thread =
                Thread.ofPlatform().daemon().name("notify " + source.name()).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    @Override
    public long heard() {
        return heard;
    }

    private void run() {
        FeedLoss loss = FeedLoss.transitory("The thread that listens has ended.", "");
        try (Connection listening = source.sql()) {
            connection = listening;
            if (open) {
                loss = listen(listening);
            }
        } catch (SQLException e) {
            loss = FeedLoss.ofListener(e);
        } catch (InterruptedException e) {
            loss = FeedLoss.transitory("The thread that listens was interrupted.", "");
        } catch (RuntimeException | OutOfMemoryError e) {
            loss = FeedLoss.transitory("Listening failed: " + e, "This is a mistake in pgproxy; please report it.");
        } finally {
            // never silently without a listener
            fail(loss);
        }
    }

    /** Returns why it did not begin. */
    private FeedLoss listen(Connection listening) throws SQLException, InterruptedException {
        int patience = (int) settings.patience().toMillis();
        listening.setNetworkTimeout(Runnable::run, patience);
        try (Statement statement = listening.createStatement()) {
            Optional<FeedLoss> refusal = refusal(statement);
            if (refusal.isPresent()) {
                return refusal.get();
            }
            // a server that cannot send to us any more must not keep others' notifications for us
            statement.execute("SET tcp_user_timeout = " + patience);
            statement.execute("SET synchronous_commit = off");
            statement.execute("LISTEN " + CHANNEL + "; LISTEN " + own);
        }
        heard = System.nanoTime();
        events.put(new NotifyEvent.Listening());
        try (PreparedStatement send = listening.prepareStatement(SEND)) {
            follow(listening.unwrap(PGConnection.class), send);
        }
        return FeedLoss.transitory("closed", "");
    }

    private static Optional<FeedLoss> refusal(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery(FACTS)) {
            row.next();
            if (row.getBoolean(1)) {
                return Optional.of(FeedLoss.STANDBY);
            }
            return row.getInt(2) >= LEAST_QUEUE
                    ? Optional.empty()
                    : Optional.of(FeedLoss.refusal(
                            "The server's queue of notifications has " + row.getInt(2) + " pages only.",
                            "Raise max_notify_queue_pages to " + LEAST_QUEUE + " or more, and restart the server."));
        }
    }

    private void follow(PGConnection listening, PreparedStatement send) throws SQLException, InterruptedException {
        long next = System.nanoTime();
        while (open) {
            if (System.nanoTime() - next >= 0) {
                next = System.nanoTime() + BEAT.toNanos();
                beat(send);
            }
            int wait = (int) Math.max(1, TimeUnit.NANOSECONDS.toMillis(next - System.nanoTime()));
            PGNotification[] arrived = listening.getNotifications(wait);
            if (arrived != null && arrived.length > 0) {
                take(arrived);
            }
        }
    }

    private void beat(PreparedStatement send) throws SQLException {
        sent = System.nanoTime();
        send.setString(1, own);
        send.setString(2, Long.toString(++beats));
        try (ResultSet row = send.executeQuery()) {
            row.next();
            queueUsage = row.getDouble(2);
            inRecovery = row.getBoolean(3);
        }
    }

    private void take(PGNotification[] arrived) throws InterruptedException {
        heard = System.nanoTime();
        List<Invalidation> told = new ArrayList<>();
        boolean returned = false;
        for (PGNotification each : arrived) {
            if (each.getName().equals(CHANNEL)) {
                told.add(Invalidation.parse(each.getParameter()));
            } else {
                returned |= each.getParameter().equals(Long.toString(beats));
            }
        }
        if (!told.isEmpty()) {
            events.put(new NotifyEvent.Told(List.copyOf(told)));
        }
        if (returned) {
            events.put(new NotifyEvent.Beat(Duration.ofNanos(heard - sent), queueUsage, inRecovery));
        }
    }

    private void fail(FeedLoss loss) {
        if (!open) {
            return;
        }
        try {
            events.put(new NotifyEvent.Failed(loss));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        open = false;
        thread.interrupt();
        Connection current = connection;
        if (current != null) {
            try {
                // its socket alone: a goodbye might wait for the thread that reads
                current.abort(Runnable::run);
            } catch (SQLException e) {
                // it is gone already
                return;
            }
        }
    }
}
