package dev.pgproxy.server;

import dev.pgproxy.protocol.frame.ProtocolViolation;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of a server's pipeline. Usually the channel's loop also owns the connection and events go straight in. While a
 * client of another loop has the server, all of them are passed to that loop, and counted; ownership comes home only
 * when everything passed on has been handled, so that their order never changes and only one loop at a time touches the
 * connection. See docs/decisions/0001-foreign-lease.md.
 */
final class ServerHandler extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ServerHandler.class);

    private final ServerConnection connection;
    private final EventLoop home;

    /** Written on the home loop only. */
    private EventLoop owner;

    private long passed;

    ServerHandler(ServerConnection connection, EventLoop home) {
        this.connection = connection;
        this.home = home;
        this.owner = home;
    }

    /** On the home loop: from now on bytes go to {@code loop}. */
    void lend(EventLoop loop) {
        owner = loop;
        passed = 0;
    }

    /** On the home loop: the borrower has handled {@code handled} events; home again if that is all of them. */
    boolean takeBack(long handled) {
        if (handled != passed) {
            return false;
        }
        owner = home;
        return true;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        ByteBuf in = (ByteBuf) msg;
        if (owner == home) {
            connection.read(in);
        } else {
            pass(() -> {
                connection.read(in);
                connection.burstEnd();
            });
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (owner == home) {
            connection.burstEnd();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (owner == home) {
            connection.writabilityChanged();
        } else {
            pass(connection::writabilityChanged);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (owner == home) {
            connection.closed();
        } else {
            pass(connection::closed);
        }
    }

    private void pass(Runnable event) {
        passed++;
        owner.execute(() -> {
            try {
                event.run();
            } catch (RuntimeException e) {
                LOG.error("{} unexpected failure, closing", connection, e);
                connection.close("unexpected failure");
            }
            connection.handledAway();
        });
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException || cause instanceof ProtocolViolation) {
            LOG.debug("{} {}", connection, cause.toString());
        } else {
            LOG.error("{} unexpected failure, closing", connection, cause);
        }
        ctx.close();
    }
}
