package dev.pgproxy.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Every frontend message as bytes, written without the product's own code so that a fault there is not repeated here.
 * Thread-safe. Source: the manual, "Message Formats".
 */
public final class Frontend {

    public static final int VERSION_3_0 = 3 << 16;
    public static final int VERSION_3_2 = 3 << 16 | 2;
    public static final int VERSION_3_99 = 3 << 16 | 99;

    private static final int CANCEL_REQUEST = 1234 << 16 | 5678;
    private static final int SSL_REQUEST = 1234 << 16 | 5679;
    private static final int GSSENC_REQUEST = 1234 << 16 | 5680;

    private Frontend() {}

    public static byte[] startup(int version, Map<String, String> parameters) {
        Body body = new Body().int32(version);
        parameters.forEach((name, value) -> body.cstring(name).cstring(value));
        return body.int8(0).untyped();
    }

    public static byte[] sslRequest() {
        return new Body().int32(SSL_REQUEST).untyped();
    }

    public static byte[] gssEncRequest() {
        return new Body().int32(GSSENC_REQUEST).untyped();
    }

    public static byte[] cancelRequest(int processId, byte[] secretKey) {
        return new Body()
                .int32(CANCEL_REQUEST)
                .int32(processId)
                .bytes(secretKey)
                .untyped();
    }

    public static byte[] query(String sql) {
        return new Body().cstring(sql).typed('Q');
    }

    public static byte[] parse(String statement, String sql, int... parameterTypes) {
        Body body = new Body().cstring(statement).cstring(sql).int16(parameterTypes.length);
        for (int oid : parameterTypes) {
            body.int32(oid);
        }
        return body.typed('P');
    }

    /** Formats as in the protocol: none (all text), one for all, or one each; 0 is text, 1 binary. */
    public static byte[] bind(
            String portal,
            String statement,
            int[] parameterFormats,
            List<byte @Nullable []> values,
            int[] resultFormats) {
        Body body = new Body().cstring(portal).cstring(statement).int16s(parameterFormats);
        body.int16(values.size());
        values.forEach(body::value);
        return body.int16s(resultFormats).typed('B');
    }

    public static byte[] describeStatement(String name) {
        return new Body().int8('S').cstring(name).typed('D');
    }

    public static byte[] describePortal(String name) {
        return new Body().int8('P').cstring(name).typed('D');
    }

    public static byte[] execute(String portal, int maxRows) {
        return new Body().cstring(portal).int32(maxRows).typed('E');
    }

    public static byte[] closeStatement(String name) {
        return new Body().int8('S').cstring(name).typed('C');
    }

    public static byte[] closePortal(String name) {
        return new Body().int8('P').cstring(name).typed('C');
    }

    public static byte[] sync() {
        return new Body().typed('S');
    }

    public static byte[] flush() {
        return new Body().typed('H');
    }

    public static byte[] terminate() {
        return new Body().typed('X');
    }

    public static byte[] copyData(byte[] bytes) {
        return new Body().bytes(bytes).typed('d');
    }

    public static byte[] copyDone() {
        return new Body().typed('c');
    }

    public static byte[] copyFail(String reason) {
        return new Body().cstring(reason).typed('f');
    }

    public static byte[] functionCall(
            int function, int[] argumentFormats, List<byte @Nullable []> arguments, int resultFormat) {
        Body body = new Body().int32(function).int16s(argumentFormats).int16(arguments.size());
        arguments.forEach(body::value);
        return body.int16(resultFormat).typed('F');
    }

    /** PasswordMessage, and the answer to an MD5 request. */
    public static byte[] password(String password) {
        return new Body().cstring(password).typed('p');
    }

    public static byte[] saslInitialResponse(String mechanism, String first) {
        byte[] bytes = first.getBytes(StandardCharsets.UTF_8);
        return new Body().cstring(mechanism).value(bytes).typed('p');
    }

    public static byte[] saslResponse(String text) {
        return new Body().bytes(text.getBytes(StandardCharsets.UTF_8)).typed('p');
    }

    /** Any type with any body, its length told truly. */
    public static byte[] message(char type, byte[] body) {
        return new Body().bytes(body).typed(type);
    }

    /** A head that lies: the type, the length as given, then the body. */
    public static byte[] lying(char type, int length, byte[] body) {
        return ByteBuffer.allocate(5 + body.length)
                .put((byte) type)
                .putInt(length)
                .put(body)
                .array();
    }

    /** A growing message body, big-endian. */
    private static final class Body {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Body int8(int value) {
            bytes.write(value);
            return this;
        }

        Body int16(int value) {
            return int8(value >>> 8).int8(value);
        }

        Body int32(int value) {
            return int16(value >>> 16).int16(value);
        }

        Body int16s(int[] values) {
            int16(values.length);
            for (int value : values) {
                int16(value);
            }
            return this;
        }

        Body bytes(byte[] value) {
            bytes.writeBytes(value);
            return this;
        }

        Body cstring(String value) {
            return bytes(value.getBytes(StandardCharsets.UTF_8)).int8(0);
        }

        Body value(byte @Nullable [] value) {
            return value == null ? int32(-1) : int32(value.length).bytes(value);
        }

        byte[] typed(char type) {
            byte[] body = bytes.toByteArray();
            return lying(type, 4 + body.length, body);
        }

        byte[] untyped() {
            byte[] body = bytes.toByteArray();
            return ByteBuffer.allocate(4 + body.length)
                    .putInt(4 + body.length)
                    .put(body)
                    .array();
        }
    }
}
