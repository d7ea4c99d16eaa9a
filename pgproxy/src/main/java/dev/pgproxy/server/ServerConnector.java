package dev.pgproxy.server;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.net.ServerTls;
import dev.pgproxy.net.Transport;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.io.FileNotFoundException;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens connections to servers and logs in on them. Thread-safe. */
public final class ServerConnector {
    private static final Logger LOG = LoggerFactory.getLogger(ServerConnector.class);

    private final Transport transport;

    /** Connects over {@code transport}. */
    public ServerConnector(Transport transport) {
        this.transport = transport;
    }

    /** Connects on {@code loop} and tells {@code listener} there. */
    public void connect(ServerTarget target, EventLoop loop, LoginListener listener) {
        ServerTls tls = target.tls();
        boolean encrypt = tls.asks() && !target.host().isUnixSocket();
        boolean tryOther = tls.triesBoth() && !target.host().isUnixSocket();
        attempt(target, encrypt, loop, tryOther ? new OtherWay(target, encrypt, loop, listener) : listener);
    }

    private void attempt(ServerTarget target, boolean encrypt, EventLoop loop, LoginListener listener) {
        HostAddress host = target.host();
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(
                        target.timeout().isZero() ? 0 : target.timeout().toMillis(), Integer.MAX_VALUE))
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        transport.tune(channel);
                        channel.pipeline().addLast("login", new ServerLogin(target, encrypt, listener));
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

    /** Listens to the first of two attempts; the second, with TLS or without, has the last word. */
    private final class OtherWay implements LoginListener {
        private final ServerTarget target;
        private final boolean encrypted;
        private final EventLoop loop;
        private final LoginListener listener;

        OtherWay(ServerTarget target, boolean encrypted, EventLoop loop, LoginListener listener) {
            this.target = target;
            this.encrypted = encrypted;
            this.loop = loop;
            this.listener = listener;
        }

        @Override
        public void connected(ServerConnection server) {
            listener.connected(server);
        }

        @Override
        public void failed(ErrorFields error) {
            boolean byRule = error.code().equals(SqlState.INVALID_AUTHORIZATION.code());
            boolean byHandshake = encrypted && error.code().equals(ServerLogin.HANDSHAKE_FAILURE.code());
            if (byRule || byHandshake) {
                LOG.debug("{} trying again {} TLS: {}", target.host(), encrypted ? "without" : "with", error.message());
                attempt(target, !encrypted, loop, listener);
            } else {
                listener.failed(error);
            }
        }
    }

    /** How Netty's native transports begin: {@code io_uring connect(..) failed with error(-111): Connection refused}. */
    private static final Pattern SYSTEM_CALL =
            Pattern.compile("^.*\\(\\.\\.\\) failed(?: with error\\(-?[0-9]+\\))?: ");

    /** What went wrong first, in the system's words: a refused certificate is wrapped, and differently by each provider of TLS. */
    static String reason(Throwable failure) {
        String expired = ServerTls.expired(failure);
        if (expired != null) {
            return expired;
        }
        Throwable first = failure;
        while (first.getCause() != null) {
            first = first.getCause();
        }
        if (first instanceof FileNotFoundException) { // Netty's, for a unix socket, says nothing
            return "No such file or directory";
        }
        String message = first.getMessage();
        return message == null
                ? first.getClass().getSimpleName()
                : SYSTEM_CALL.matcher(message).replaceFirst("");
    }
}
