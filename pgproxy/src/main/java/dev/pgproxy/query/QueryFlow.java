package dev.pgproxy.query;

import dev.pgproxy.cancel.CancelForwarder;
import dev.pgproxy.config.PoolMode;
import dev.pgproxy.listen.Listeners;
import dev.pgproxy.net.LateFlush;
import dev.pgproxy.pool.LeaseListener;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.server.ReplyQueue;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerState;
import dev.pgproxy.session.PinReason;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The straight path of a client's exchanges: lease, align, send; and when the server is ready again: probe, keep or give
 * back. This is the seam where routing and cache will stand: between {@link #submit} and the lease. One per client,
 * confined to its loop.
 */
public final class QueryFlow implements LeaseListener {
    /** Where an exchange stands that could not be sent at once. */
    private enum Held {
        NO,
        FOR_LEASE,
        FOR_ALIGNMENT,
        FOR_REPLIES
    }

    private final ClientLink link;
    private final Session session;
    private final Pool pool;
    private final FlowSettings settings;
    private final PoolStatements statements;
    private final Cancels cancels;
    private final Relay relay;
    private final StalePlan stalePlan;
    private Exchange exchange = new Exchange();
    private final FlowTimes times;
    private final Notifications notifications;

    private @Nullable ServerConnection server;
    private @Nullable ExchangeWriter writer;
    private Held held = Held.NO;
    private boolean barrier;
    private boolean open;
    private boolean endPending;
    private boolean copying;
    private boolean refused;
    private boolean gone;

    /** A path for one client over one pool. */
    public QueryFlow(
            ClientLink link,
            Session session,
            Pool pool,
            FlowSettings settings,
            CancelForwarder canceller,
            Listeners listeners,
            int loopIndex) {
        this.link = link;
        this.session = session;
        this.pool = pool;
        this.settings = settings;
        this.statements =
                new PoolStatements(session, pool, settings, pool.counters().row(loopIndex));
        this.cancels = new Cancels(canceller);
        this.notifications = new Notifications(this, link, session, pool, listeners);
        this.stalePlan = new StalePlan(session, statements);
        this.relay = new Relay(this, session, notifications, stalePlan, link.channel());
        this.times = new FlowTimes(pool.counters().row(loopIndex));
    }

    /** The exchange being collected. */
    public Exchange exchange() {
        return exchange;
    }

    /** The exchange is whole, or goes on in parts: it is to be sent. */
    public void submit() {
        refused = false;
        if (held == Held.NO) {
            advance();
        }
    }

    /** Bytes that go to the server unseen: COPY data, or the rest of a long message unless that was refused. */
    public void pass(ByteBuf buf, int index, int length) {
        if (server != null && !refused) {
            server.write(buf.retainedSlice(index, length));
            waitForWritable(server);
        }
    }

    private void waitForWritable(ServerConnection leased) {
        if (!leased.channel().isWritable() && !leased.channel().flush().isWritable()) {
            link.pause();
        }
    }

    /** CopyDone or CopyFail; without COPY the server would ignore it, and so do we. */
    public void endCopy(ByteBuf buf, int index, int length) {
        if (server != null && !server.replies().isEmpty()) {
            server.expect(ReplyQueue.COPY_END, null);
            server.write(buf.retainedSlice(index, length));
            copying = false;
            link.copying(false);
        }
    }

    /** What a read of the client brought has been handled. */
    public void readComplete() {
        if (server != null) {
            LateFlush.of(server.channel(), loop());
            if (endPending && !link.isMidFrame()) {
                endPending = false;
                endIfQuiet(server); // the same read may have brought another query
            }
        }
    }

    /** The client takes bytes again. */
    public void clientWritable() {
        relay.resumeServer();
        notifications.idle();
    }

    void serverWritable() {
        if (held == Held.NO) {
            link.resume();
        }
    }

    /** The client has said goodbye: what it sent before is still carried out. */
    public void end() {
        if (exchange.size() > 0 && held == Held.NO) {
            exchange.clear(); // without a Sync it would not have been answered either
        }
        if (copying || held == Held.NO && !isRunning()) {
            link.settled();
        }
    }

    /** The client has gone: nothing of it may stay. */
    public void clientGone() {
        if (gone) {
            return;
        }
        gone = true;
        boolean partial = link.isMidFrame() || cancels.mayStrike();
        exchange.clear();
        stalePlan.forget();
        notifications.close();
        if (held == Held.FOR_LEASE) {
            pool.cancelWait(this);
        }
        ServerConnection leased = server;
        if (leased != null) {
            server = null;
            relay.end();
            ServerCleanup.begin(
                    leased,
                    pool,
                    new ServerCleanup.Leftovers(
                            partial,
                            isOpen(),
                            copying,
                            settings.mode() == PoolMode.SESSION || session.hasStateOnServer(),
                            settings.cleanupTimeout()));
        }
    }

    private void advance() {
        if (exchange.size() == 0 || gone) {
            resumeIfHeld();
            return;
        }
        if (server == null) {
            if (!isOpen() && LocalAnswer.suffices(exchange, settings.mode() != PoolMode.SESSION)) {
                LocalAnswer.give(exchange, session, link.channel());
                exchange.clear();
                resumeIfHeld();
                notifications.idle();
                return;
            }
            times.waiting();
            ServerConnection granted = pool.acquire(this);
            if (granted == null) {
                hold(Held.FOR_LEASE);
                return;
            }
            lease(granted, true);
        }
        dispatch();
    }

    private void lease(ServerConnection granted, boolean atOnce) {
        server = granted;
        times.leased(atOnce);
        if (writer == null || writer.server() != granted) {
            writer = new ExchangeWriter(session, statements, settings.mode() != PoolMode.SESSION, granted);
        } else {
            writer.begin();
        }
        relay.begin(granted);
        notifications.leased(granted, settings.mode());
    }

    private void dispatch() {
        ServerConnection leased = Objects.requireNonNull(server);
        boolean ends = settings.refuses(exchange);
        if (ends && (isOpen() || leased.replies().isEmpty())) {
            link.end(FlowSettings.NO_TRANSACTION_BLOCKS);
            return;
        }
        // in the middle of an extended exchange there is no ReadyForQuery to wait for, nor a place for our own queries
        if (!isOpen()
                && (ends
                        || barrier && !leased.replies().isEmpty()
                        || giveWay(leased)
                        || stalePlan.isPending()
                        || notifications.delay(exchange, leased, this::goOn))) {
            hold(Held.FOR_REPLIES);
            return;
        }
        if (!isOpen() && Aligner.begin(exchange, session, leased, settings.mode(), error -> aligned(leased, error))) {
            hold(Held.FOR_ALIGNMENT);
            return;
        }
        send(leased);
    }

    /** A pipeline of transactions lets others in between when they wait. */
    private boolean giveWay(ServerConnection leased) {
        return pool.hasWaiting()
                && leased.status() == TransactionStatus.IDLE
                && leased.replies().boundaries() > 0;
    }

    private void send(ServerConnection leased) {
        if (leased.reported() != session.reported()) {
            relay.tellReported(leased.reported());
        }
        times.sent();
        Exchange whole = exchange;
        exchange = stalePlan.keep(whole, leased);
        barrier |= Objects.requireNonNull(writer).write(whole, 0);
        open = !whole.isEnded();
        exchange.clear();
        if (!link.isReading()) {
            LateFlush.of(leased.channel(), loop());
        }
        resumeIfHeld();
        waitForWritable(leased);
    }

    /** What failed for a reason that the client need not know is sent again. */
    void repeat() {
        stalePlan.repeat(writer);
        Objects.requireNonNull(server).channel().flush();
    }

    /** Whether the server waits for a Sync. */
    private boolean isOpen() {
        return open || server != null && server.replies().isIgnoring();
    }

    private void hold(Held why) {
        held = why;
        times.held();
        link.pause();
    }

    private void resumeIfHeld() {
        if (held != Held.NO) {
            held = Held.NO;
            link.resume();
        }
    }

    private void aligned(ServerConnection leased, @Nullable ErrorFields error) {
        if (gone || server != leased) {
            return;
        }
        held = Held.NO;
        if (error == null) {
            send(leased);
            link.resume();
            return;
        }
        session.ready(leased.status());
        if (leased.status() == TransactionStatus.IDLE) {
            server = null;
            relay.end();
            leased.abandon("could not be aligned");
        }
        refuse(error);
    }

    /** Answers the exchange with an error of ours. */
    private void refuse(ErrorFields error) {
        boolean ended = exchange.isEnded();
        refused = true;
        exchange.clear();
        if (!ended) {
            link.skipToSync();
        }
        LocalAnswer.refuse(error, ended, session, link.channel());
        held = Held.NO;
        link.resume();
        notifications.idle();
    }

    @Override
    public EventLoop loop() {
        return link.channel().eventLoop();
    }

    @Override
    public Settings wantedSettings() {
        return session.settings().get();
    }

    @Override
    public Set<String> customSettings() {
        return session.customSettings();
    }

    @Override
    public void granted(ServerConnection leased) {
        if (gone || held != Held.FOR_LEASE) { // canceled when the server was on its way
            pool.release(leased);
            return;
        }
        lease(leased, false);
        held = Held.FOR_REPLIES;
        goOn();
    }

    @Override
    public void refused(ErrorFields error) {
        if (!gone) {
            held = Held.NO;
            link.end(error);
        }
    }

    void copyIn() {
        copying = true;
        link.copying(true);
    }

    void completed(StatementFacts statement) {
        pool.catalog().completed(statement);
    }

    void ready(byte status) {
        ServerConnection leased = Objects.requireNonNull(server);
        if (copying) {
            copying = false;
            link.copying(false);
        }
        boolean quiet = leased.replies().isEmpty();
        times.ready(status, quiet);
        barrier &= !quiet;
        if (status == TransactionStatus.IDLE && quiet && !isOpen()) {
            transactionEnded();
        } else {
            goOn();
        }
    }

    private void goOn() {
        if (held == Held.FOR_REPLIES) {
            held = Held.NO;
            advance();
            if (held == Held.NO) {
                link.resume();
            }
        }
        if (held == Held.NO && !isRunning()) {
            link.settled();
            notifications.idle(); // what came while a probe ran
        }
    }

    private void transactionEnded() {
        ServerConnection leased = Objects.requireNonNull(server);
        if (link.isMidFrame()) {
            endPending = true;
            return;
        }
        if (settings.mode() == PoolMode.SESSION) {
            goOn();
            return;
        }
        if (cancels.mayStrike()) {
            cancels.settle(leased, () -> endIfQuiet(leased));
            goOn();
            return;
        }
        if (session.isSuspected() && !session.pins().containsKey(PinReason.MIXED_PIPELINE)) {
            StateProbe.ask(session, leased, pool.catalog(), () -> endIfQuiet(leased));
            goOn();
            return;
        }
        if (session.pins().isEmpty()) {
            server = null;
            relay.end();
            leased.detach(ServerState.TESTED);
            pool.release(leased);
        }
        goOn();
    }

    private void endIfQuiet(ServerConnection leased) {
        boolean idle = server == leased && leased.isUsable() && leased.status() == TransactionStatus.IDLE;
        if (!gone && idle && !isRunning() && !isOpen()) {
            transactionEnded();
        }
    }

    /** The client asks to cancel what it is doing; {@code done} runs when the server has been told. */
    public void cancel(Duration timeout, Runnable done) {
        ServerConnection leased = server;
        if (held == Held.FOR_LEASE && !gone) {
            pool.cancelWait(this);
            refuse(ErrorFields.error(SqlState.QUERY_CANCELED, "canceling statement due to user request"));
            done.run();
        } else if (leased != null && !gone && !leased.replies().isEmpty()) {
            cancels.send(leased, timeout, () -> {
                done.run();
                endIfQuiet(leased);
            });
        } else {
            done.run();
        }
    }

    void lost(@Nullable ErrorFields error) {
        server = null;
        stalePlan.forget();
        if (!gone) {
            link.end(error);
        }
    }

    /** Replies may have ended without ReadyForQuery: before a Flush, or after an error before a Sync. */
    void burstEnd() {
        if (held == Held.FOR_REPLIES && server != null && server.replies().isEmpty()) {
            barrier = false;
            goOn();
        }
    }

    /** The server that is leased now. */
    public @Nullable ServerConnection server() {
        return server;
    }

    /** Whether it waits for a server. */
    public boolean isWaiting() {
        return held == Held.FOR_LEASE;
    }

    /** Whether a query is running. */
    public boolean isRunning() {
        return server != null && (!server.replies().isEmpty() || notifications.isBusy());
    }

    /** Whether a transaction is open. */
    public boolean isInTransaction() {
        return server != null && session.status() != TransactionStatus.IDLE;
    }

    /** When what happened. */
    public FlowTimes times() {
        return times;
    }

    /** Whether the client can be sent away without loss: nothing runs, nothing is open. */
    public boolean isAtBoundary() {
        return held == Held.NO
                && exchange.size() == 0
                && (server == null || session.status() == TransactionStatus.IDLE && !isRunning() && !isOpen());
    }
}
