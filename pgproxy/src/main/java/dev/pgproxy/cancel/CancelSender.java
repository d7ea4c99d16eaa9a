package dev.pgproxy.cancel;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.net.ServerTls;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection that carries a CancelRequest: SSLRequest first where the connection to be cancelled is encrypted, as
 * libpq does since PostgreSQL 17 (PQcancelStart). Used once, confined to the channel's loop.
 */
final class CancelSender extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(CancelSender.class);

    private final HostAddress host;
    private final int processId;
    private final byte[] secret;
    private final @Nullable ServerTls tls;
    private final Duration timeout;
    private final Runnable done;
    private boolean asked;

    CancelSender(
            HostAddress host, int processId, byte[] secret, @Nullable ServerTls tls, Duration timeout, Runnable done) {
        this.host = host;
        this.processId = processId;
        this.secret = secret;
        this.tls = tls;
        this.timeout = timeout;
        this.done = done;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        if (!timeout.isZero()) {
            ctx.executor().schedule(() -> ctx.close(), timeout.toMillis(), TimeUnit.MILLISECONDS);
        }
        if (tls == null) {
            send(ctx);
            return;
        }
        asked = true;
        ByteBuf out = ctx.alloc().buffer(8);
        FrontendWriter.sslRequest(out);
        ctx.writeAndFlush(out);
    }

    private void send(ChannelHandlerContext ctx) {
        ByteBuf out = ctx.alloc().buffer(12 + secret.length);
        FrontendWriter.cancelRequest(out, processId, secret);
        ctx.writeAndFlush(out);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        ByteBuf in = (ByteBuf) msg;
        try {
            if (tls == null || !asked || !in.isReadable()) {
                return; // a CancelRequest has no answer
            }
            asked = false;
            byte answer = in.readByte();
            if (answer == 'S' && !in.isReadable()) {
                encrypt(ctx, tls);
            } else if (answer == 'N' && !tls.insists()) {
                send(ctx);
            } else {
                fail(ctx, "it does not answer to SSLRequest as it did before");
            }
        } finally {
            in.release();
        }
    }

    private void encrypt(ChannelHandlerContext ctx, ServerTls with) {
        SslHandler handler = with.handler(ctx.channel(), host);
        ctx.pipeline().addFirst("tls", handler);
        handler.handshakeFuture().addListener(future -> {
            if (future.isSuccess()) {
                send(ctx);
            } else {
                fail(ctx, future.cause().toString());
            }
        });
    }

    private void fail(ChannelHandlerContext ctx, String reason) {
        LOG.warn("cancel request to {} failed: {}", host, reason);
        ctx.close();
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
