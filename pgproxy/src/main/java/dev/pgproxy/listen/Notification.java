package dev.pgproxy.listen;

import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * One NotificationResponse. Immutable: nobody writes to {@code payload}. Source: manual, "Message Formats".
 *
 * <pre>
 *   'A', Int32 length, Int32 process id, String channel, String payload
 * </pre>
 *
 * @param payload its bytes as they came, without the terminator
 */
public record Notification(int processId, String channel, byte[] payload) {
    /** What an object costs besides its payload, in bytes, about. */
    private static final int OVERHEAD = 128;

    /** Reads a whole message. */
    public static Notification read(ByteBuf buf, int index, int length) {
        int end = index + length;
        int channelAt = index + FrameReader.HEADER + Integer.BYTES;
        int payloadAt = CString.end(buf, channelAt, end) + 1;
        byte[] payload = new byte[CString.end(buf, payloadAt, end) - payloadAt];
        buf.getBytes(payloadAt, payload);
        return new Notification(buf.getInt(index + FrameReader.HEADER), CString.read(buf, channelAt, end), payload);
    }

    /** The same from another process. */
    public Notification from(int otherProcessId) {
        return otherProcessId == processId ? this : new Notification(otherProcessId, channel, payload);
    }

    /** Appends it as a message. */
    public void write(ByteBuf out) {
        int start = out.writerIndex();
        out.writeByte(BackendType.NOTIFICATION_RESPONSE).writeInt(0).writeInt(processId);
        CString.write(out, channel);
        out.writeBytes(payload).writeByte(0);
        out.setInt(start + 1, out.writerIndex() - start - 1);
    }

    /** Bytes it takes in memory, about. */
    public int size() {
        return OVERHEAD + payload.length;
    }

    /** The payload as text. */
    public String text() {
        return new String(payload, StandardCharsets.UTF_8);
    }
}
