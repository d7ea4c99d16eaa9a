package dev.pgproxy.cancel;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.net.ServerTls;
import dev.pgproxy.net.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends a CancelRequest to a host over a connection of its own and waits until the host has closed it: only then has the
 * signal been sent. Thread-safe.
 */
public final class CancelForwarder {
    private static final Logger LOG = LoggerFactory.getLogger(CancelForwarder.class);

    private final Transport transport;

    /** Connects over {@code transport}. */
    public CancelForwarder(Transport transport) {
        this.transport = transport;
    }

    /**
     * Sends; {@code done} runs on {@code loop} when the host has closed the connection, or it failed.
     *
     * @param tls what to encrypt with, as the connection is whose query is cancelled; null = not at all
     */
    public void send(
            HostAddress host,
            int processId,
            byte[] secret,
            @Nullable ServerTls tls,
            Duration timeout,
            EventLoop loop,
            Runnable done) {
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) timeout.toMillis())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        transport.tune(channel);
                        channel.pipeline().addLast(new CancelSender(host, processId, secret, tls, timeout, done));
                    }
                });
        transport.clientSocket(bootstrap, host.isUnixSocket());
        bootstrap.connect(transport.address(host)).addListener(future -> {
            if (!future.isSuccess()) {
                LOG.warn("cancel request to {} failed: {}", host, future.cause().getMessage());
                done.run();
            }
        });
    }
}
