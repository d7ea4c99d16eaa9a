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

    /** How many rows a whole CommandComplete message tells, the number at the end of its tag; 0 if there is none. */
    public static long rows(ByteBuf buf, int index, int length) {
        long rows = 0;
        long unit = 1;
        int at = index + length - 2; // before the zero
        for (; at >= index + FrameReader.HEADER && isDigit(buf.getByte(at)); at--) {
            rows += unit * (buf.getByte(at) - '0');
            unit *= 10;
        }
        return at >= index + FrameReader.HEADER && buf.getByte(at) == ' ' ? rows : 0;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }
}
