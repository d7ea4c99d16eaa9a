package dev.pgproxy.protocol.backend;

import dev.pgproxy.protocol.frame.BackendType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * Messages that are always the same, made once. Release has no effect on them; take a {@code duplicate()} to write one.
 * Thread-safe.
 */
public final class ConstantReplies {
    public static final ByteBuf PARSE_COMPLETE = empty(BackendType.PARSE_COMPLETE);
    public static final ByteBuf BIND_COMPLETE = empty(BackendType.BIND_COMPLETE);
    public static final ByteBuf NO_DATA = empty(BackendType.NO_DATA);
    public static final ByteBuf CLOSE_COMPLETE = empty(BackendType.CLOSE_COMPLETE);

    private ConstantReplies() {}

    private static ByteBuf empty(byte type) {
        ByteBuf message = Unpooled.directBuffer(5, 5);
        BackendWriter.empty(message, type);
        return Unpooled.unreleasableBuffer(message.asReadOnly());
    }
}
