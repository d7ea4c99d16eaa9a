package dev.pgproxy.protocol.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** Messages written by hand, as documentation of the wire: each call appends one part. Confined to one thread. */
public final class FrameBytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    public FrameBytes byte1(int value) {
        out.write(value);
        return this;
    }

    public FrameBytes int16(int value) {
        out.writeBytes(ByteBuffer.allocate(2).putShort((short) value).array());
        return this;
    }

    public FrameBytes int32(int value) {
        out.writeBytes(ByteBuffer.allocate(4).putInt(value).array());
        return this;
    }

    /** Text with its terminator. */
    public FrameBytes string(String text) {
        return text(text).byte1(0);
    }

    /** Text without terminator. */
    public FrameBytes text(String text) {
        out.writeBytes(text.getBytes(UTF_8));
        return this;
    }

    public byte[] bytes() {
        return out.toByteArray();
    }
}
