package dev.pgproxy.cancel;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.net.Transport;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.time.Duration;
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

    /** Sends; {@code done} runs on {@code loop} when the host has closed the connection, or it failed. */
    public void send(HostAddress host, int processId, byte[] secret, Duration timeout, EventLoop loop, Runnable done) {
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) timeout.toMillis())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        transport.tune(channel);
                        channel.pipeline().addLast(new Request(processId, secret, timeout, done));
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

    private static final class Request extends ChannelInboundHandlerAdapter {
        private final int processId;
        private final byte[] secret;
        private final Duration timeout;
        private final Runnable done;

        Request(int processId, byte[] secret, Duration timeout, Runnable done) {
            this.processId = processId;
            this.secret = secret;
            this.timeout = timeout;
            this.done = done;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ByteBuf out = ctx.alloc().buffer(12 + secret.length);
            FrontendWriter.cancelRequest(out, processId, secret);
            ctx.writeAndFlush(out);
            if (!timeout.isZero()) {
                ctx.executor()
                        .schedule(() -> ctx.close(), timeout.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            done.run();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }
}
