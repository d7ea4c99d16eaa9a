package dev.pgproxy.query;

import dev.pgproxy.protocol.frame.BackendType;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a cached result, which are those that a server has sent, in their order:
 *
 * <pre>
 *   Int32 length of what describes the statement: ParameterDescription, RowDescription; 0 if nobody asked
 *   Int32 length of what describes the portal: RowDescription; 0 if nobody asked
 *   both, then DataRow… CommandComplete; for a Query the RowDescription is among these, and there may be several of each
 * </pre>
 */
final class Answer {
    private static final int LENGTHS = 2 * Integer.BYTES;

    private Answer() {}

    /**
     * Out of everything that a client was sent in one exchange; null if it is not the whole answer to a read, or says
     * something beside it: a notice, a changed parameter, an error.
     */
    static byte @Nullable [] of(ByteBuf sent, boolean simple) {
        int end = sent.writerIndex();
        int statement = 0;
        int portal = 0;
        int body = 0;
        int previous = 0;
        boolean complete = false;
        byte[] answer = new byte[LENGTHS + sent.readableBytes()];
        int to = LENGTHS;
        for (int at = sent.readerIndex(); at < end; ) {
            byte type = sent.getByte(at);
            int length = 1 + sent.getInt(at + 1);
            boolean kept = switch (type) {
                case BackendType.DATA_ROW,
                        BackendType.ROW_DESCRIPTION,
                        BackendType.COMMAND_COMPLETE,
                        BackendType.PARAMETER_DESCRIPTION -> true;
                default -> false;
            };
            if (!kept && !isEnvelope(type)) {
                return null;
            }
            if (kept) {
                sent.getBytes(at, answer, to, length);
                to += length;
            }
            boolean describes = type == BackendType.ROW_DESCRIPTION && !simple;
            if (type == BackendType.PARAMETER_DESCRIPTION
                    || describes && previous == BackendType.PARAMETER_DESCRIPTION) {
                statement += length;
            } else if (describes) {
                portal += length;
            } else if (kept) {
                body += length;
            }
            complete = type == BackendType.COMMAND_COMPLETE || complete && !kept;
            previous = type;
            at += length;
        }
        if (!complete || portal > 0 && body == 0) {
            return null;
        }
        put(answer, 0, statement);
        put(answer, Integer.BYTES, portal);
        return to == answer.length ? answer : Arrays.copyOf(answer, to);
    }

    /** What is answered to messages around the execution, the same to everybody. */
    private static boolean isEnvelope(byte type) {
        return switch (type) {
            case BackendType.PARSE_COMPLETE,
                    BackendType.BIND_COMPLETE,
                    BackendType.CLOSE_COMPLETE,
                    BackendType.READY_FOR_QUERY -> true;
            default -> false;
        };
    }

    /** Whether it has everything that this exchange asks for. */
    static boolean suffices(byte[] answer, OneRead read) {
        return (!read.describesStatement() || get(answer, 0) > 0)
                && (!read.describesPortal() || get(answer, Integer.BYTES) > 0);
    }

    /** Writes what describes the statement. */
    static void writeStatement(byte[] answer, ByteBuf out) {
        out.writeBytes(answer, LENGTHS, get(answer, 0));
    }

    /** Writes what describes the portal. */
    static void writePortal(byte[] answer, ByteBuf out) {
        out.writeBytes(answer, LENGTHS + get(answer, 0), get(answer, Integer.BYTES));
    }

    /** Writes rows and their end. */
    static void writeBody(byte[] answer, ByteBuf out) {
        int from = LENGTHS + get(answer, 0) + get(answer, Integer.BYTES);
        out.writeBytes(answer, from, answer.length - from);
    }

    private static int get(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 24
                | (bytes[at + 1] & 0xff) << 16
                | (bytes[at + 2] & 0xff) << 8
                | bytes[at + 3] & 0xff;
    }

    private static void put(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 24);
        bytes[at + 1] = (byte) (value >>> 16);
        bytes[at + 2] = (byte) (value >>> 8);
        bytes[at + 3] = (byte) value;
    }
}
