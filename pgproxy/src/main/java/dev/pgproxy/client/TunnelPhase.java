package dev.pgproxy.client;

import dev.pgproxy.cancel.CancelKeys;
import dev.pgproxy.net.LastWords;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.server.LoginListener;
import dev.pgproxy.server.RawServer;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerIdentity;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A replication connection ({@code replication=…}): a server connection of its own, opened with the client's start-up
 * message as soon as the limits of its database and user permit, and from then on bytes in both directions, unseen.
 * Confined to the client's loop. Source: manual, "Streaming Replication Protocol".
 */
final class TunnelPhase implements ClientPhase, LoginListener, RawServer.Listener {
    private final ClientConnection client;
    private final ClientServices services;
    private final Pool pool;
    private final Map<String, String> startup;
    private final int minor;
    private final ArrayDeque<ByteBuf> early = new ArrayDeque<>(0);
    private Map<String, String> parameters = Map.of();
    private boolean waiting;
    private long waitingSince;
    private @Nullable ServerConnection connection;
    private @Nullable Channel server;
    private CancelKeys.@Nullable Key key;
    private boolean closed;

    TunnelPhase(ClientConnection client, ClientServices services, Pool pool, Map<String, String> startup, int minor) {
        this.client = client;
        this.services = services;
        this.pool = pool;
        this.startup = startup;
        this.minor = minor;
    }

    /** Whether the stream is a logical one. */
    boolean isLogical() {
        return "database".equalsIgnoreCase(startup.get("replication"));
    }

    void begin() {
        parameters = new LinkedHashMap<>(startup);
        parameters.remove("user");
        parameters.remove("database");
        parameters.keySet().removeIf(name -> name.startsWith("_pq_."));
        waiting = true;
        waitingSince = System.nanoTime();
        client.channel().flush(); // AuthenticationOk
        connect();
    }

    private void connect() {
        waiting = !services.pools()
                .connectAlone(pool, parameters, client.channel().eventLoop(), this);
    }

    /** Nanoseconds that it has waited until a server may be opened; 0 if it does not. */
    long waited() {
        return waiting ? Math.max(1, System.nanoTime() - waitingSince) : 0;
    }

    /** Its server, null before there is one. */
    @Nullable
    ServerConnection server() {
        return connection;
    }

    @Override
    public void connected(ServerConnection opened) {
        Channel to = RawServer.take(opened, this);
        if (closed) {
            to.close();
            return;
        }
        connection = opened;
        server = to;
        ServerIdentity identity = opened.identity();
        key = services.cancelKeys()
                .issue(
                        minor >= 2,
                        done -> services.cancelForwarder()
                                .send(
                                        identity.host(),
                                        identity.processId(),
                                        identity.secret(),
                                        identity.encryption(),
                                        services.config().timeouts().cancelWaitTimeout(),
                                        client.channel().eventLoop(),
                                        done));
        ByteBuf out = client.channel().alloc().buffer();
        opened.reported().values().forEach((name, value) -> BackendWriter.parameterStatus(out, name, value));
        BackendWriter.backendKeyData(out, key.processId(), key.secret());
        BackendWriter.readyForQuery(out, TransactionStatus.IDLE);
        client.channel().writeAndFlush(out);
        client.channel().config().setAutoRead(true);
        for (ByteBuf buf = early.pollFirst(); buf != null; buf = early.pollFirst()) {
            to.write(buf);
        }
        to.flush();
    }

    @Override
    public void failed(ErrorFields error) {
        client.end(error.asFatal());
    }

    @Override
    public void bytes(ByteBuf in) {
        client.channel().write(in);
    }

    @Override
    public void burstEnd() {
        client.channel().flush();
        if (server != null && !client.channel().isWritable()) {
            server.config().setAutoRead(false);
        }
    }

    @Override
    public void writable(boolean writable) {
        client.channel().config().setAutoRead(writable);
    }

    @Override
    public void lost() {
        client.close("the server closed the replication connection");
    }

    @Override
    public void read(ByteBuf in) {
        if (server == null) {
            early.addLast(in);
            client.channel().config().setAutoRead(false); // what it sends now waits in its socket
        } else {
            server.write(in);
        }
    }

    @Override
    public void readComplete() {
        if (server != null) {
            server.flush();
        }
    }

    @Override
    public void writabilityChanged() {
        if (server != null) {
            server.config().setAutoRead(client.channel().isWritable());
        }
    }

    @Override
    public void close() {
        closed = true;
        if (key != null) {
            services.cancelKeys().revoke(key);
        }
        for (ByteBuf buf = early.pollFirst(); buf != null; buf = early.pollFirst()) {
            buf.release();
        }
        if (server != null) {
            LastWords.after(server);
        }
    }

    @Override
    public void tick(long now) {
        long limit = services.config().timeouts().queryWaitTimeout().toNanos();
        if (waiting && limit > 0 && waited() > limit) {
            client.end(
                    ErrorFields.fatal(
                            SqlState.QUERY_CANCELED,
                            "query_wait_timeout",
                            "No server could be opened in time: raise max_db_connections or max_user_connections, or find what holds the servers by SHOW SERVERS."));
        } else if (waiting) {
            connect();
        }
    }

    @Override
    public boolean isAtBoundary() {
        return true;
    }
}
