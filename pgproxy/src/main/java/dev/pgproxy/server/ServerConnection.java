package dev.pgproxy.server;

import dev.pgproxy.net.LastWords;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.session.Reported;
import dev.pgproxy.session.Settings;
import dev.pgproxy.session.Tracked;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One logged-in connection to PostgreSQL: its state, and what is set and prepared on it. Confined to
 * the loop that owns it: its channel's own, or while lent to a client of another loop, that one.
 */
public final class ServerConnection {
    private static final Logger LOG = LoggerFactory.getLogger(ServerConnection.class);

    /** The owner of its sequences' values when they are of more than one session. */
    public static final Object SEVERAL = new Object();

    private final Channel channel;
    private final ServerHandler handler;
    private final ReplyReader replies;
    private final ServerStatements statements = new ServerStatements();
    private final Tracked<Settings> settings = new Tracked<>(Settings.NONE);
    private final Set<String> customSettings = new HashSet<>(0);
    private final ServerIdentity identity;
    private final ServerUsage usage = new ServerUsage();

    private ServerState state = ServerState.IDLE;
    private @Nullable ServerListener listener;
    private boolean closing;
    private boolean broken;
    private @Nullable Object sequenceOwner;

    /** Where bytes go is decided while the connection is away from home. */
    private @Nullable EventLoop awayOn;

    private long handledAway;
    private boolean comingHome;

    ServerConnection(Channel channel, ServerIdentity identity, Reported reported) {
        this.channel = channel;
        this.identity = identity;
        this.replies = new ReplyReader(reported, channel.alloc());
        this.handler = new ServerHandler(this, channel.eventLoop());
    }

    ServerHandler handler() {
        return handler;
    }

    // ---- what its pool and its client ask of it

    /** Whom it is to tell about its end and its homecoming: its pool. */
    public void listener(ServerListener to) {
        listener = to;
    }

    /** Who that is; null before it belongs to a pool. */
    public @Nullable ServerListener listener() {
        return listener;
    }

    /** Leased: replies go to {@code to} from now on. */
    public void attach(ReplySink to) {
        replies.sink(to);
        state(ServerState.ACTIVE);
    }

    /** No longer leased: replies of ours only. */
    public void detach(ServerState to) {
        replies.sink(null);
        state(to);
    }

    /** On the home loop: lends the connection to another loop, which owns it until {@link #goHome}. */
    public void lendTo(EventLoop loop) {
        handledAway = 0;
        comingHome = false;
        awayOn = loop;
        handler.lend(loop);
    }

    /** On the owning loop: gives the connection back to its home; its listener is told there. */
    public void goHome() {
        comingHome = true;
        long handled = handledAway;
        home().execute(() -> arrive(handled));
    }

    private void arrive(long handled) {
        if (handler.takeBack(handled)) {
            awayOn = null;
            comingHome = false;
            if (listener != null) {
                listener.cameHome(this);
            }
        }
    }

    /** Whether another loop than its home owns it. */
    public boolean isAway() {
        return awayOn != null;
    }

    /** The loop that owns it now. */
    public EventLoop loop() {
        return awayOn == null ? home() : awayOn;
    }

    /** The loop of its channel. */
    public EventLoop home() {
        return channel.eventLoop();
    }

    /** Its channel; writes from another loop than its home hop by themselves. */
    public Channel channel() {
        return channel;
    }

    /** Which host, database and user, and the key to cancel with. */
    public ServerIdentity identity() {
        return identity;
    }

    /** Counters and times for SHOW SERVERS. */
    public ServerUsage usage() {
        return usage;
    }

    /** What it still has to say. */
    public ReplyQueue replies() {
        return replies.replies();
    }

    /** A replica, of which its clients are not to hear that it is one: they believe to be on the primary. */
    public void passAsPrimary() {
        replies.passAsPrimary();
    }

    /** What is prepared on it. */
    public ServerStatements statements() {
        return statements;
    }

    /** What is set on it. */
    public Tracked<Settings> settings() {
        return settings;
    }

    /** Custom parameters that were ever set on it: PostgreSQL never forgets them, RESET leaves an empty text. */
    public Set<String> customSettings() {
        return customSettings;
    }

    /** The session that took the values which it remembers of sequences, {@link #SEVERAL}, or null if there are none. */
    public @Nullable Object sequenceOwner() {
        return sequenceOwner;
    }

    /** Somebody else has taken such values, or they are forgotten. */
    public void sequenceOwner(@Nullable Object owner) {
        sequenceOwner = owner;
    }

    /** What it has reported by ParameterStatus. */
    public Reported reported() {
        return replies.reported();
    }

    /** The status of its last ReadyForQuery. */
    public byte status() {
        return replies.status();
    }

    /** Its state. */
    public ServerState state() {
        return state;
    }

    /** Changes between the states of a live server. */
    public void state(ServerState to) {
        if (state != ServerState.CLOSED) {
            state = to;
        }
    }

    /** Whether it can still be used. */
    public boolean isUsable() {
        return !closing && state != ServerState.CLOSED && channel.isActive();
    }

    /** Whether it has ended by itself, with something left to say. */
    public boolean isBroken() {
        return broken;
    }

    /** Whether it has said everything that it was asked. */
    public boolean isQuiet() {
        return replies().isEmpty() && !replies().isIgnoring();
    }

    /** Sends bytes; they go out with the next flush. */
    public void write(ByteBuf bytes) {
        channel.write(bytes, channel.voidPromise());
    }

    /** Sends a simple query of our own and takes its reply; flushed at once. */
    public void ask(String sql, OwnReply reply) {
        ByteBuf out = channel.alloc().buffer(sql.length() + 16);
        FrontendWriter.query(out, sql);
        statements.unnamed(null); // a simple query drops it (src/backend/tcop/postgres.c, exec_simple_query)
        expect(ReplyQueue.QUERY | ReplyQueue.SWALLOW, reply);
        write(out);
        channel.flush();
    }

    /** The same; a server that has not answered by then is closed for this reason. Zero = however long it takes. */
    public void ask(String sql, Duration limit, String reason, OwnReply reply) {
        if (limit.isZero()) {
            ask(sql, reply);
            return;
        }
        ScheduledFuture<?> deadline = home().schedule(() -> close(reason), limit.toMillis(), TimeUnit.MILLISECONDS);
        ask(sql, new OwnReply() {
            @Override
            public void row(List<@Nullable String> values) {
                reply.row(values);
            }

            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                boolean late = !deadline.cancel(false) && error != null;
                reply.done(late ? ErrorFields.error(SqlState.CONNECTION_FAILURE, reason) : error, status);
            }
        });
    }

    /**
     * Sends a query of our own with one value for {@code $1} and takes its reply; flushed at once. The value cannot change
     * the query, whatever is in it. A client's unnamed statement is replaced.
     */
    public void ask(String sql, String value, OwnReply reply) {
        ByteBuf out = channel.alloc().buffer(sql.length() + value.length() + 64);
        FrontendWriter.parse(out, "", sql);
        FrontendWriter.bind(out, value);
        FrontendWriter.execute(out);
        FrontendWriter.sync(out);
        statements.unnamed(null);
        expect(ReplyQueue.PARSE | ReplyQueue.SWALLOW, reply);
        expect(ReplyQueue.BIND | ReplyQueue.SWALLOW, reply);
        expect(ReplyQueue.EXECUTE | ReplyQueue.SWALLOW, reply);
        expect(ReplyQueue.SYNC | ReplyQueue.SWALLOW, reply);
        write(out);
        channel.flush();
    }

    /** Adds an expected reply; must be called in the order of sending. */
    public void expect(int entry, @Nullable Object note) {
        replies.expect(entry, note);
    }

    /** Ends the connection politely. */
    public void close(String reason) {
        if (!closing) {
            closing = true;
            LOG.debug("{} closing: {}", this, reason);
            if (channel.isActive()) {
                ByteBuf out = channel.alloc().buffer(8);
                FrontendWriter.terminate(out);
                LastWords.send(channel, out);
            } else {
                channel.close();
            }
        }
    }

    /** Ends the connection; whoever leased it is told nothing more. */
    public void abandon(String reason) {
        detach(ServerState.TESTED);
        close(reason);
    }

    // ---- what its handler says

    void read(ByteBuf in) {
        try {
            replies.read(in);
        } catch (ProtocolViolation e) {
            LOG.warn("{} protocol violation: {}", this, e.message());
            close("protocol violation by the server");
        }
    }

    /** On the owning loop: one event that its home has passed on has been handled. */
    void handledAway() {
        handledAway++;
        if (comingHome) {
            goHome();
        }
    }

    void burstEnd() {
        ReplySink to = replies.sink();
        if (to != null) {
            to.burstEnd();
        }
    }

    void writabilityChanged() {
        ReplySink to = replies.sink();
        if (to != null && channel.isWritable()) {
            to.writable();
        }
    }

    void closed() {
        broken = !closing && !isQuiet();
        closing = true;
        state = ServerState.CLOSED;
        ReplySink to = replies.sink();
        replies.sink(null);
        try {
            replies.close();
            if (to != null) {
                to.lost(replies.lastError());
            }
        } finally { // its pool counts it, whatever fails above
            if (listener != null) {
                listener.closed(this, replies.lastError());
            }
        }
    }

    @Override
    public String toString() {
        return identity.toString();
    }
}
