package dev.pgproxy.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * A server whose bytes are no longer looked at, for replication. Confined to the loop of its channel, which is the
 * client's.
 */
public final class RawServer extends ChannelInboundHandlerAdapter {
    /** Takes what the server sends. */
    public interface Listener {
        /** Bytes; the listener owns them. */
        void bytes(ByteBuf in);

        /** What there was has been read. */
        void burstEnd();

        /** The server's socket takes more, or no more. */
        void writable(boolean writable);

        /** The connection is gone. */
        void lost();
    }

    private final Listener listener;

    private RawServer(Listener listener) {
        this.listener = listener;
    }

    /** Takes the channel of a server that has just logged in. */
    public static Channel take(ServerConnection server, Listener listener) {
        Channel channel = server.channel();
        server.state(ServerState.ACTIVE);
        channel.pipeline().replace("server", "raw", new RawServer(listener));
        return channel;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        listener.bytes((ByteBuf) msg);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        listener.burstEnd();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        listener.writable(ctx.channel().isWritable());
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        listener.lost();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
