package dev.pgproxy.protocol.frame;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;

/** Text that ends with a zero byte, as the protocol's String type. Stateless. */
public final class CString {
    private CString() {}

    /**
     * Index of the terminator.
     *
     * @throws ProtocolViolation if there is none before {@code end}
     */
    public static int end(ByteBuf buf, int from, int end) {
        int at = buf.indexOf(from, end, (byte) 0);
        if (at < 0) {
            throw new ProtocolViolation("invalid string in message");
        }
        return at;
    }

    /** Index of the terminator, or -1 if there is none before {@code end}. */
    public static int find(ByteBuf buf, int from, int end) {
        return from > end ? -1 : buf.indexOf(from, end, (byte) 0);
    }

    /** Whether these bytes stand at {@code index}. */
    public static boolean isAt(byte[] bytes, ByteBuf buf, int index) {
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != buf.getByte(index + i)) {
                return false;
            }
        }
        return true;
    }

    /** The text from {@code from} up to its terminator. */
    public static String read(ByteBuf buf, int from, int end) {
        int zero = end(buf, from, end);
        return buf.toString(from, zero - from, StandardCharsets.UTF_8);
    }

    /** Reads from the reader index and moves it behind the terminator. */
    public static String read(ByteBuf buf) {
        int from = buf.readerIndex();
        int zero = end(buf, from, buf.writerIndex());
        buf.readerIndex(zero + 1);
        return buf.toString(from, zero - from, StandardCharsets.UTF_8);
    }

    /** Appends text and terminator; a zero in the text would end it early and is left out. */
    public static void write(ByteBuf out, String text) {
        ByteBufUtil.writeUtf8(out, text.indexOf(0) < 0 ? text : text.replace("\0", ""));
        out.writeByte(0);
    }
}
