package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.server.ReplyQueue;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerState;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The right of a client to use one server, and what of the client is under way there. One per client, used again and again.
 * Confined to the client's loop.
 */
final class Lease {
    private final ClientLink link;
    private final Session session;
    private final PoolStatements statements;
    private final FlowSettings settings;
    private final boolean translates;
    private final ExchangeWriter writer;
    private Pool source;
    private @Nullable ServerConnection server;
    private boolean barrier;
    private boolean open;
    private boolean copying;
    private boolean sent;

    Lease(ClientLink link, Session session, PoolStatements statements, FlowSettings settings) {
        this.link = link;
        this.session = session;
        this.statements = statements;
        this.settings = settings;
        this.translates = settings.mode() != PoolMode.SESSION;
        this.writer = new ExchangeWriter(session, statements, translates);
        this.source = statements.pool();
    }

    /** The pool that a server is asked of, or was. */
    Pool source() {
        return source;
    }

    /** The next server is to come from there. */
    void source(Pool pool) {
        source = pool;
    }

    /** Whether that is the pool on the primary. */
    boolean isOnPrimary() {
        return source == statements.pool();
    }

    void begin(ServerConnection granted) {
        server = granted;
        sent = false;
        open = false;
        writer.begin(granted);
    }

    @Nullable
    ServerConnection server() {
        return server;
    }

    ServerConnection leased() {
        return Objects.requireNonNull(server);
    }

    /** Prepares what the server lacks. */
    Preparation preparation() {
        return writer.preparation();
    }

    /** The server is no longer the client's. */
    void end() {
        server = null;
    }

    /**
     * Gives the server back, which is idle and has said everything.
     *
     * @param unfit it is ended: it is not what we believe, or a cancel may still strike it
     */
    void giveBack(boolean unfit) {
        ServerConnection leased = leased();
        server = null;
        if (unfit) {
            leased.abandon("it could not be aligned, or a cancel request is under way to it");
        } else {
            leased.detach(ServerState.TESTED);
            source.release(leased);
        }
    }

    /** The client has gone: the server is made fit for the next one. */
    void cleanUp(boolean partial, @Nullable OpenWrites writes) {
        ServerConnection leased = leased();
        server = null;
        ServerCleanup.Leftovers left = new ServerCleanup.Leftovers(
                partial, open, copying, !translates || session.hasStateOnServer(), settings.cleanupTimeout());
        ServerCleanup.begin(leased, source, left, writes);
    }

    /** A statement that may have changed definitions has completed there. */
    void completed(StatementFacts statement) {
        statements.pool().catalog().completed(statement);
    }

    /** Sends an exchange from a message on. */
    void write(Exchange exchange, int from) {
        barrier |= writer.write(exchange, from, !isOpen());
        open = !exchange.isEnded();
        sent = true;
    }

    /** Whether nothing has been sent there by this client. */
    boolean isNew() {
        return !sent;
    }

    /** Whether it is on a replica, for one exchange that has been sent: the next one may belong elsewhere. */
    boolean isSpent() {
        return sent && !isOnPrimary() && leased().status() == TransactionStatus.IDLE;
    }

    /** What of the client's statements is under way. */
    StatementWatch watch() {
        return statements.watch();
    }

    /** Sends what failed for a reason that the client need not know once more. */
    void repeat(Rerun rerun) {
        watch().repeated();
        rerun.again(writer);
        leased().channel().flush();
    }

    /** Bytes that go to the server unseen. */
    void pass(ByteBuf buf, int index, int length) {
        leased().write(buf.retainedSlice(index, length));
        waitForWritable();
    }

    /** The client is not read while the server takes nothing. */
    void waitForWritable() {
        ServerConnection leased = leased();
        if (!leased.channel().isWritable() && !leased.channel().flush().isWritable()) {
            link.pause();
        }
    }

    /** CopyDone or CopyFail; without COPY the server would ignore it, and so do we. */
    void endCopy(ByteBuf buf, int index, int length) {
        if (server != null && !server.replies().isEmpty()) {
            server.expect(ReplyQueue.COPY_END, null);
            server.write(buf.retainedSlice(index, length));
            copying(false);
        }
    }

    void copying(boolean on) {
        if (copying || on) {
            copying = on;
            link.copying(on);
        }
    }

    /** Whether the server takes COPY data. */
    boolean isCopying() {
        return copying;
    }

    /** Whether the server waits for a Sync. */
    boolean isOpen() {
        return open || server != null && server.replies().isIgnoring();
    }

    /** Whether the outcome of what is under way decides how the next exchange is to be read; a Sync alone may end it. */
    boolean isBarred(Exchange next) {
        return barrier && !leased().replies().isEmpty() && !next.isSync();
    }

    /** ReadyForQuery, or an end without it: what was barred is no more if nothing else is under way. */
    void answered() {
        barrier &= server != null && !server.replies().isEmpty();
    }

    /** Whether the server has something to say yet. */
    boolean isBusy() {
        return server != null && !server.replies().isEmpty();
    }

    /** A pipeline of transactions lets others in between when they wait. */
    boolean givesWay() {
        ServerConnection leased = leased();
        return source.hasWaiting()
                && leased.status() == TransactionStatus.IDLE
                && leased.replies().boundaries() > 0;
    }
}
