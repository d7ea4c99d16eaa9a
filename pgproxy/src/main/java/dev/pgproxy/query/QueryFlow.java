package dev.pgproxy.query;

import dev.pgproxy.cancel.CancelForwarder;
import dev.pgproxy.listen.Listeners;
import dev.pgproxy.net.LateFlush;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The straight path of a client's exchanges: junction, lease, align, announce, send; and when the server is ready again:
 * probe, keep or give back. One per client, confined to its loop.
 */
public final class QueryFlow {
    private final ClientLink link;
    private final Session session;
    private final FlowSettings settings;
    private final Boundary boundary;
    private final Relay relay;
    private final Rerun rerun;
    private final Lease lease;
    private final LeaseRequest request;
    private final Trial trial;
    private final FlowTimes times;
    private final Notifications notifications;
    private final @Nullable Routing routing;
    private final Junction junction;
    private final Announcement announcement;

    private final Runnable goOn = this::goOn;
    private final BiConsumer<ServerConnection, @Nullable ErrorFields> aligned = this::aligned;
    private final Behind behind = new Behind();
    private Exchange exchange = new Exchange();
    private Held held = Held.NO;
    private boolean refused;
    private boolean gone;

    /**
     * A path for one client over one pool.
     *
     * @param routing knows replicas; null if the database is none of the configuration any more
     * @param restraints what clients may not run, or not at will
     */
    public QueryFlow(
            ClientLink link,
            PoolStatements statements,
            FlowSettings settings,
            CancelForwarder canceller,
            Listeners listeners,
            @Nullable Routing routing,
            Restraints restraints) {
        this.link = link;
        this.session = statements.session();
        this.settings = settings;
        this.notifications = new Notifications(this, link, session, statements.pool(), listeners);
        this.rerun = new Rerun(session, statements, link.channel(), routing);
        this.lease = new Lease(link, session, statements, settings);
        this.request = new LeaseRequest(this, link, statements, lease, routing);
        this.trial = new Trial(session, link.channel());
        this.routing = routing;
        Runnable again = () -> again(Held.FOR_READING);
        Cancels cancels = new Cancels(canceller);
        RuleGate gate = new RuleGate(this, restraints, session, lease, notifications, cancels, link);
        this.junction = new Junction(statements, lease, link, notifications, routing, gate, again);
        this.announcement = new Announcement(routing, link.channel().eventLoop(), this::announced);
        this.relay = new Relay(this, session, notifications, rerun, trial, lease, link.channel());
        this.boundary = new Boundary(this, statements, settings, lease, relay, cancels, link);
        this.times = new FlowTimes(statements);
    }

    /** The exchange being collected. */
    public Exchange exchange() {
        return exchange;
    }

    /** The exchange is whole, or goes on in parts: it is to be sent. */
    public void submit() {
        refused = false;
        junction.next();
        if (held == Held.NO) {
            times.next();
            advance();
        }
    }

    /** Bytes that go to the server unseen: COPY data, or the rest of a long message unless that was refused. */
    public void pass(ByteBuf buf, int index, int length) {
        if (lease.server() != null && !refused && !junction.gate().dropsRest()) {
            lease.pass(buf, index, length);
        }
    }

    /** CopyDone or CopyFail. */
    public void endCopy(ByteBuf buf, int index, int length) {
        lease.endCopy(buf, index, length);
    }

    /** What a read of the client brought has been handled. */
    public void readComplete() {
        ServerConnection server = lease.server();
        if (server != null) {
            LateFlush.of(server.channel(), link.channel().eventLoop());
            boundary.readComplete();
        }
    }

    /** The client takes bytes again. */
    public void clientWritable() {
        relay.resumeServer();
        again(Held.FOR_CLIENT);
        notifications.idle();
    }

    /** The client has said goodbye: what it sent before is still carried out. */
    public void end() {
        if (exchange.size() > 0 && held == Held.NO) {
            exchange.clear(); // without a Sync it would not have been answered either
        }
        if (lease.isCopying() || held == Held.NO && !isRunning()) {
            link.settled();
        }
    }

    /** The client has gone: nothing of it may stay. */
    public void clientGone() {
        if (gone) {
            return;
        }
        gone = true;
        boolean partial = link.isMidFrame() || boundary.mayStrike();
        exchange.clear();
        rerun.forget();
        notifications.close();
        request.cancel();
        junction.gate().end();
        trial.close();
        relay.unrecorded();
        OpenWrites open = routing == null ? null : routing.close(lease.server());
        if (lease.server() != null) {
            relay.end();
            lease.cleanUp(partial, open);
        }
    }

    private void advance() {
        if (exchange.size() == 0 || gone) {
            resumeIfHeld();
            return;
        }
        switch (junction.turn(exchange, times)) {
            case LEASED -> dispatch();
            case SERVER -> acquire();
            case ANSWERED -> answered();
            case AWAITS_CLIENT -> hold(Held.FOR_CLIENT);
            case AWAITS_READING -> hold(Held.FOR_READING);
            case AWAITS_REPLIES -> hold(Held.FOR_REPLIES);
            case REFUSED -> refuse(junction.refusal());
        }
    }

    /** Nothing of the exchange is for a server. */
    private void answered() {
        resumeIfHeld();
        notifications.idle();
    }

    private void again(Held heldBack) {
        if (held == heldBack) {
            held = Held.FOR_REPLIES;
            goOn();
        }
    }

    private void acquire() {
        times.waiting();
        if (request.acquire()) {
            dispatch();
        } else {
            hold(Held.FOR_LEASE);
        }
    }

    /** A server is the client's from now on. */
    void begin(ServerConnection granted, boolean atOnce) {
        times.leased(granted, atOnce);
        relay.begin(granted);
        notifications.leased(granted, settings.mode());
    }

    /** The server that was waited for is there. */
    void leased() {
        held = Held.FOR_REPLIES;
        goOn();
    }

    private void dispatch() {
        ServerConnection leased = lease.leased();
        boolean ends = settings.refuses(exchange);
        ErrorFields end = StatementAlignment.outOfPlace(exchange, session, lease, settings.mode());
        end = ends && (lease.isOpen() || leased.replies().isEmpty()) ? FlowSettings.NO_TRANSACTION_BLOCKS : end;
        if (end != null) {
            link.end(end);
            return;
        }
        // in the middle of an extended exchange there is no ReadyForQuery to wait for, nor a place for our own queries
        if (!lease.isOpen()
                && (ends
                        || trial.isRunning()
                        || lease.isSpent()
                        || lease.isBarred(exchange)
                        || lease.givesWay()
                        || rerun.isPending()
                        || announcement.waits(leased)
                        || notifications.delay(exchange, leased, goOn))) {
            hold(Held.FOR_REPLIES);
            return;
        }
        if (!lease.isOpen() && aligns()) {
            hold(Held.FOR_ALIGNMENT);
            return;
        }
        announce(leased);
    }

    /** Sends it once the other instances know what it may write. */
    private void announce(ServerConnection leased) {
        if (isTrial() || !lease.isOnPrimary() || announcement.isKnown(exchange, leased)) {
            send(leased);
        } else {
            hold(Held.FOR_OTHERS);
        }
    }

    private void announced(ServerConnection leased) {
        if (held == Held.FOR_OTHERS && !gone && lease.server() == leased && leased.isUsable()) {
            held = Held.NO;
            send(leased);
            resumeUnlessHeld();
        }
    }

    /** The client is read again, unless it has to wait for something. */
    void resumeUnlessHeld() {
        if (held == Held.NO) {
            link.resume();
        }
    }

    private boolean aligns() {
        String begin =
                routing == null || isTrial() ? null : routing.transaction().materialize();
        return Aligner.begin(exchange, session, lease, settings.mode(), begin, aligned);
    }

    /** Whether the exchange goes to a replica that may fail to answer it. */
    private boolean isTrial() {
        return routing != null && routing.isTrial();
    }

    private void send(ServerConnection leased) {
        if (leased.reported() != session.reported()) {
            relay.tellReported(leased.reported());
        }
        times.sent();
        Exchange whole = exchange;
        exchange = routing != null && routing.isTrial()
                ? trial.keep(whole, routing.refusesRetry())
                : rerun.keep(whole, lease);
        lease.write(whole, 0);
        junction.sent(whole);
        exchange.clear();
        if (!link.isReading()) {
            LateFlush.of(leased.channel(), link.channel().eventLoop());
        }
        exchange = behind.orElse(exchange);
        if (behind.takeComplete()) {
            hold(Held.FOR_REPLIES);
        } else {
            resumeIfHeld();
        }
        lease.waitForWritable();
    }

    /** The replica has failed to answer, and is idle or lost: the primary is asked. */
    void retry() {
        if (lease.server() != null) {
            relay.end();
            lease.giveBack(boundary.mayStrike());
        }
        request.leaveReplica(trial.reason());
        ask(trial.retry(new Exchange()));
    }

    /** The primary is lost before the first row of a read: whichever host is the primary then is asked. */
    void lostRead(boolean crashed) {
        ServerConnection leased = lease.leased();
        lease.end();
        if (routing != null) {
            routing.lost(leased, crashed);
        }
        ask(rerun.retry(new Exchange()));
    }

    private void ask(Exchange again) {
        relay.recordAgain();
        behind.keep(exchange, held == Held.FOR_REPLIES);
        exchange = again;
        if (held == Held.NO) {
            hold(Held.FOR_REPLIES);
        }
        acquire();
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
        if (gone || lease.server() != leased || !leased.isUsable()) {
            return; // a server that is lost says so next, by lost()
        }
        if (error == null) {
            held = Held.NO;
            announce(leased);
            resumeUnlessHeld();
            return;
        }
        boolean stillLocal = routing != null && routing.takesBack();
        if (stillLocal || leased.status() == TransactionStatus.IDLE) {
            relay.end();
            lease.giveBack(stillLocal || error != StatementCheck.CHANGED || boundary.mayStrike());
            if (isTrial()) { // what it lacks may not have been replayed yet
                request.leaveReplica(error.code());
                acquire();
                return;
            }
        }
        if (routing == null || !routing.transaction().isOpen()) {
            session.ready(leased.status());
        }
        refuse(error);
    }

    /** Answers the exchange with an error of ours. */
    private void refuse(ErrorFields error) {
        refused = true;
        junction.gate().end();
        relay.refused(exchange, error);
        if (routing != null && routing.transaction().isOpen()) {
            session.ready(TransactionStatus.FAILED);
        }
        LocalAnswer.refuse(exchange, error, session, link);
        exchange = behind.orElse(exchange);
        held = behind.takeComplete() ? Held.FOR_REPLIES : Held.NO;
        if (held == Held.NO) {
            link.resume();
            notifications.idle();
        } else {
            goOn();
        }
    }

    /** ReadyForQuery is about to be told: what was written is known to be. */
    void outcome(byte status) {
        if (routing != null) {
            routing.outcome(status, lease.leased().replies().isEmpty(), lease.isOnPrimary(), link);
        }
    }

    /** Where its exchanges turn off. */
    Junction junction() {
        return junction;
    }

    void ready(byte status) {
        boolean quiet = lease.leased().replies().isEmpty();
        lease.copying(false);
        times.ready(status, quiet);
        lease.answered();
        junction.gate().ready(status, quiet);
        if (status == TransactionStatus.IDLE && quiet && !lease.isOpen()) {
            boundary.reached();
        } else {
            goOn();
        }
    }

    void goOn() {
        if (held == Held.FOR_REPLIES) {
            held = Held.NO;
            advance();
            resumeUnlessHeld();
        }
        if (held == Held.NO && !isRunning()) {
            link.settled();
            notifications.idle(); // what came while a probe ran
        }
    }

    /** The client asks to cancel what it is doing; {@code done} runs when the server has been told. */
    public void cancel(Duration timeout, Runnable done) {
        boolean waits = held == Held.FOR_LEASE || held == Held.FOR_READING || held == Held.FOR_CLIENT;
        if (waits && !gone) {
            request.cancel();
            refuse(ErrorFields.error(SqlState.QUERY_CANCELED, "canceling statement due to user request"));
            done.run();
        } else if (!gone && lease.isBusy()) {
            boundary.cancel(timeout, done);
        } else {
            relay.giveUp();
            done.run();
        }
    }

    /** The server is lost. */
    void lost(@Nullable ErrorFields error) {
        ServerConnection leased = lease.leased();
        lease.end();
        relay.unrecorded();
        rerun.forget();
        if (!gone && held == Held.FOR_ALIGNMENT && isTrial()) {
            request.leaveReplica("08006");
            acquire();
            return;
        }
        boolean unknown = routing != null && routing.lost(leased, error != null) && error != null;
        ErrorFields told = unknown ? Routing.OUTCOME_UNKNOWN : error;
        times.lost(told);
        if (!gone) {
            link.end(told);
        }
    }

    /** The replica is lost before its first row: the primary is asked. */
    void lostReplica() {
        lease.end();
        retry();
    }

    /** Replies may have ended without ReadyForQuery: before a Flush, or after an error before a Sync. */
    void burstEnd() {
        if (held == Held.FOR_REPLIES && lease.server() != null && !lease.isBusy() && !trial.isRunning()) {
            lease.answered();
            goOn();
        }
    }

    /** The server that is leased now. */
    public @Nullable ServerConnection server() {
        return lease.server();
    }

    /** Whether it waits for a server. */
    public boolean isWaiting() {
        return held == Held.FOR_LEASE;
    }

    /** Whether what is held is to be sent to the server that is leased, and by nobody else. */
    boolean awaitsOthers() {
        return held == Held.FOR_OTHERS;
    }

    /** Whether a query is running. */
    public boolean isRunning() {
        return lease.server() != null && (lease.isBusy() || rerun.isPending() || notifications.isBusy());
    }

    /** Whether a transaction is open. */
    public boolean isInTransaction() {
        return session.isInTransaction();
    }

    /** When what happened. */
    public FlowTimes times() {
        return times;
    }

    /** Whether the client can be sent away without loss: nothing runs, nothing is open. */
    public boolean isAtBoundary() {
        return held == Held.NO
                && exchange.size() == 0
                && session.status() == TransactionStatus.IDLE
                && (lease.server() == null || !isRunning() && !lease.isOpen());
    }
}
