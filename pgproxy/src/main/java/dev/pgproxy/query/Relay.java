package dev.pgproxy.query;

import dev.pgproxy.listen.Notification;
import dev.pgproxy.net.LateFlush;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.server.ReplySink;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.Substitute;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Carries a server's replies to the client, as they are read and without looking at rows, and keeps the session's books
 * on the way. One per client. Confined to the client's loop.
 */
final class Relay implements ReplySink {
    private static final String DEADLOCK_DETECTED = "40P01";

    private final QueryFlow flow;
    private final Session session;
    private final Notifications notifications;
    private final Rerun rerun;
    private final Trial trial;
    private final Lease lease;
    private final Channel client;
    private final @Nullable Recorder recorder;
    private final ResultLimit limit;
    private final StatementWatch watch;
    private @Nullable ServerConnection server;
    private boolean stopped;
    private boolean fatal;
    private boolean misaligned;

    /** Whether something has completed that may have changed the session since it was last idle. */
    private boolean changed;

    Relay(
            QueryFlow flow,
            Session session,
            Notifications notifications,
            Rerun rerun,
            Trial trial,
            Lease lease,
            Channel client) {
        this.rerun = rerun;
        this.trial = trial;
        this.lease = lease;
        this.flow = flow;
        this.session = session;
        this.notifications = notifications;
        this.client = client;
        this.recorder = flow.junction().recorder();
        this.limit = flow.junction().gate().limit();
        this.watch = lease.watch();
    }

    void begin(ServerConnection leased) {
        server = leased;
        leased.attach(this);
    }

    /** The lease is over: what was written goes out without the end of the burst, which is another client's. */
    void end() {
        LateFlush.of(client, client.eventLoop());
        resumeServer();
        server = null;
    }

    /** Tells the client what another server reports otherwise. */
    void tellReported(Reported now) {
        Reported before = session.reported();
        if (!now.equals(before)) {
            ByteBuf out = client.alloc().buffer();
            for (Map.Entry<String, String> entry : now.values().entrySet()) {
                if (!entry.getValue().equals(before.get(entry.getKey()))) {
                    BackendWriter.parameterStatus(out, entry.getKey(), entry.getValue());
                }
            }
            client.write(out);
        }
        session.reported(now);
    }

    /** What the client is sent from now on is not kept. */
    void unrecorded() {
        if (recorder != null) {
            recorder.end();
        }
    }

    /** The exchange is answered with an error of ours. */
    void refused(Exchange exchange, ErrorFields error) {
        unrecorded();
        flow.times().refused(exchange, error.code());
    }

    /** What the client was to be sent so far it is not sent: another server answers. */
    void recordAgain() {
        watch.elsewhere();
        if (recorder != null) {
            recorder.again();
        }
    }

    private ServerConnection server() {
        return Objects.requireNonNull(server);
    }

    @Override
    public void forward(ByteBuf buf, int index, int length) {
        watch.forwarded(length);
        if (recorder != null) {
            recorder.forwarded(buf, index, length);
        }
        if (trial.isRunning() ? trial.holds(buf, index, length) : rerun.holds(buf, index, length)) {
            return;
        }
        flow.times().replied(length);
        if (limit.isOn()) {
            forwardWithin(buf, index, length);
        } else if (index == buf.readerIndex() && length == buf.readableBytes()) {
            client.write(buf.retain(), client.voidPromise());
        } else {
            client.write(buf.retainedSlice(index, length), client.voidPromise());
        }
    }

    private void forwardWithin(ByteBuf buf, int index, int length) {
        boolean whole = limit.error() == null;
        int passed = whole ? limit.passes(buf, index, length) : 0;
        if (passed > 0) {
            client.write(buf.retainedSlice(index, passed), client.voidPromise());
        }
        ErrorFields error = limit.error();
        if (error == null) {
            return;
        }
        if (whole) {
            unrecorded();
            flow.times().failed(error.code());
            say(error);
            flow.junction().gate().cut();
        }
        limit.asides(buf, index + passed, length - passed, aside -> client.write(aside, client.voidPromise()));
    }

    @Override
    public void answer(int entry) {
        if (limit.error() != null) {
            return;
        }
        ByteBuf constant = ExchangeWriter.answer(entry).duplicate();
        int length = constant.readableBytes();
        if (trial.isRunning() ? !trial.holds(constant, 0, length) : !rerun.holds(constant, 0, length)) {
            client.write(constant, client.voidPromise());
        }
    }

    @Override
    public void ended(ByteBuf buf, int index, int length, int unforwarded) {
        watch.ended(buf, index, length, unforwarded);
    }

    @Override
    public void completed(StatementFacts statement, String tag) {
        Outcome.apply(statement, tag, session, server());
        compare();
        lease.completed(statement);
    }

    @Override
    public void substituted(Substitute substitute) {
        Outcome.applySubstituted(substitute.statement(), session);
        compare();
        rerun.pass();
        if (limit.error() == null) {
            ByteBuf out = client.alloc().buffer(32);
            BackendWriter.commandComplete(out, substitute.tag());
            client.write(out, client.voidPromise());
        }
        lease.completed(substitute.statement());
    }

    @Override
    public boolean repeats(ErrorFields error, @Nullable Object note) {
        if (error.code().equals(DEADLOCK_DETECTED)) {
            watch.deadlocked(error.fields().getOrDefault('D', ""));
        }
        return trial.isRunning() && trial.fails(error) || rerun.fails(error, note, server());
    }

    @Override
    public @Nullable ErrorFields failed(ErrorFields error, @Nullable Object note) {
        unrecorded();
        session.failed(error);
        fatal |= error.isFatal();
        ErrorFields ruled = flow.junction().gate().instead(error);
        flow.times().failed(ruled == null ? error.code() : ruled.code());
        return ruled == null ? ServerNames.restore(error, note) : ruled;
    }

    @Override
    public void say(ErrorFields error) {
        ByteBuf out = client.alloc().buffer();
        error.write(out);
        client.write(out, client.voidPromise());
    }

    @Override
    public void dropped(int entry, @Nullable Object note) {
        if (note instanceof StatementChange change) {
            change.undo(session, server());
        }
    }

    /**
     * RESET sent to a server returns to the server's own default, where the client expects what its start-up message set:
     * the difference is made up for, and told, before ReadyForQuery.
     */
    private void compare() {
        changed = true;
        misaligned = session.settings().get() != server().settings().get()
                && !SettingsAlignment.between(
                                server().settings().get(), session.settings().get())
                        .isEmpty();
    }

    @Override
    public boolean reported(String name, String value) {
        if (!misaligned) {
            session.reported(session.reported().with(name, value));
        }
        return !misaligned;
    }

    @Override
    public void copyIn() {
        lease.copying(true);
    }

    @Override
    public void notified(ByteBuf buf, int index, int length) {
        notifications.heard(Notification.read(buf, index, length), server());
    }

    @Override
    public boolean withholds(byte status) {
        if (rerun.isPending() || trial.hasFailed()) {
            return true;
        }
        rerun.end();
        flow.outcome(status);
        if (trial.isRunning() && session.status() != TransactionStatus.IDLE) {
            return true; // a statement by itself there, one of a transaction to the client
        }
        boolean undone = session.ready(status);
        if (status == TransactionStatus.IDLE && changed) {
            changed = false;
            Outcome.idle(!undone, session, server());
        }
        misaligned &= status != TransactionStatus.FAILED;
        return notifications.withholds(status, server(), misaligned || limit.isOn());
    }

    @Override
    public void ready(byte status) {
        if (rerun.isPending()) {
            unrecorded();
            rerunAfterPause();
            return;
        }
        if (trial.hasFailed()) {
            flow.retry();
            return;
        }
        ErrorFields cut = limit.error();
        if (trial.isRunning()) {
            trial.end();
            if (session.status() != TransactionStatus.IDLE) {
                if (cut != null) {
                    session.failed(cut);
                }
                inTransaction();
            }
        }
        if (recorder != null) {
            recorder.complete();
        }
        ServerConnection leased = server();
        if (cut != null && status == TransactionStatus.IN_TRANSACTION) {
            // no statement: it fails the transaction
            leased.ask(cut.message(), (failure, now) -> realigned(now, leased));
            return;
        }
        if (misaligned && Aligner.settings(session, leased, () -> realigned(status, leased))) {
            return;
        }
        misaligned = false;
        if (notifications.forwarded(status)) {
            flow.ready(status);
        } else {
            notifications.settle(status, leased, () -> flow.ready(status));
        }
    }

    private void rerunAfterPause() {
        ServerConnection leased = server();
        ErrorFields failure = rerun.failure();
        Runnable again = () -> {
            if (server == leased && leased.isUsable() && rerun.failure() == failure) {
                lease.repeat(rerun);
            }
        };
        long pause = rerun.pause();
        if (pause == 0) {
            again.run();
        } else {
            client.eventLoop().schedule(again, pause, TimeUnit.NANOSECONDS);
        }
    }

    /** What was to be run again, if anything, is not: the client is told what it failed with. */
    void giveUp() {
        if (!rerun.isPending()) {
            return;
        }
        ErrorFields error = rerun.giveUp();
        ErrorFields instead = failed(error, null);
        say(instead == null ? error : instead);
        if (!withholds(TransactionStatus.IDLE)) {
            ByteBuf out = client.alloc().buffer(6);
            BackendWriter.readyForQuery(out, TransactionStatus.IDLE);
            client.write(out, client.voidPromise());
        }
        ready(TransactionStatus.IDLE);
        LateFlush.of(client, client.eventLoop());
    }

    /** Tells the client that its transaction goes on, or has failed. */
    private void inTransaction() {
        boolean failed = session.ready(TransactionStatus.IN_TRANSACTION);
        if (failed) {
            session.ready(TransactionStatus.FAILED);
        }
        ByteBuf out = client.alloc().buffer(6);
        BackendWriter.readyForQuery(out, session.status());
        client.write(out, client.voidPromise());
    }

    /** What was done between the server's ReadyForQuery and the client's has been answered; it may have failed a transaction. */
    private void realigned(byte status, ServerConnection leased) {
        if (server == leased && leased.isUsable()) {
            misaligned = false;
            session.ready(status);
            tellReported(leased.reported());
            notifications.settle(status, leased, () -> flow.ready(status));
        }
    }

    @Override
    public void burstEnd() {
        if (client.isWritable()) {
            LateFlush.of(client, client.eventLoop());
        } else {
            client.flush();
        }
        flow.burstEnd();
        if (!client.isWritable() && !stopped && server != null) {
            stopped = true;
            server.channel().config().setAutoRead(false);
        }
    }

    /** The client takes bytes again. */
    void resumeServer() {
        if (stopped && server != null) {
            stopped = false;
            server.channel().config().setAutoRead(true);
        }
    }

    @Override
    public void writable() {
        flow.resumeUnlessHeld();
    }

    @Override
    public void lost(@Nullable ErrorFields error) {
        if (!trial.isRunning() && rerun.losesRead()) {
            boolean crashed = !rerun.isPending(); // else it has said why
            server = null;
            stopped = false;
            flow.lostRead(crashed);
            return;
        }
        if (rerun.isPending()) { // what it had sent is known to have failed
            session.failed(rerun.giveUp());
            flow.outcome(TransactionStatus.IDLE);
        }
        server = null;
        stopped = false;
        if (trial.isRunning() && (trial.hasFailed() || trial.loses())) {
            fatal = false;
            flow.lostReplica();
            return;
        }
        trial.end();
        if (fatal) {
            flow.lost(null); // the server has said why, and the client has heard it
        } else {
            flow.lost(
                    error != null
                            ? error.asFatal()
                            : ErrorFields.fatal(
                                    SqlState.CONNECTION_FAILURE,
                                    "server closed the connection unexpectedly",
                                    "The server terminated abnormally before or while processing the request."));
        }
    }
}
