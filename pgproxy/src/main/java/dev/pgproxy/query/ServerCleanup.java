package dev.pgproxy.query;

import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ReplyQueue;
import dev.pgproxy.server.ReplySink;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerState;
import dev.pgproxy.server.Substitute;
import dev.pgproxy.session.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes a server fit for the next client after one that has gone, whatever it was doing: lets what runs end, rolls back,
 * removes what belonged to the session, and gives it back to the pool; or closes it where that is not possible in time.
 * Confined to the loop that owns the server; used once.
 */
final class ServerCleanup implements ReplySink, OwnReply {
    /** Everything that belongs to a session but prepared statements, which are ours, and custom parameters. */
    private static final String RESET = "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;CLOSE ALL;UNLISTEN *;"
            + "SELECT pg_catalog.pg_advisory_unlock_all();DISCARD TEMP;DISCARD SEQUENCES";

    /**
     * What a client has left behind.
     *
     * @param partial a message was sent in part: the server cannot be used again
     * @param open an extended exchange without its Sync
     * @param copying the server waits for COPY data
     * @param reset the session had more than its transaction on the server
     */
    record Leftovers(boolean partial, boolean open, boolean copying, boolean reset, Duration timeout) {}

    private final ServerConnection server;
    private final Pool pool;
    private boolean reset;
    private @Nullable OpenWrites writes;
    private final @Nullable ScheduledFuture<?> deadline;

    private ServerCleanup(ServerConnection server, Pool pool, Leftovers left, @Nullable OpenWrites writes) {
        this.writes = writes;
        this.server = server;
        this.pool = pool;
        this.reset = left.reset();
        long millis = left.timeout().toMillis();
        this.deadline = millis == 0
                ? null
                : server.channel()
                        .eventLoop()
                        .schedule(
                                () -> server.close("what a vanished client had begun did not end in time"),
                                millis,
                                TimeUnit.MILLISECONDS);
    }

    /** @param writes what the client may have written, in doubt until it is known how that ended; null = nothing */
    static void begin(ServerConnection server, Pool pool, Leftovers left, @Nullable OpenWrites writes) {
        if (left.partial() || !server.isUsable()) {
            if (writes != null) {
                writes.unknown().run();
            }
            server.abandon("client disconnected in the middle of a message");
            return;
        }
        ServerCleanup cleanup = new ServerCleanup(server, pool, left, writes);
        server.attach(cleanup);
        server.state(ServerState.TESTED);
        ByteBuf out = server.channel().alloc().buffer();
        if (left.copying()) {
            FrontendWriter.copyFail(out, "client disconnected");
            server.expect(ReplyQueue.COPY_END, null);
        }
        if (left.open()) {
            FrontendWriter.sync(out);
            server.expect(ReplyQueue.SYNC, null);
        }
        server.write(out);
        server.channel().flush();
        if (server.isQuiet()) {
            cleanup.next();
        }
    }

    private void next() {
        if (server.status() != TransactionStatus.IDLE) {
            server.settings().rollback();
            server.ask("ROLLBACK", this);
        } else if (reset) {
            reset = false;
            server.ask(RESET + ";DEALLOCATE ALL", this);
            server.statements().clear();
            server.settings().reset(Settings.NONE);
            server.sequenceOwner(null);
        } else {
            if (deadline != null) {
                deadline.cancel(false);
            }
            decided();
            server.detach(ServerState.TESTED);
            pool.release(server);
        }
    }

    private void decided() {
        if (writes != null) {
            writes.known().run();
            writes = null;
        }
    }

    @Override
    public void done(@Nullable ErrorFields error, byte status) {
        if (!server.isUsable()) {
            return;
        }
        if (error != null) {
            server.close("could not be reset: " + error.message());
        } else {
            next();
        }
    }

    @Override
    public void ready(byte status) {
        if (server.replies().isEmpty()) {
            next();
        }
    }

    @Override
    public void copyIn() {
        ByteBuf out = server.channel().alloc().buffer();
        FrontendWriter.copyFail(out, "client disconnected");
        server.expect(ReplyQueue.COPY_END, null);
        server.write(out);
        server.channel().flush();
    }

    @Override
    public void dropped(int entry, @Nullable Object note) {
        // a statement that was in our books may not be there
        if (note instanceof StatementChange) {
            server.statements().clear();
            reset = true;
        }
    }

    @Override
    public void completed(StatementFacts statement, String tag) {
        // settings of a vanished client: what it changed is undone by the reset
        reset |= statement.effect() != null;
    }

    @Override
    public void forward(ByteBuf buf, int index, int length) {}

    @Override
    public void answer(int entry) {}

    @Override
    public void substituted(Substitute substitute) {}

    @Override
    public @Nullable ErrorFields failed(ErrorFields error, @Nullable Object note) {
        return null;
    }

    @Override
    public void say(ErrorFields error) {}

    @Override
    public boolean reported(String name, String value) {
        return false;
    }

    /** A query of ours that was under way when the client vanished has ended: it tells only who asked. */
    @Override
    public void burstEnd() {
        if (server.isUsable() && server.isQuiet()) {
            next();
        }
    }

    @Override
    public void writable() {}

    @Override
    public void lost(@Nullable ErrorFields error) {
        if (writes != null) {
            writes.unknown().run();
            writes = null;
        }
        if (deadline != null) {
            deadline.cancel(false);
        }
    }
}
