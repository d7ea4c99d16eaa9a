package dev.pgproxy.protocol.startup;

import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.ProtocolViolation;
import io.netty.buffer.ByteBuf;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads untyped first messages, with the limits that hold before authentication. Stateless. Source:
 * src/backend/postmaster/postmaster.c (ProcessStartupPacket), libpq/pqcomm.h.
 *
 * <pre>
 *   length : Int32, of itself and the rest
 *   code   : Int32, a protocol version or a request code
 *   rest   : length - 8 bytes
 * </pre>
 */
public final class InitialMessageReader {
    /** Longest start-up packet, as PostgreSQL's MAX_STARTUP_PACKET_LENGTH. */
    public static final int MAX_LENGTH = 10_000;

    private static final int MIN_CANCEL = 12;
    private static final int MAX_CANCEL = 12 + 256;

    private InitialMessageReader() {}

    /**
     * Takes one message from the reader index on, or returns null and leaves the index when it is not yet whole.
     *
     * @throws ProtocolViolation if it is too long, too short or malformed
     */
    public static @Nullable InitialMessage read(ByteBuf in) {
        if (in.readableBytes() < 4) {
            return null;
        }
        int start = in.readerIndex();
        int length = in.getInt(start);
        if (length < 8 || length > MAX_LENGTH) {
            throw new ProtocolViolation("invalid length of startup packet");
        }
        if (in.readableBytes() < length) {
            return null;
        }
        int code = in.getInt(start + 4);
        in.readerIndex(start + length);
        return switch (code) {
            case InitialMessage.SSL_REQUEST -> exactly(length, new InitialMessage.SslRequest());
            case InitialMessage.GSSENC_REQUEST -> exactly(length, new InitialMessage.GssEncRequest());
            case InitialMessage.CANCEL_REQUEST -> cancel(in, start, length);
            default -> startup(in, start, length, code);
        };
    }

    private static InitialMessage exactly(int length, InitialMessage message) {
        if (length != 8) {
            throw new ProtocolViolation("invalid length of startup packet");
        }
        return message;
    }

    private static InitialMessage cancel(ByteBuf in, int start, int length) {
        if (length < MIN_CANCEL || length > MAX_CANCEL) {
            throw new ProtocolViolation("invalid length of cancel request packet");
        }
        byte[] secret = new byte[length - 12];
        in.getBytes(start + 12, secret);
        return new InitialMessage.CancelRequest(in.getInt(start + 8), secret);
    }

    private static InitialMessage startup(ByteBuf in, int start, int length, int version) {
        if (version >>> 16 != 3) {
            throw new ProtocolViolation(
                    SqlState.FEATURE_NOT_SUPPORTED,
                    "unsupported frontend protocol " + (version >>> 16) + "." + (version & 0xffff)
                            + ": server supports 3.0 to 3.2");
        }
        Map<String, String> parameters = new LinkedHashMap<>();
        int end = start + length;
        int i = start + 8;
        while (i < end && in.getByte(i) != 0) {
            String name = CString.read(in, i, end);
            i = CString.end(in, i, end) + 1;
            if (i >= end) {
                throw new ProtocolViolation("invalid startup packet layout: expected terminator as last byte");
            }
            String value = CString.read(in, i, end);
            i = CString.end(in, i, end) + 1;
            parameters.put(name, value);
        }
        if (i != end - 1) {
            throw new ProtocolViolation("invalid startup packet layout: expected terminator as last byte");
        }
        return new InitialMessage.Startup(version, parameters);
    }
}
