package dev.pgproxy.protocol.backend;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import io.netty.buffer.ByteBuf;

/** The tag of CommandComplete: {@code C, Int32 length, String tag}. Stateless. */
public final class CommandTag {
    private CommandTag() {}

    /** The tag of a whole CommandComplete message. */
    public static String read(ByteBuf buf, int index, int length) {
        return CString.read(buf, index + FrameReader.HEADER, index + length);
    }
}
