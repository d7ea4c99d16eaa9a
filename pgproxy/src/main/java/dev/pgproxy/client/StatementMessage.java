package dev.pgproxy.client;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

/**
 * A Query or Parse taken apart.
 *
 * @param type of the message
 * @param head what stands before the text: the name that a Parse gives, with its zero
 * @param text without its zero
 * @param tail what stands behind the text: its zero, and the types of parameters
 */
record StatementMessage(byte type, byte[] head, byte[] text, byte[] tail) {
    /** Of a message that is whole and well-formed. */
    static StatementMessage of(ByteBuf message) {
        int end = message.readableBytes();
        byte type = message.getByte(0);
        int textAt =
                type == FrontendType.QUERY ? FrameReader.HEADER : CString.find(message, FrameReader.HEADER, end) + 1;
        int textEnd = CString.find(message, textAt, end);
        return new StatementMessage(
                type,
                ByteBufUtil.getBytes(message, FrameReader.HEADER, textAt - FrameReader.HEADER),
                ByteBufUtil.getBytes(message, textAt, textEnd - textAt),
                ByteBufUtil.getBytes(message, textEnd, end - textEnd));
    }

    /** The same message with another text. */
    ByteBuf with(byte[] other) {
        int length = head.length + other.length + tail.length;
        return Unpooled.buffer(FrameReader.HEADER + length)
                .writeByte(type)
                .writeInt(Integer.BYTES + length)
                .writeBytes(head)
                .writeBytes(other)
                .writeBytes(tail);
    }
}
