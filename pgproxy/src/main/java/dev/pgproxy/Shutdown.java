package dev.pgproxy;

import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ClientListener;
import dev.pgproxy.client.ClientServices;
import dev.pgproxy.client.ClientStage;
import dev.pgproxy.console.ShutdownMode;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of the program, at once or as a drain: nobody new is let in, and clients leave (57P01) at the end of their
 * transactions, until none is left or {@code shutdown_timeout} is over. The console stays until the end. Thread-safe.
 */
final class Shutdown {
    private static final Logger LOG = LoggerFactory.getLogger(Shutdown.class);
    private static final long ROUND_MILLIS = 20;
    /** As long a client that has come just before another process took over may stay: it has a first question. */
    private static final long WELCOME_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final ErrorFields GOODBYE = ErrorFields.fatal(
            SqlState.ADMIN_SHUTDOWN,
            "terminating connection due to administrator command",
            "pgproxy is stopping: connect again.");

    private final ClientServices services;
    private final ClientListener listener;
    private final Pools pools;
    private final EventLoop loop;
    private final Runnable close;
    private final AtomicReference<@Nullable ShutdownMode> mode = new AtomicReference<>();
    /** The sockets stay open for another process: who has been accepted here is let in, or he would be refused. */
    private volatile boolean welcoming;

    /**
     * Nothing happens until {@link #begin}.
     *
     * @param loop looks after a drain
     * @param close stops at once
     */
    Shutdown(ClientServices services, ClientListener listener, Pools pools, EventLoop loop, Runnable close) {
        this.services = services;
        this.listener = listener;
        this.pools = pools;
        this.loop = loop;
        this.close = close;
    }

    boolean isUnderWay() {
        return mode.get() != null;
    }

    /** Begins; while a drain is under way only IMMEDIATE changes anything. */
    void begin(ShutdownMode wanted) {
        if (wanted == ShutdownMode.IMMEDIATE) {
            mode.set(wanted);
            LOG.info("{}: stopping now", wanted.command());
            close.run();
        } else if (mode.compareAndSet(null, wanted)) {
            LOG.info("{}: no new clients from now on", wanted.command());
            welcoming = wanted == ShutdownMode.WAIT_FOR_CLIENTS && listener.isKeptOpen();
            listener.close();
            if (!welcoming) {
                services.drain();
            }
            if (wanted == ShutdownMode.WAIT_FOR_SERVERS) {
                pools.stop();
            }
            startRounds(wanted);
        }
    }

    /** A drain, where another process accepts on the same sockets. */
    void handOver() {
        if (mode.compareAndSet(null, ShutdownMode.WAIT_FOR_CLIENTS)) {
            welcoming = true;
            listener.release();
            startRounds(ShutdownMode.WAIT_FOR_CLIENTS);
        }
    }

    private void startRounds(ShutdownMode wanted) {
        long limit = services.config().timeouts().shutdownTimeout().toNanos();
        long start = System.nanoTime();
        loop.execute(() -> round(wanted, start, limit));
    }

    private void round(ShutdownMode wanted, long start, long limit) {
        if (mode.get() == ShutdownMode.IMMEDIATE) {
            return;
        }
        boolean empty = wanted == ShutdownMode.WAIT_FOR_SERVERS
                ? pools.all().stream().allMatch(Pool::hasNoServers)
                : noClients() && !(welcoming && System.nanoTime() - start < WELCOME_NANOS);
        if (empty) {
            LOG.info("drained, stopping");
            close.run();
        } else if (limit > 0 && System.nanoTime() - start > limit) {
            LOG.warn(
                    "shutdown_timeout is over: {} clients are sent away",
                    services.clients().size());
            close.run();
        } else {
            loop.schedule(() -> round(wanted, start, limit), ROUND_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** Sends away those that can go; true if nobody was there. */
    private boolean noClients() {
        boolean none = true;
        for (ClientConnection client : services.clients().all()) {
            if (client.stage() != ClientStage.CONSOLE) {
                none = false;
                if (!isArriving(client)) {
                    client.leaveAtBoundary(GOODBYE);
                }
            }
        }
        return none;
    }

    private boolean isArriving(ClientConnection client) {
        ClientStage stage = client.stage();
        return welcoming
                && (stage == ClientStage.LOGIN
                        || stage == ClientStage.LOGIN_WAITING
                        || System.nanoTime() - client.connectedNanos() < WELCOME_NANOS);
    }
}
