package dev.pgproxy.client;

import dev.pgproxy.cancel.CancelKeys;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ErrorFields;
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
 * message, and from then on bytes in both directions, unseen. Confined to the client's loop. Source: manual, "Streaming
 * Replication Protocol".
 */
final class TunnelPhase implements ClientPhase, LoginListener, RawServer.Listener {
    private final ClientConnection client;
    private final ClientServices services;
    private final Pool pool;
    private final Map<String, String> startup;
    private final int minor;
    private final ArrayDeque<ByteBuf> early = new ArrayDeque<>(0);
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
        Map<String, String> parameters = new LinkedHashMap<>(startup);
        parameters.remove("user");
        parameters.remove("database");
        parameters.keySet().removeIf(name -> name.startsWith("_pq_."));
        services.pools().connectAlone(pool, parameters, client.channel().eventLoop(), this);
    }

    @Override
    public void connected(ServerConnection connection) {
        Channel to = RawServer.take(connection, this);
        if (closed) {
            to.close();
            return;
        }
        server = to;
        ServerIdentity identity = connection.identity();
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
        connection.reported().values().forEach((name, value) -> BackendWriter.parameterStatus(out, name, value));
        BackendWriter.backendKeyData(out, key.processId(), key.secret());
        BackendWriter.readyForQuery(out, TransactionStatus.IDLE);
        client.channel().writeAndFlush(out);
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
            server.flush();
            server.close();
        }
    }

    @Override
    public void tick(long now) {}

    @Override
    public boolean isAtBoundary() {
        return true;
    }
}
