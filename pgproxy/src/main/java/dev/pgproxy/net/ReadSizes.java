package dev.pgproxy.net;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;

/** How large a read buffer is. Stateless. */
final class ReadSizes {
    private static final int MIN = 512;
    private static final int START = 2048;

    private ReadSizes() {}

    /** Small for the usual message, growing up to {@code max} while reads fill it. */
    static RecvByteBufAllocator allocator(int max) {
        return new AdaptiveRecvByteBufAllocator(MIN, START, max).maxMessagesPerRead(4);
    }
}
