package dev.pgproxy.protocol.backend;

import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.CString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes what pgproxy says to a client. Each method appends one message to {@code out}. Stateless. Source: manual,
 * "Message Formats" (B).
 */
public final class BackendWriter {
    private BackendWriter() {}

    /** {@code R, Int32 8, Int32 0}. */
    public static void authenticationOk(ByteBuf out) {
        out.writeByte(BackendType.AUTHENTICATION).writeInt(8).writeInt(0);
    }

    /** {@code R, Int32 8, Int32 3}. */
    public static void authenticationCleartextPassword(ByteBuf out) {
        out.writeByte(BackendType.AUTHENTICATION).writeInt(8).writeInt(3);
    }

    /** {@code R, Int32 12, Int32 5, Byte4 salt}. */
    public static void authenticationMd5Password(ByteBuf out, byte[] salt) {
        out.writeByte(BackendType.AUTHENTICATION).writeInt(12).writeInt(5).writeBytes(salt, 0, 4);
    }

    /** {@code R, Int32 length, Int32 10, String mechanism ..., Byte1 0}. */
    public static void authenticationSasl(ByteBuf out, List<String> mechanisms) {
        int start = begin(out, BackendType.AUTHENTICATION);
        out.writeInt(10);
        for (String mechanism : mechanisms) {
            CString.write(out, mechanism);
        }
        out.writeByte(0);
        finish(out, start);
    }

    /** {@code R, Int32 length, Int32 11, Byten server-first-message}. */
    public static void authenticationSaslContinue(ByteBuf out, String message) {
        sasl(out, 11, message);
    }

    /** {@code R, Int32 length, Int32 12, Byten server-final-message}. */
    public static void authenticationSaslFinal(ByteBuf out, String message) {
        sasl(out, 12, message);
    }

    private static void sasl(ByteBuf out, int kind, String message) {
        int start = begin(out, BackendType.AUTHENTICATION);
        out.writeInt(kind);
        ByteBufUtil.writeUtf8(out, message);
        finish(out, start);
    }

    /** {@code K, Int32 length, Int32 process id, Byten secret}. */
    public static void backendKeyData(ByteBuf out, int processId, byte[] secret) {
        out.writeByte(BackendType.BACKEND_KEY_DATA).writeInt(8 + secret.length);
        out.writeInt(processId).writeBytes(secret);
    }

    /** {@code v, Int32 length, Int32 newest version, Int32 count, String option ...}. */
    public static void negotiateProtocolVersion(ByteBuf out, int version, List<String> unknownOptions) {
        int start = begin(out, BackendType.NEGOTIATE_PROTOCOL_VERSION);
        out.writeInt(version).writeInt(unknownOptions.size());
        for (String option : unknownOptions) {
            CString.write(out, option);
        }
        finish(out, start);
    }

    /** {@code S, Int32 length, String name, String value}. */
    public static void parameterStatus(ByteBuf out, String name, String value) {
        int start = begin(out, BackendType.PARAMETER_STATUS);
        CString.write(out, name);
        CString.write(out, value);
        finish(out, start);
    }

    /** {@code Z, Int32 5, Byte1 status}. */
    public static void readyForQuery(ByteBuf out, byte status) {
        out.writeByte(BackendType.READY_FOR_QUERY).writeInt(5).writeByte(status);
    }

    /** {@code C, Int32 length, String tag}. */
    public static void commandComplete(ByteBuf out, String tag) {
        int start = begin(out, BackendType.COMMAND_COMPLETE);
        CString.write(out, tag);
        finish(out, start);
    }

    /** A message without a body: ParseComplete, BindComplete, CloseComplete, NoData, EmptyQueryResponse. */
    public static void empty(ByteBuf out, byte type) {
        out.writeByte(type).writeInt(4);
    }

    /** {@code t, Int32 length, Int16 0}: a statement without parameters. */
    public static void noParameters(ByteBuf out) {
        out.writeByte(BackendType.PARAMETER_DESCRIPTION).writeInt(6).writeShort(0);
    }

    /** {@code A, Int32 length, Int32 process id, String channel, String payload}. */
    public static void notification(ByteBuf out, int processId, String channel, String payload) {
        int start = begin(out, BackendType.NOTIFICATION_RESPONSE);
        out.writeInt(processId);
        CString.write(out, channel);
        CString.write(out, payload);
        finish(out, start);
    }

    /** RowDescription; {@code formats} as in Bind: none, one for all, or one for each (0 text, 1 binary). */
    public static void rowDescription(ByteBuf out, List<String> names, List<ColumnType> types, short[] formats) {
        int start = begin(out, BackendType.ROW_DESCRIPTION);
        out.writeShort(names.size());
        for (int i = 0; i < names.size(); i++) {
            ColumnType type = types.get(i);
            CString.write(out, names.get(i));
            out.writeInt(0).writeShort(0);
            out.writeInt(type.oid()).writeShort(type.size());
            out.writeInt(-1).writeShort(format(formats, i));
        }
        finish(out, start);
    }

    /** DataRow of values given as text; null is SQL's NULL. Formats as for {@link #rowDescription}. */
    public static void dataRow(
            ByteBuf out, List<? extends @Nullable String> values, List<ColumnType> types, short[] formats) {
        int start = begin(out, BackendType.DATA_ROW);
        out.writeShort(values.size());
        for (int i = 0; i < values.size(); i++) {
            String value = values.get(i);
            if (value == null) {
                out.writeInt(-1);
            } else if (format(formats, i) == 0) {
                ColumnType.writeText(out, value);
            } else {
                types.get(i).writeBinary(out, value);
            }
        }
        finish(out, start);
    }

    private static int format(short[] formats, int column) {
        if (formats.length == 0) {
            return 0;
        }
        return formats.length == 1 ? formats[0] : formats[Math.min(column, formats.length - 1)];
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
