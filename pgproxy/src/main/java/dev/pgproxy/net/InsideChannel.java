package dev.pgproxy.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.EventLoop;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a client that is a part of this program: no socket, so nobody else can have one. Runs on any event loop,
 * which Netty's LocalChannel does not. Confined to its loop.
 */
public final class InsideChannel extends AbstractChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false);

    /** The client. */
    public interface Client {
        /** Bytes for it, which it releases. It must not answer before it returns. */
        void received(ByteBuf bytes);

        /** The connection has ended. */
        void closed();
    }

    private final Client client;
    private final ChannelConfig config = new DefaultChannelConfig(this);
    private boolean open = true;

    /** To be registered with a loop. */
    public InsideChannel(Client client) {
        super(null);
        this.client = client;
    }

    /** The client has sent these, whose ownership it gives up. */
    public void send(ByteBuf bytes) {
        pipeline().fireChannelRead(bytes);
        pipeline().fireChannelReadComplete();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer out) {
        for (Object next = out.current(); next != null; next = out.current()) {
            client.received(((ByteBuf) next).retain());
            out.remove();
        }
    }

    @Override
    protected void doClose() {
        open = false;
        client.closed();
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new AbstractUnsafe() {
            @Override
            public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
                promise.setFailure(new UnsupportedOperationException());
            }
        };
    }

    @Override
    protected @Nullable SocketAddress localAddress0() {
        return null;
    }

    @Override
    protected @Nullable SocketAddress remoteAddress0() {
        return null;
    }

    @Override
    protected void doBind(SocketAddress local) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected void doDisconnect() {
        doClose();
    }

    @Override
    protected void doBeginRead() {}

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public boolean isActive() {
        return open;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }
}
