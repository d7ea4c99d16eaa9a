package dev.pgproxy.protocol.frontend;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrontendType;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Writes what pgproxy says to a server. Each method appends one message to {@code out}. Stateless. Source: manual,
 * "Message Formats" (F).
 */
public final class FrontendWriter {
    /** What a Close or Describe is about: a prepared statement. */
    public static final byte STATEMENT = 'S';

    /** What a Close or Describe is about: a portal. */
    public static final byte PORTAL = 'P';

    private FrontendWriter() {}

    /** {@code Int32 length, Int32 version, (String name, String value) ..., Byte1 0}. */
    public static void startup(ByteBuf out, int version, Map<String, String> parameters) {
        int start = out.writerIndex();
        out.writeInt(0).writeInt(version);
        parameters.forEach((name, value) -> {
            CString.write(out, name);
            CString.write(out, value);
        });
        out.writeByte(0);
        out.setInt(start, out.writerIndex() - start);
    }

    /** {@code Int32 8, Int32 80877103}. */
    public static void sslRequest(ByteBuf out) {
        out.writeInt(8).writeInt(80877103);
    }

    /** {@code Int32 length, Int32 80877102, Int32 process id, Byten secret}. */
    public static void cancelRequest(ByteBuf out, int processId, byte[] secret) {
        out.writeInt(12 + secret.length).writeInt(80877102).writeInt(processId).writeBytes(secret);
    }

    /** {@code p, Int32 length, Byten}: PasswordMessage when the text ends with zero, or SASLResponse. */
    public static void passwordBytes(ByteBuf out, byte[] body) {
        out.writeByte(FrontendType.PASSWORD).writeInt(4 + body.length).writeBytes(body);
    }

    /** {@code p, Int32 length, String password}. */
    public static void password(ByteBuf out, String password) {
        int start = begin(out, FrontendType.PASSWORD);
        CString.write(out, password);
        finish(out, start);
    }

    /** {@code p, Int32 length, String mechanism, Int32 length, Byten client-first-message}. */
    public static void saslInitial(ByteBuf out, String mechanism, byte[] message) {
        int start = begin(out, FrontendType.PASSWORD);
        CString.write(out, mechanism);
        out.writeInt(message.length).writeBytes(message);
        finish(out, start);
    }

    /** {@code Q, Int32 length, String text}. */
    public static void query(ByteBuf out, String text) {
        int start = begin(out, FrontendType.QUERY);
        CString.write(out, text);
        finish(out, start);
    }

    /** {@code P, Int32 length, String name, String text, Int16 0}. */
    public static void parse(ByteBuf out, String name, String text) {
        int start = begin(out, FrontendType.PARSE);
        CString.write(out, name);
        CString.write(out, text);
        out.writeShort(0);
        finish(out, start);
    }

    /** Parse with a body that starts behind the name: text, number of types, types. */
    public static void parse(ByteBuf out, byte[] name, byte[] rest) {
        out.writeByte(FrontendType.PARSE).writeInt(4 + name.length + 1 + rest.length);
        out.writeBytes(name).writeByte(0).writeBytes(rest);
    }

    /**
     * {@code B, Int32 length, String portal, String statement, Int16 0, Int16 1, Int32 length, Byten value, Int16 0}: the
     * unnamed portal of the unnamed statement with one value in text format.
     */
    public static void bind(ByteBuf out, String value) {
        int start = begin(out, FrontendType.BIND);
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        out.writeShort(0)
                .writeShort(0)
                .writeShort(1)
                .writeInt(bytes.length)
                .writeBytes(bytes)
                .writeShort(0);
        finish(out, start);
    }

    /** Bind of the unnamed portal with what is behind the names in another Bind: formats, values, formats of the result. */
    public static void bind(ByteBuf out, byte[] statement, ByteBuf rest, int index, int length) {
        out.writeByte(FrontendType.BIND).writeInt(4 + 1 + statement.length + 1 + length);
        out.writeByte(0).writeBytes(statement).writeByte(0).writeBytes(rest, index, length);
    }

    /** {@code E, Int32 length, String portal, Int32 0}: the unnamed portal to its end. */
    public static void execute(ByteBuf out) {
        out.writeByte(FrontendType.EXECUTE).writeInt(9).writeByte(0).writeInt(0);
    }

    /** {@code B, Int32 length, String portal, String statement, Int16 0, Int16 0, Int16 0}: no parameters. */
    public static void bind(ByteBuf out, String portal, String statement) {
        int start = begin(out, FrontendType.BIND);
        CString.write(out, portal);
        CString.write(out, statement);
        out.writeShort(0).writeShort(0).writeShort(0);
        finish(out, start);
    }

    /** {@code E, Int32 length, String portal, Int32 0}: all rows. */
    public static void execute(ByteBuf out, String portal) {
        int start = begin(out, FrontendType.EXECUTE);
        CString.write(out, portal);
        out.writeInt(0);
        finish(out, start);
    }

    /** {@code C, Int32 length, Byte1 S or P, String name}. */
    public static void close(ByteBuf out, byte kind, byte[] name) {
        target(out, FrontendType.CLOSE, kind, name);
    }

    /** {@code D, Int32 length, Byte1 S or P, String name}. */
    public static void describe(ByteBuf out, byte kind, byte[] name) {
        target(out, FrontendType.DESCRIBE, kind, name);
    }

    private static void target(ByteBuf out, byte type, byte kind, byte[] name) {
        out.writeByte(type).writeInt(4 + 1 + name.length + 1);
        out.writeByte(kind).writeBytes(name).writeByte(0);
    }

    /** {@code S, Int32 4}. */
    public static void sync(ByteBuf out) {
        out.writeByte(FrontendType.SYNC).writeInt(4);
    }

    /** {@code X, Int32 4}. */
    public static void terminate(ByteBuf out) {
        out.writeByte(FrontendType.TERMINATE).writeInt(4);
    }

    /** {@code f, Int32 length, String reason}. */
    public static void copyFail(ByteBuf out, String reason) {
        int start = begin(out, FrontendType.COPY_FAIL);
        CString.write(out, reason);
        finish(out, start);
    }

    private static int begin(ByteBuf out, byte type) {
        int start = out.writerIndex();
        out.writeByte(type).writeInt(0);
        return start;
    }

    private static void finish(ByteBuf out, int start) {
        out.setInt(start + 1, out.writerIndex() - start - 1);
    }
}
