package dev.pgproxy.health.catalog;

import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.routing.catalog.Catalog;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the definitions of one database known: reads them again when they have changed here, and looks on an interval
 * whether they have changed elsewhere. On a thread of its own. Thread-safe.
 */
public final class CatalogKeeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CatalogKeeper.class);

    /** Takes what was read. */
    @FunctionalInterface
    public interface Taker {
        /** These hold if nothing has changed since {@code change}; the same as before if nothing has changed at all. */
        void take(Catalog catalog, RoleDefaults defaults, long change);
    }

    private final ControlConnections connections;
    private final String name;
    private final Duration poll;
    private final LongSupplier changes;
    private final Taker taker;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition woken = lock.newCondition();
    private boolean wake;
    private volatile boolean open = true;
    private boolean complained;

    /**
     * Begins to read.
     *
     * @param name of the database, for people
     * @param changes how often definitions were seen to change here
     */
    public CatalogKeeper(
            ControlConnections connections, String name, Duration poll, LongSupplier changes, Taker taker) {
        this.connections = connections;
        this.name = name;
        this.poll = poll;
        this.changes = changes;
        this.taker = taker;
        this.thread = Thread.ofPlatform().daemon().name("catalog " + name).start(this::run);
    }

    /** Definitions have changed. */
    public void changed() {
        lock.lock();
        try {
            wake = true;
            woken.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        String known = "";
        Catalog catalog = null;
        RoleDefaults defaults = null;
        long knownChange = -1;
        while (open) {
            try (Connection connection = connections.connection()) {
                long change = changes.getAsLong();
                String fingerprint = CatalogLoader.fingerprint(connection);
                if (catalog == null || defaults == null || !fingerprint.equals(known)) {
                    defaults = RoleDefaults.load(connection);
                    catalog = CatalogLoader.load(connection, version(fingerprint));
                    known = fingerprint;
                    taker.take(catalog, defaults, change);
                } else if (change != knownChange) {
                    taker.take(catalog, defaults, change); // what might have changed them has not
                }
                knownChange = change;
                complained = false;
            } catch (SQLException e) {
                complain(e);
            }
            await();
        }
    }

    /** The same for the same definitions, whoever reads them; 64 bits of SHA-256. */
    private static long version(String fingerprint) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(fingerprint.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(hash).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void complain(SQLException e) {
        if (!complained && open) {
            LOG.warn(
                    "the definitions of database {} cannot be read, so its reads stay on the primary: {}",
                    name,
                    e.getMessage());
            complained = true;
        }
    }

    private void await() {
        lock.lock();
        try {
            long left = poll.toNanos();
            while (open && !wake && left > 0) {
                left = woken.awaitNanos(left);
            }
            wake = false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            open = false;
        } finally {
            lock.unlock();
        }
    }

    /** Reads nothing any more; what it is reading counts for changes before this alone. Waits for nobody. */
    public void end() {
        open = false;
        thread.interrupt();
    }

    @Override
    public void close() {
        end();
        connections.close();
    }
}
