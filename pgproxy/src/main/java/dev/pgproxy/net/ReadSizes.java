package dev.pgproxy.net;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;

/** How large a read buffer is: small for the usual message, growing while reads fill it. Stateless. */
final class ReadSizes {
    private static final int MIN = 512;

    /** A server sends rows. */
    private static final int SERVER = 2048;

    /** Few system calls for large results. */
    private static final int MAX = 256 * 1024;

    private ReadSizes() {}

    /** For a client: with io_uring one that is idle holds its next buffer. */
    static RecvByteBufAllocator ofClient() {
        return startingWith(MIN);
    }

    static RecvByteBufAllocator ofServer() {
        return startingWith(SERVER);
    }

    private static RecvByteBufAllocator startingWith(int size) {
        return new AdaptiveRecvByteBufAllocator(MIN, size, MAX).maxMessagesPerRead(4);
    }
}
