package dev.pgproxy.query;

import dev.pgproxy.cache.KeyHash;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.results.Comparison;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
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

    /**
     * How what a server has sent, as {@link #of} gives it, differs from what a client would have been given of what is kept:
     * of that, descriptions that it did not ask for are left out.
     *
     * @param hash for rows; begun
     */
    static Comparison compare(byte[] given, byte[] kept, KeyHash hash) {
        int body = LENGTHS + get(given, 0) + get(given, Integer.BYTES);
        int keptBody = LENGTHS + get(kept, 0) + get(kept, Integer.BYTES);
        if (!isDescribed(given, kept)) {
            return Comparison.DIFFERENT;
        }
        if (Arrays.equals(given, body, given.length, kept, keptBody, kept.length)) {
            return Comparison.SAME;
        }
        boolean asLong = given.length - body == kept.length - keptBody;
        return asLong && isReordered(given, body, kept, keptBody, hash) ? Comparison.REORDERED : Comparison.DIFFERENT;
    }

    private static boolean isDescribed(byte[] given, byte[] kept) {
        int statement = get(given, 0);
        int portal = get(given, Integer.BYTES);
        int from = LENGTHS + statement;
        int keptFrom = LENGTHS + get(kept, 0);
        return (statement == 0 || Arrays.equals(given, LENGTHS, from, kept, LENGTHS, keptFrom))
                && (portal == 0
                        || Arrays.equals(
                                given, from, from + portal, kept, keptFrom, keptFrom + get(kept, Integer.BYTES)));
    }

    /** Whether two bodies of the same length differ in the order of rows only; rows are the same if sums of their hashes are. */
    private static boolean isReordered(byte[] one, int from, byte[] other, int otherFrom, KeyHash hash) {
        long high = 0;
        long low = 0;
        int at = from;
        int to = otherFrom;
        while (at < one.length && to < other.length && one[at] == other[to]) {
            int length = 1 + get(one, at + 1);
            int otherLength = 1 + get(other, to + 1);
            if (one[at] == BackendType.DATA_ROW) {
                hash.addBytes(one, at, length);
                hash.finish();
                high += hash.high();
                low += hash.low();
                hash.addBytes(other, to, otherLength);
                hash.finish();
                high -= hash.high();
                low -= hash.low();
            } else if (high != 0 || low != 0 || !Arrays.equals(one, at, at + length, other, to, to + otherLength)) {
                return false;
            }
            at += length;
            to += otherLength;
        }
        return at == one.length && to == other.length;
    }

    /** Whether it has everything that this exchange asks for. */
    static boolean suffices(byte[] answer, OneRead read) {
        return (!read.describesStatement() || get(answer, 0) > 0)
                && (!read.describesPortal() || get(answer, Integer.BYTES) > 0);
    }

    /** Whether a client may be sent all of it. */
    static boolean isWithin(byte[] answer, ResultLimit limit) {
        return !limit.isWanted() || limit.admits(Unpooled.wrappedBuffer(answer, LENGTHS, answer.length - LENGTHS));
    }

    /** How many rows it has, by its CommandComplete, which is the last message. */
    static long rows(byte[] answer) {
        long rows = 0;
        long unit = 1;
        int at = answer.length - 2; // before the zero of the tag
        for (; answer[at] >= '0' && answer[at] <= '9'; at--) {
            rows += unit * (answer[at] - '0');
            unit *= 10;
        }
        return rows;
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
