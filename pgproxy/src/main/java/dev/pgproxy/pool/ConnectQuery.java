package dev.pgproxy.pool;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.server.LoginListener;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Runs {@code connect_query} on a new server before anybody gets it. Confined to the server's loop.
 *
 * @param limit how long it may take; zero = as long as it likes
 */
record ConnectQuery(@Nullable String sql, Duration limit, LoginListener listener) implements LoginListener {
    @Override
    public void connected(ServerConnection server) {
        if (sql == null) {
            listener.connected(server);
            return;
        }
        server.ask(sql, limit, "connect_query took longer than server_connect_timeout", new OwnReply() {
            @Override
            public void done(@Nullable ErrorFields error, byte status) {
                if (error == null) {
                    listener.connected(server);
                } else {
                    server.close("connect_query failed");
                    listener.failed(error);
                }
            }
        });
    }

    @Override
    public void failed(ErrorFields error) {
        listener.failed(error);
    }
}
