package dev.pgproxy.client;

import dev.pgproxy.config.Cidr;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;

/**
 * Reads the PROXY protocol v2 header that a trusted load balancer puts in front, then leaves the pipeline. Confined to
 * the channel's loop. Source: the PROXY protocol specification, version 2.
 */
final class ProxyHeader extends ByteToMessageDecoder {
    private static final byte[] SIGNATURE = {0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A};
    private static final int FIXED = 16;
    private static final int MAX = FIXED + 2048;

    private final ClientServices services;
    private final ClientListener listener;

    ProxyHeader(ClientServices services, ClientListener listener) {
        this.services = services;
        this.listener = listener;
    }

    /** Whether connections from there have to begin with a header. */
    static boolean isExpected(List<Cidr> from, InetAddress address) {
        for (Cidr range : from) {
            if (range.contains(address)) {
                return true;
            }
        }
        return false;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        int start = in.readerIndex();
        for (int i = 0; i < Math.min(in.readableBytes(), SIGNATURE.length); i++) {
            if (in.getByte(start + i) != SIGNATURE[i]) {
                ctx.close();
                in.skipBytes(in.readableBytes());
                return;
            }
        }
        if (in.readableBytes() < FIXED) {
            return;
        }
        int length = FIXED + in.getUnsignedShort(start + 14);
        if (length > MAX) {
            ctx.close();
            in.skipBytes(in.readableBytes());
            return;
        }
        if (in.readableBytes() < length) {
            return;
        }
        InetSocketAddress source = source(in, start);
        in.skipBytes(length);
        if (source != null) {
            if (!listener.admit(
                    ctx.channel(),
                    source.getAddress(),
                    services.config().limits().maxConnectionsPerAddress())) {
                in.skipBytes(in.readableBytes());
                return;
            }
            if (ctx.pipeline().get("client") instanceof ClientConnection client) {
                client.comesFrom(source);
            }
        }
        ctx.pipeline().remove(this);
    }

    /** The client's address; null for LOCAL and for families without one. */
    private static @org.jspecify.annotations.Nullable InetSocketAddress source(ByteBuf in, int start) {
        boolean proxied = (in.getByte(start + 12) & 0x0f) == 1;
        int family = in.getByte(start + 13) >> 4;
        int size = family == 1 ? 4 : family == 2 ? 16 : 0;
        if (!proxied || size == 0 || in.getUnsignedShort(start + 14) < 2 * size + 4) {
            return null;
        }
        byte[] address = new byte[size];
        in.getBytes(start + FIXED, address);
        try {
            return new InetSocketAddress(
                    InetAddress.getByAddress(address), in.getUnsignedShort(start + FIXED + 2 * size));
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e); // only a wrong length is unknown
        }
    }
}
