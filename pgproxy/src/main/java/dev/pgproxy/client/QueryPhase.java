package dev.pgproxy.client;

import dev.pgproxy.cancel.CancelKeys;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.PoolMode;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrameSink;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.query.ClientLink;
import dev.pgproxy.query.FlowSettings;
import dev.pgproxy.query.PoolStatements;
import dev.pgproxy.query.QueryFlow;
import dev.pgproxy.query.Routing;
import dev.pgproxy.query.StatementWatch;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Collects what a client sends into exchanges and hands them to the {@link QueryFlow}; ends the client at its time-outs.
 * Confined to the client's loop. Source: manual, "Message Flow".
 */
public final class QueryPhase implements ClientPhase, FrameSink, ClientLink {
    private static final Duration CLEANUP = Duration.ofSeconds(30);

    /** An exchange of more bytes than this does not wait for its end: it takes its server and goes on in parts. */
    private static final int MAX_HELD = 1 << 16;

    private final ClientConnection client;
    private final ClientServices services;
    private final Session session;
    private final FrameReader reader;
    private final @Nullable DatabaseState state;
    private final @Nullable Routing routing;
    private final @Nullable OwnStatement own;
    private final StatementTexts texts;
    private final Rewriting rewriting;
    private final QueryFlow flow;
    private final PoolMode mode;
    private final CancelKeys.Key cancelKey;
    private boolean skipping;

    /** Whether what goes to a server in place of the last text is not known yet: nothing is read meanwhile. */
    private boolean asking;

    /** Whether the flow does not want more. */
    private boolean paused;

    private boolean notified;
    private boolean terminating;
    private int runStart;
    private long idleSince = System.nanoTime();

    QueryPhase(ClientConnection client, ClientServices services, Session session, Pool pool, boolean longKey) {
        this.client = client;
        this.services = services;
        this.session = session;
        this.reader = new FrameReader(this, client.channel().alloc());
        ProxyConfig config = services.config();
        DatabaseSettings database = config.database(session.database());
        this.mode = database == null
                ? config.pool().poolMode()
                : config.pool(database, session.user()).poolMode();
        FlowSettings settings = FlowSettings.of(mode, config.pool(), CLEANUP);
        int loop = services.transport().loops().indexOf(client.channel().eventLoop());
        var restraints = services.restraintsOf(client.channel());
        StatementWatch watch = new StatementWatch(
                services.statsOf(client.channel()), session, this::clientAddress, restraints.rules());
        PoolStatements statements =
                new PoolStatements(session, pool, settings, pool.counters().row(loop), watch);
        this.state = database == null ? null : services.routes().enter(database, session.database());
        LoopShapes shapes = services.shapesOfLoop();
        this.routing = database == null || state == null
                ? null
                : new Routing(
                        state, statements, database.serverUser(session.user()), services.pools(), shapes, loop, mode);
        this.own = routing == null ? null : new OwnStatement(session, routing, shapes);
        this.texts = new StatementTexts(services, session, routing, this::notice);
        this.rewriting = new Rewriting(restraints.rules(), session);
        this.flow = new QueryFlow(
                this, statements, settings, services.cancelForwarder(), services.listeners(), routing, restraints);
        this.cancelKey = services.cancelKeys()
                .issue(
                        longKey,
                        done -> client.channel()
                                .eventLoop()
                                .execute(() ->
                                        flow.cancel(services.config().timeouts().cancelWaitTimeout(), done)));
    }

    private String clientAddress() {
        InetAddress address = client.address();
        return address == null ? "" : address.getHostAddress();
    }

    /** What follows AuthenticationOk, up to the first ReadyForQuery. */
    void begin() {
        ByteBuf out = client.channel().alloc().buffer(512);
        session.reported().values().forEach((name, value) -> BackendWriter.parameterStatus(out, name, value));
        BackendWriter.backendKeyData(out, cancelKey.processId(), cancelKey.secret());
        BackendWriter.readyForQuery(out, TransactionStatus.IDLE);
        client.channel().writeAndFlush(out);
    }

    // ---- FrameSink

    @Override
    public void begin(ByteBuf buf, int index) {
        runStart = index;
    }

    @Override
    public void end(ByteBuf buf, int index) {
        passTo(buf, index);
    }

    private void passTo(ByteBuf buf, int end) {
        if (end > runStart) {
            flow.pass(buf, runStart, end - runStart);
        }
        runStart = Math.max(runStart, end);
    }

    @Override
    public boolean streams(byte type, int length) {
        return switch (type) {
            case FrontendType.BIND, FrontendType.COPY_DATA, FrontendType.FUNCTION_CALL -> length > FrameReader.HEAD;
            case FrontendType.QUERY -> length > services.config().limits().maxStatementSize(); // sent on unseen
            case FrontendType.PARSE -> {
                long max = services.config().limits().maxStatementSize();
                if (length > max) {
                    throw new ProtocolViolation(
                            SqlState.PROGRAM_LIMIT_EXCEEDED,
                            "statement of " + length + " bytes is longer than max_statement_size (" + max + ")");
                }
                yield false;
            }
            case FrontendType.CLOSE,
                    FrontendType.COPY_DONE,
                    FrontendType.COPY_FAIL,
                    FrontendType.DESCRIBE,
                    FrontendType.EXECUTE,
                    FrontendType.FLUSH,
                    FrontendType.SYNC,
                    FrontendType.TERMINATE -> {
                if (length > 1 << 16) {
                    throw new ProtocolViolation("invalid message length " + length);
                }
                yield false;
            }
            default -> throw unknown(type);
        };
    }

    private static ProtocolViolation unknown(byte type) {
        return new ProtocolViolation("invalid frontend message type " + (type & 0xff));
    }

    @Override
    public void head(byte type, ByteBuf buf, int index, int length) {
        passTo(buf, index);
        if (type == FrontendType.COPY_DATA) {
            // COPY data that nobody waits for is dropped by flow.pass, as a server would
            runStart = index;
            return;
        }
        runStart = buf.writerIndex();
        if (skipping) {
            return;
        }
        flow.exchange().add(type, buf, index, length, type == FrontendType.QUERY ? QueryFacts.OPAQUE : null);
        submit();
    }

    @Override
    public void frame(byte type, ByteBuf buf, int index, int length) {
        passTo(buf, index);
        runStart = index + length;
        switch (type) {
            case FrontendType.QUERY, FrontendType.PARSE -> {
                if (!skipping) {
                    statement(type, buf, index, length);
                }
            }
            case FrontendType.BIND, FrontendType.DESCRIBE, FrontendType.EXECUTE, FrontendType.CLOSE -> {
                if (!skipping) {
                    collect(type, buf, index, length, null);
                }
            }
            case FrontendType.SYNC -> sync(buf, index, length);
            case FrontendType.FLUSH, FrontendType.FUNCTION_CALL -> {
                if (!skipping) {
                    flow.exchange().add(type, buf, index, length, null);
                    submit();
                }
            }
            case FrontendType.COPY_DATA, FrontendType.COPY_DONE, FrontendType.COPY_FAIL ->
                copy(type, buf, index, length);
            case FrontendType.TERMINATE -> {
                terminating = true;
                reader.pause();
                flow.end();
            }
            default -> throw unknown(type);
        }
    }

    private void statement(byte type, ByteBuf buf, int index, int length) {
        QueryFacts facts = texts.facts(type, buf, index, length);
        ByteBuf rewritten = rewriting.isOn() ? rewriting.of(facts, buf.slice(index, length)) : null;
        if (rewritten == null) {
            statement(type, facts, buf, index, length);
        } else {
            int end = rewritten.readableBytes();
            statement(type, texts.facts(type, rewritten, 0, end), rewritten, 0, end);
            rewritten.release();
        }
    }

    private void statement(byte type, QueryFacts facts, ByteBuf buf, int index, int length) {
        if (!isOwn(type, facts, buf, index, length)) {
            add(type, facts, buf, index, length);
        }
    }

    private void add(byte type, QueryFacts facts, ByteBuf buf, int index, int length) {
        if (type == FrontendType.QUERY) {
            flow.exchange().add(type, buf, index, length, facts);
            submit();
        } else {
            collect(type, buf, index, length, facts);
        }
    }

    private void collect(byte type, ByteBuf buf, int index, int length, @Nullable QueryFacts facts) {
        flow.exchange().add(type, buf, index, length, facts);
        if (flow.exchange().bytes() > MAX_HELD) {
            submit();
        }
    }

    private void sync(ByteBuf buf, int index, int length) {
        if (skipping) {
            skipping = false;
            ByteBuf out = client.channel().alloc().buffer(6);
            BackendWriter.readyForQuery(out, session.status());
            client.channel().writeAndFlush(out);
            return;
        }
        flow.exchange().add(FrontendType.SYNC, buf, index, length, null);
        submit();
    }

    /** Without COPY a server ignores these messages, and so do we. */
    private void copy(byte type, ByteBuf buf, int index, int length) {
        if (flow.exchange().size() > 0) {
            // sent behind an Execute in the same batch: the server has to see them in this order
            flow.exchange().add(type, buf, index, length, null);
            submit();
        } else if (type == FrontendType.COPY_DATA) {
            flow.pass(buf, index, length);
        } else {
            flow.endCopy(buf, index, length);
        }
    }

    private void submit() {
        notified = false;
        flow.submit();
    }

    // ---- statements of ours

    /** Whether a Query or Parse is for us; then another takes its place, soon, and nothing is read before. */
    private boolean isOwn(byte type, QueryFacts facts, ByteBuf buf, int index, int length) {
        CompletionStage<ByteBuf> other =
                own == null || !OwnStatement.mayBe(facts) ? null : own.inPlaceOf(facts, buf.slice(index, length));
        if (other == null) {
            return false;
        }
        asking = true;
        reader.pause();
        other.thenAcceptAsync(made -> replaced(type, made), channel().eventLoop())
                .exceptionally(this::failed);
        return true;
    }

    private void replaced(byte type, ByteBuf made) {
        asking = false;
        if (channel().isActive()) {
            int end = made.readableBytes();
            add(type, texts.facts(type, made, 0, end), made, 0, end);
            if (!paused) {
                resume();
            }
        }
        made.release();
    }

    private @Nullable Void failed(Throwable why) {
        channel().pipeline().fireExceptionCaught(why);
        return null;
    }

    // ---- ClientPhase

    @Override
    public void read(ByteBuf in) {
        flow.times().received(in.readableBytes());
        reader.read(in);
        if (reader.isPaused() && reader.holdsBuffers()) {
            client.channel().config().setAutoRead(false); // not before: few clients send anything while they wait
        }
    }

    @Override
    public void readComplete() {
        idleSince = client.lastActive();
        flow.readComplete();
    }

    @Override
    public void writabilityChanged() {
        if (client.channel().isWritable()) {
            flow.clientWritable();
        }
    }

    @Override
    public void close() {
        services.cancelKeys().revoke(cancelKey);
        flow.clientGone();
        reader.close();
    }

    @Override
    public void tick(long now) {
        var timeouts = services.config().timeoutsOf(client.user());
        var times = flow.times();
        long quietSince = Math.max(idleSince, times.lastReply());
        ErrorFields ended = routing == null || flow.isRunning() ? null : routing.timedOut(quietSince, now);
        if (ended != null) {
            client.end(ended);
        } else if (flow.isRunning() && passed(timeouts.queryTimeout(), times.runningSince(), now)) {
            timedOut(SqlState.QUERY_CANCELED, "query_timeout");
        } else if (flow.isInTransaction() && passed(timeouts.transactionTimeout(), times.transactionSince(), now)) {
            timedOut(SqlState.TRANSACTION_TIMEOUT, "transaction_timeout");
        } else if (flow.isInTransaction()
                && !flow.isRunning()
                && passed(timeouts.idleTransactionTimeout(), quietSince, now)) {
            client.end(ErrorFields.fatal(SqlState.IDLE_IN_TRANSACTION_TIMEOUT, "idle_transaction_timeout"));
        } else if (flow.isAtBoundary() && passed(timeouts.clientIdleTimeout(), quietSince, now)) {
            client.end(ErrorFields.fatal(SqlState.IDLE_SESSION_TIMEOUT, "client_idle_timeout"));
        } else if (!notified && flow.isWaiting() && passed(timeouts.queryWaitNotify(), times.waitingSince(), now)) {
            notified = true;
            notice("No server connection available in the pool, waiting for one");
            client.channel().flush();
        }
    }

    /** The server would not notice for long that nobody waits for its answer. */
    private void timedOut(SqlState state, String message) {
        flow.cancel(services.config().timeouts().cancelWaitTimeout(), () -> {});
        client.end(ErrorFields.fatal(state, message));
    }

    private static boolean passed(Duration limit, long since, long now) {
        return since != 0 && !limit.isZero() && now - since > limit.toNanos();
    }

    @Override
    public boolean isAtBoundary() {
        return flow.isAtBoundary() && !asking;
    }

    // ---- ClientLink

    @Override
    public Channel channel() {
        return client.channel();
    }

    @Override
    public void pause() {
        paused = true;
        reader.pause();
    }

    @Override
    public void resume() {
        paused = false;
        if (reader.isPaused() && !asking && !terminating) {
            client.channel().config().setAutoRead(true);
            try {
                reader.resume();
            } catch (ProtocolViolation e) {
                client.violated(e);
            }
            if (!isReading()) {
                flow.readComplete();
            }
        }
    }

    @Override
    public void notice(String message) {
        ByteBuf out = client.channel().alloc().buffer();
        ErrorFields.notice(message, null).write(out, BackendType.NOTICE_RESPONSE);
        client.channel().write(out);
    }

    @Override
    public boolean isReading() {
        return client.isReading();
    }

    @Override
    public boolean isMidFrame() {
        return reader.midFrame();
    }

    @Override
    public void skipToSync() {
        skipping = true;
    }

    @Override
    public void copying(boolean on) {
        reader.passive(on ? FrameReader.bit(FrontendType.COPY_DATA) : 0);
    }

    @Override
    public void settled() {
        if (terminating) {
            client.close("client said goodbye");
        }
    }

    @Override
    public void end(@Nullable ErrorFields error) {
        if (error == null) {
            client.close("the server closed the connection");
        } else {
            client.end(error);
        }
    }

    // ---- for the console

    /** The client's session; read it on its loop only. */
    public Session session() {
        return session;
    }

    /** Whether texts of this shape are known to do nothing but read. */
    boolean isRead(Shape shape) {
        return routing != null && routing.isRead(shape);
    }

    /** The client's path; read it on its loop only. */
    public QueryFlow flow() {
        return flow;
    }

    @Override
    public int processId() {
        return cancelKey.processId();
    }
}
