package dev.pgproxy.server;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.net.Transport;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;

/** Opens connections to servers and logs in on them. Thread-safe. */
public final class ServerConnector {
    private final Transport transport;

    /** Connects over {@code transport}. */
    public ServerConnector(Transport transport) {
        this.transport = transport;
    }

    /** Connects on {@code loop} and tells {@code listener} there. */
    public void connect(ServerTarget target, EventLoop loop, LoginListener listener) {
        HostAddress host = target.host();
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(
                        target.timeout().isZero() ? 0 : target.timeout().toMillis(), Integer.MAX_VALUE))
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast("login", new ServerLogin(target, listener));
                    }
                });
        transport.clientSocket(bootstrap, host.isUnixSocket());
        bootstrap.connect(transport.address(host)).addListener(future -> {
            if (!future.isSuccess()) {
                listener.failed(ErrorFields.fatal(
                        SqlState.CONNECTION_FAILURE,
                        "could not connect to server " + host + ": " + reason(future.cause()),
                        "Is PostgreSQL running there and accepting connections?"));
            }
        });
    }

    static String reason(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }
}
