package dev.pgproxy.client;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.net.LastWords;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.server.ServerConnection;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection: owns the channel and the active phase, and ends the connection. The only handler at the end
 * of a client's pipeline. Confined to the channel's loop, but for the fields that SHOW CLIENTS reads.
 */
public final class ClientConnection extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ClientConnection.class);

    private final ClientServices services;
    private final Instant connectedAt = Instant.now();
    private final long connectedNanos = System.nanoTime();
    private final long id;
    private @Nullable Channel channel;
    private ClientPhase phase;
    private boolean reading;
    private boolean ended;
    private @Nullable Pool pool;

    private volatile String database = "";
    private volatile String user = "";
    private volatile String applicationName = "";
    private volatile String tls = "";
    private volatile @Nullable InetAddress address;
    private volatile int port;
    private volatile long lastActive = connectedNanos;
    private volatile boolean counted;

    /** A connection that was just accepted. */
    public ClientConnection(ClientServices services) {
        this.services = services;
        this.id = services.clients().nextId();
        this.phase = new StartupPhase(this, services);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        if (channel.remoteAddress() instanceof InetSocketAddress inet) {
            address = inet.getAddress();
            port = inet.getPort();
        }
        services.clients().add(this);
    }

    /** The client's channel. */
    public Channel channel() {
        if (channel == null) {
            throw new IllegalStateException("not connected");
        }
        return channel;
    }

    /** The next phase begins. */
    void become(ClientPhase next) {
        if (!ended) {
            phase = next;
        }
    }

    /** It belongs to this pool until it ends. */
    void entered(Pool of) {
        pool = of;
    }

    ClientPhase phase() {
        return phase;
    }

    boolean isReading() {
        return reading;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        reading = true;
        lastActive = System.nanoTime();
        try {
            phase.read((ByteBuf) msg);
        } catch (ProtocolViolation e) {
            violated(e);
        } finally {
            reading = false;
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        phase.readComplete();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        phase.writabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        finish("client closed the connection");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException || cause instanceof DecoderException || cause instanceof SSLException) {
            LOG.debug("{} {}", this, cause.toString());
        } else {
            LOG.error("{} unexpected failure, closing", this, cause);
        }
        finish("error: " + cause.getMessage());
        ctx.close();
    }

    /** The client broke the protocol. */
    void violated(ProtocolViolation e) {
        end(ErrorFields.fatal(e.state(), e.message()));
    }

    /** Sends a last error and closes. */
    public void end(ErrorFields error) {
        if (ended) {
            return;
        }
        if (services.config().log().logPoolerErrors()) {
            LOG.info("{} closing because: {} {}", this, error.code(), error.message());
        }
        Channel to = channel();
        ByteBuf out = to.alloc().buffer();
        error.write(out);
        LastWords.send(to, out);
        finish(error.message());
    }

    /** Closes without a word: the client has said goodbye, or is of no protocol we speak. */
    void close(String reason) {
        finish(reason);
        LastWords.after(channel());
    }

    private void finish(String reason) {
        if (ended) {
            return;
        }
        ended = true;
        ClientPhase last = phase;
        phase = new ClosedPhase();
        last.close();
        if (pool != null) {
            pool.leave();
        }
        services.clients().remove(this);
        if (services.config().log().logDisconnections() && !user.isEmpty()) {
            LOG.info("{} disconnected: {}", this, reason);
        }
    }

    /** Called a few times a second on its loop. */
    void tick(long now) {
        phase.tick(now);
    }

    /** A drain: ends it with this error if nothing of it would be lost. */
    public void leaveAtBoundary(ErrorFields error) {
        channel().eventLoop().execute(() -> {
            if (!ended && phase.isAtBoundary()) {
                end(error);
            }
        });
    }

    /** KILL_CLIENT and the end of a drain. */
    public void kill(String message) {
        channel().eventLoop().execute(() -> end(ErrorFields.fatal(SqlState.ADMIN_SHUTDOWN, message)));
    }

    // ---- what others may read

    void identify(String asDatabase, String asUser, String application) {
        database = asDatabase;
        user = asUser;
        applicationName = application;
    }

    void applicationName(String name) {
        applicationName = name;
    }

    void encrypted(String description) {
        tls = description;
    }

    /** A PROXY header tells where the client really is. */
    void comesFrom(InetSocketAddress source) {
        address = source.getAddress();
        port = source.getPort();
    }

    boolean isCounted() {
        return counted;
    }

    void counted(boolean as) {
        counted = as;
    }

    /** Number of this connection, for logs and the console. */
    public long id() {
        return id;
    }

    /** The database it asked for, empty before start-up. */
    public String database() {
        return database;
    }

    /** The user it came as, empty before start-up. */
    public String user() {
        return user;
    }

    /** Its application_name. */
    public String applicationName() {
        return applicationName;
    }

    /** TLS version and cipher, or empty. */
    public String tls() {
        return tls;
    }

    /** Where it is; null for a unix socket. */
    public @Nullable InetAddress address() {
        return address;
    }

    /** Its port; 0 for a unix socket. */
    public int port() {
        return port;
    }

    /** When it connected. */
    public Instant connectedAt() {
        return connectedAt;
    }

    /** When it connected, by System.nanoTime. */
    public long connectedNanos() {
        return connectedNanos;
    }

    /** When it last sent anything, by System.nanoTime. */
    public long lastActive() {
        return lastActive;
    }

    /** The query phase, null if it is in another one. May be a moment old off the loop. */
    public @Nullable QueryPhase queries() {
        return phase instanceof QueryPhase queries ? queries : null;
    }

    /** Who works for it now; null = no server. On its loop. */
    public @Nullable HostAddress host() {
        ServerConnection server =
                phase instanceof QueryPhase queries ? queries.flow().server() : null;
        return server == null ? null : server.identity().host();
    }

    /** Whether texts of this shape are known to do nothing but read in its session. On its loop. */
    public boolean isRead(Shape shape) {
        return phase instanceof QueryPhase queries && queries.isRead(shape);
    }

    /** How far it has come. May be a moment old off the loop. */
    public ClientStage stage() {
        ClientPhase now = phase;
        if (now instanceof QueryPhase) {
            return ClientStage.QUERIES;
        } else if (now instanceof ConsolePhase) {
            return ClientStage.CONSOLE;
        } else if (now instanceof TunnelPhase tunnel) {
            return tunnel.isLogical() ? ClientStage.LOGICAL_REPLICATION : ClientStage.PHYSICAL_REPLICATION;
        }
        return loginWait() > 0 ? ClientStage.LOGIN_WAITING : ClientStage.LOGIN;
    }

    /** Nanoseconds that its login has waited for a server; 0 if it does not. On its loop. */
    public long loginWait() {
        if (phase instanceof TunnelPhase tunnel) {
            return tunnel.waited();
        }
        return phase instanceof AuthenticationPhase login ? login.waited() : 0;
    }

    /** The server of a replication connection, null for others. On its loop. */
    public @Nullable ServerConnection replicationServer() {
        return phase instanceof TunnelPhase tunnel ? tunnel.server() : null;
    }

    @Override
    public String toString() {
        InetAddress from = address;
        return "C-" + id + " " + (user.isEmpty() ? "(login)" : database + "/" + user) + "@"
                + (from == null ? "unix" : from.getHostAddress() + ":" + port);
    }
}
