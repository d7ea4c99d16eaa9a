package dev.pgproxy.cache.feed;

import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyDual;

/**
 * One temporary slot and the stream of its changes, read by a thread of its own that tells a queue and waits when that is
 * full. Speaks the streaming replication protocol over pgjdbc's CopyDual, as its PGReplicationStream hides what matters
 * here: that a keepalive came, and when each message was sent. Messages (manual, Streaming Replication Protocol):
 *
 * <pre>
 *   XLogData           'w' int64 position, int64 end of WAL, int64 sent, text of test_decoding
 *   Primary keepalive  'k' int64 position, int64 sent, int8 whether an answer is wanted at once
 *   Standby status     'r' int64 written, int64 flushed, int64 applied, int64 sent, int8 answer wanted
 * </pre>
 *
 * Times are microseconds since 2000. The server is told (wal_sender_timeout) to ask for an answer after half the patience,
 * so silence for all of it means that the stream is dead. pgjdbc hands each message over whole: the largest row that is
 * written must fit in memory for a moment.
 *
 * <p>The slot is temporary: it goes with the connection, whoever ends that. It may be freed up to where all commits were
 * handed over, and that is said once a second, and whenever the server asks: it tells positions while only other databases
 * are written to, too. {@link #position}, {@link #heard} and {@link #close} may be called by any thread.
 */
final class FeedStream implements FeedConnection {
    private static final int TEXT = 25;
    private static final int SENT = 17;
    private static final int KEEPALIVE_SENT = 9;
    private static final int KEEPALIVE_WANTS_ANSWER = 17;
    private static final int STATUS_LENGTH = 34;
    private static final long STATUS_NANOS = Duration.ofSeconds(1).toNanos();

    /** From 1970 to 2000, in microseconds. */
    private static final long EPOCH = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.parse("2000-01-01T00:00:00Z"));

    private final FeedSource source;
    private final FeedSettings settings;
    private final FeedFacts facts;
    private final ChangeText text;
    private final ServerClock clock;
    private final BlockingQueue<FeedEvent> events;
    private final String slot = "pgproxy_" + UUID.randomUUID().toString().replace("-", "");
    private final Thread thread;

    private FeedLoss.Step step = FeedLoss.Step.CONNECT;
    private volatile @Nullable Connection connection;
    private volatile boolean open = true;
    private volatile long position;
    private volatile long heard = System.nanoTime();
    private long answered = System.nanoTime();

    FeedStream(
            FeedSource source,
            FeedSettings settings,
            FeedFacts facts,
            ServerClock clock,
            BlockingQueue<FeedEvent> events) {
        this.source = source;
        this.settings = settings;
        this.facts = facts;
        this.text = new ChangeText(facts.charset(), settings.maxTables());
        this.clock = clock;
        this.events = events;
        this.thread =
                Thread.ofPlatform().daemon().name("changes " + source.name()).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    String slot() {
        return slot;
    }

    /** Up to here in WAL, everything has been handed over. */
    long position() {
        return position;
    }

    @Override
    public long heard() {
        return heard;
    }

    private void run() {
        SQLException cause = new SQLException("its thread has ended");
        try {
            read();
            cause = new SQLException("the server has ended it");
        } catch (SQLException e) {
            cause = e;
        } catch (InterruptedException e) {
            cause = new SQLException("its thread was interrupted", e);
        } catch (RuntimeException | OutOfMemoryError e) {
            // a row too large, or a mistake of ours
            cause = new SQLException(e.toString(), e);
        } finally {
            // never silently without a stream
            fail(cause);
        }
    }

    private void read() throws SQLException, InterruptedException {
        try (Connection replication = source.replication()) {
            connection = replication;
            if (!open) {
                return;
            }
            step = FeedLoss.Step.SLOT;
            PGConnection pg = replication.unwrap(PGConnection.class);
            prepare(replication);
            pg.getReplicationAPI()
                    .createReplicationSlot()
                    .logical()
                    .withSlotName(slot)
                    .withOutputPlugin("test_decoding")
                    .withTemporaryOption()
                    .make();
            replication.setNetworkTimeout(
                    Runnable::run, (int) settings.patience().toMillis());
            CopyDual copy = pg.getCopyAPI()
                    .copyDual("START_REPLICATION SLOT " + slot + " LOGICAL 0/0 (\"skip-empty-xacts\" 'on',"
                            + " \"include-xids\" 'on', \"include-timestamp\" 'on')");
            step = FeedLoss.Step.STREAM;
            heard = System.nanoTime();
            events.put(new FeedEvent.Began());
            follow(copy);
        }
    }

    /** Waiting for a slot may take as long as other transactions: no limit applies until the stream begins. */
    private void prepare(Connection replication) throws SQLException {
        replication.setNetworkTimeout(Runnable::run, 0);
        try (Statement statement = replication.createStatement()) {
            statement.execute("SET lock_timeout = 0");
            statement.execute("SET TimeZone = 'UTC'");
            // not the name of a synchronous standby
            statement.execute("SET application_name = '" + slot + "'");
            statement.execute("SET wal_sender_timeout = " + settings.patience().toMillis());
            try (ResultSet row = statement.executeQuery(FeedFacts.INCARNATION)) {
                // transactions of one cannot be looked for in snapshots of another
                if (!row.next() || !facts.incarnation().equals(row.getString(1))) {
                    throw new SQLException("the connections lead to different servers");
                }
            }
        }
    }

    private void follow(CopyDual copy) throws SQLException, InterruptedException {
        byte[] message = copy.readFromCopy(true);
        while (message != null) {
            heard = System.nanoTime();
            ByteBuffer fields = ByteBuffer.wrap(message);
            boolean wantsAnswer = false;
            switch (message[0]) {
                case 'w' -> take(message, fields);
                case 'k' -> {
                    heard(fields.getLong(KEEPALIVE_SENT));
                    // all that committed before it was sent before this
                    position = Math.max(position, fields.getLong(1));
                    wantsAnswer = fields.get(KEEPALIVE_WANTS_ANSWER) != 0;
                }
                default -> throw new SQLException("replication message of unknown type " + message[0], "08P01");
            }
            if (wantsAnswer || System.nanoTime() - answered > STATUS_NANOS) {
                answer(copy);
            }
            message = copy.readFromCopy(true);
        }
    }

    private void take(byte[] message, ByteBuffer fields) throws InterruptedException {
        Written written = text.accept(message, TEXT);
        if (written != null) {
            heard(fields.getLong(SENT));
            events.put(new FeedEvent.Committed(written));
            position = Math.max(position, fields.getLong(1));
        }
    }

    private void heard(long sent) {
        clock.heard(sent + EPOCH, microseconds());
    }

    static long microseconds() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }

    private void answer(CopyDual copy) throws SQLException {
        byte[] status = ByteBuffer.allocate(STATUS_LENGTH)
                .put((byte) 'r')
                .putLong(position)
                .putLong(position)
                .putLong(position)
                .putLong(microseconds() - EPOCH)
                .put((byte) 0)
                .array();
        copy.writeToCopy(status, 0, status.length);
        copy.flushCopy();
        answered = System.nanoTime();
    }

    private void fail(SQLException cause) {
        if (!open) {
            return;
        }
        try {
            events.put(new FeedEvent.Failed(step, cause));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the connection, and with it the slot. */
    @Override
    public void close() {
        open = false;
        thread.interrupt();
        Connection current = connection;
        if (current != null) {
            try {
                current.close();
            } catch (SQLException e) {
                // it is gone already
                return;
            }
        }
    }
}
