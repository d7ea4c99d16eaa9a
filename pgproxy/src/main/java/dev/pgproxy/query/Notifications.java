package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.listen.Listeners;
import dev.pgproxy.listen.Notification;
import dev.pgproxy.listen.SharedListener;
import dev.pgproxy.listen.Subscriber;
import dev.pgproxy.listen.Wanted;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.ArrayDeque;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a client hears, and when: between its transactions, its own before the ReadyForQuery of their COMMIT. A change of
 * its channels holds back that ReadyForQuery until the shared listener has confirmed it. One per client. Confined to the
 * client's loop, but for what the listener calls.
 */
final class Notifications implements Subscriber {
    /** Bytes that may wait for a client, in memory of ours. */
    static final int MAX_WAITING = 4 << 20;

    private final QueryFlow flow;
    private final ClientLink link;
    private final Session session;
    private final Pool pool;
    private final Listeners listeners;
    private final AtomicInteger waitingBytes = new AtomicInteger();
    private final ArrayDeque<Notification> waiting = new ArrayDeque<>(0);

    private @Nullable SharedListener listener;
    private Wanted wanted = Wanted.NOTHING;
    private @Nullable Runnable confirmed;
    private boolean withheld;
    private boolean inBlock;
    private long point;
    private @Nullable ChannelMove move;

    Notifications(QueryFlow flow, ClientLink link, Session session, Pool pool, Listeners listeners) {
        this.flow = flow;
        this.link = link;
        this.session = session;
        this.pool = pool;
        this.listeners = listeners;
    }

    // ---- before an exchange is sent

    /** Whether the listener is being asked: a ReadyForQuery or an exchange is held back. */
    boolean isBusy() {
        return confirmed != null || move != null;
    }

    /**
     * True if the exchange cannot be sent yet; then {@code then} runs, or a ReadyForQuery comes. A client that listens has
     * one ReadyForQuery to come at most, because its own notifications belong before it.
     */
    boolean delay(Exchange exchange, ServerConnection server, Runnable then) {
        return isBusy() || listener != null && server.replies().boundaries() > 0 || prepare(exchange, server, then);
    }

    /** In session mode all that comes through this server from now on is this client's, whatever sends it. */
    void leased(ServerConnection server, PoolMode mode) {
        if (mode == PoolMode.SESSION) {
            notifies(server);
        }
    }

    private void notifies(ServerConnection server) {
        listeners.notifiers().notifies(server.identity(), link.processId());
    }

    private boolean prepare(Exchange exchange, ServerConnection server, Runnable then) {
        SharedListener shared = listener;
        int holding = server.identity().processId();
        if (shared == null) {
            if (exchange.has(StatementFlags.NOTIFIES)) {
                notifies(server);
            }
            return false;
        }
        if (exchange.has(StatementFlags.MENTIONS_CHANNELS)
                && server.status() == TransactionStatus.IDLE
                && !wanted.channels().isEmpty()) {
            move = new ChannelMove(this, shared.pointChannel(), session, server, then);
            move.begin();
            return true;
        }
        if (wanted.holding() != holding && exchange.mayNotify(session)) {
            notifies(server);
            ask(new Wanted(wanted.channels(), wanted.tentative(), holding), then);
            return true;
        }
        return false;
    }

    void ask(Wanted now, Runnable then) {
        SharedListener shared = listener;
        if (shared == null) {
            shared = listeners.of(pool, link.channel().eventLoop());
            if (shared == null) {
                link.end(ErrorFields.fatal(
                        SqlState.INVALID_CATALOG_NAME,
                        "could not listen for notifications: database \"" + session.database() + "\" does not exist"));
                return;
            }
            listener = shared;
        }
        wanted = now;
        confirmed = then;
        shared.change(this, now, pool);
    }

    // ---- when a server is ready

    /** Whether ReadyForQuery is not to be forwarded as it comes: {@link #settle} sends it. So it is if {@code asked}. */
    boolean withholds(byte status, ServerConnection server, boolean asked) {
        withheld = asked
                || status == TransactionStatus.IDLE && !waiting.isEmpty()
                || listener == null
                        && (!session.channels().committed().isEmpty()
                                || !session.channels().get().isEmpty())
                || listener != null && !next(status, server).equals(wanted);
        return withheld;
    }

    /** ReadyForQuery has come; true if it was forwarded, else {@link #settle} is to be called. */
    boolean forwarded(byte status) {
        if (!withheld) {
            inBlock = status != TransactionStatus.IDLE;
        }
        return !withheld;
    }

    /** Runs {@code then} when ReadyForQuery is with the client. */
    void settle(byte status, ServerConnection server, Runnable then) {
        withheld = false;
        Wanted next = next(status, server);
        if (next.equals(wanted)) {
            release(status, then);
        } else {
            ask(next, () -> release(status, then));
        }
    }

    private void release(byte status, Runnable then) {
        if (status == TransactionStatus.IDLE) {
            write(true);
        }
        inBlock = status != TransactionStatus.IDLE;
        ByteBuf out = link.channel().alloc().buffer(6);
        BackendWriter.readyForQuery(out, status);
        link.channel().writeAndFlush(out);
        then.run();
    }

    /** ReadyForQuery of a transaction that is on no server is about to be told: what waits for its end comes before it. */
    void local(byte status, ByteBuf out) {
        if (status == TransactionStatus.IDLE) {
            take(true, notification -> notification.write(out));
        }
        inBlock = status != TransactionStatus.IDLE;
    }

    private Wanted next(byte status, ServerConnection server) {
        Set<String> committed = session.channels().committed();
        if (status == TransactionStatus.IDLE) {
            return committed.isEmpty() ? Wanted.NOTHING : new Wanted(committed, Set.of(), 0);
        }
        Set<String> current = session.channels().get();
        if (current.equals(committed) || wanted.tentative().containsAll(current)) {
            return new Wanted(committed, wanted.tentative(), wanted.holding());
        }
        return new Wanted(committed, current, server.identity().processId());
    }

    /**
     * Writes what waits, all of it or what the client takes now. What came inside a transaction block that ended the
     * listening is not heard, as PostgreSQL looks only afterwards.
     */
    void write(boolean all) {
        take(all, this::write);
    }

    private void take(boolean all, Consumer<Notification> heard) {
        Channel to = link.channel();
        Set<String> channels = session.channels().committed();
        while (!waiting.isEmpty() && (all || to.isWritable())) {
            Notification next = waiting.removeFirst();
            waitingBytes.addAndGet(-next.size());
            if (!inBlock || channels.contains(next.channel())) {
                heard.accept(next);
            }
        }
    }

    void write(Notification notification) {
        ByteBuf out = link.channel().alloc().buffer(notification.size());
        notification.write(out);
        link.channel().write(out, link.channel().voidPromise());
    }

    /** Nothing is going on between client and server, or no longer: writes and flushes what the client takes. */
    void idle() {
        if (!waiting.isEmpty() && flow.isAtBoundary()) {
            write(false);
            link.channel().flush();
        }
    }

    // ---- from the leased server, where the session listens itself

    void heard(Notification notification, ServerConnection server) {
        int own = server.identity().processId();
        int self = link.processId();
        int from = notification.processId();
        if (from == own) {
            from = self;
        } else {
            from = listeners.notifiers().shown(server.identity().host(), from, self);
        }
        Notification shown = notification.from(from);
        if (move != null) {
            move.heard(shown);
        } else {
            write(shown);
        }
    }

    /** The channels have moved to the leased server. */
    void moved() {
        move = null;
        listener = null;
    }

    long point() {
        return point;
    }

    void end(ErrorFields error) {
        link.end(error);
    }

    /** The client is gone. */
    void close() {
        move = null;
        confirmed = null;
        waiting.clear();
        if (listener != null) {
            listener.leave(this);
        }
    }

    // ---- Subscriber, on the listener's loop

    @Override
    public int processId() {
        return link.processId();
    }

    @Override
    public boolean offer(Notification notification) {
        if (waitingBytes.addAndGet(notification.size()) > MAX_WAITING) {
            return false;
        }
        link.channel().eventLoop().execute(() -> {
            waiting.addLast(notification);
            idle();
        });
        return true;
    }

    @Override
    public void confirmed(long at) {
        link.channel().eventLoop().execute(() -> {
            Runnable then = confirmed;
            confirmed = null;
            point = at;
            if (wanted.equals(Wanted.NOTHING) && move == null) {
                listener = null;
            }
            if (then != null) {
                then.run();
            }
        });
    }

    @Override
    public void lost(ErrorFields error) {
        link.channel().eventLoop().execute(() -> {
            listener = null;
            link.end(error);
        });
    }
}
