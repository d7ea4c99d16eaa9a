package dev.pgproxy.query;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The messages of a client up to a Query, Sync, Flush or FunctionCall, as places in the buffers they came in. One per
 * client, used again and again. Confined to the client's event loop.
 */
public final class Exchange {
    /** What a text may do to the session that only a look at the server can tell. */
    private static final int SUSPICIOUS = StatementFlags.UNKNOWN_FUNCTION
            | StatementFlags.SESSION_LOCK
            | StatementFlags.CREATES_TEMP
            | StatementFlags.HOLD_CURSOR
            | StatementFlags.DO_OR_CALL
            | StatementFlags.OPAQUE
            | StatementFlags.MENTIONS_TEMP_SCHEMA;

    /** What may lift a pin. */
    private static final int RELEASING =
            StatementFlags.SESSION_UNLOCK | StatementFlags.MAY_RELEASE_STATE | StatementFlags.DDL;

    private static final int START = 8;
    private static final int MAX_TEXT = 200;

    private int size;
    private byte[] types = new byte[START];
    private int[] indexes = new int[START];
    private int[] lengths = new int[START];
    private @Nullable ByteBuf[] buffers = new @Nullable ByteBuf[START];
    private @Nullable QueryFacts[] facts = new @Nullable QueryFacts[START];
    private int flags;
    private int bytes;

    /** Adds a message; the buffer is retained until {@link #clear}. */
    public void add(byte type, ByteBuf buf, int index, int length, @Nullable QueryFacts said) {
        if (size == types.length) {
            grow();
        }
        if (size == 0 || buffers[size - 1] != buf) {
            buf.retain();
        }
        types[size] = type;
        indexes[size] = index;
        lengths[size] = length;
        buffers[size] = buf;
        facts[size] = said;
        size++;
        bytes += Math.min(length, buf.writerIndex() - index);
        if (said != null) {
            flags |= said.flags();
        }
    }

    /** How many messages. */
    public int size() {
        return size;
    }

    /** Bytes held. */
    public int bytes() {
        return bytes;
    }

    /** Type of a message. */
    public byte type(int i) {
        return types[i];
    }

    /** Where a message begins. */
    public int index(int i) {
        return indexes[i];
    }

    /** Length of a message as it announces it. */
    public int length(int i) {
        return lengths[i];
    }

    /** Where a message is. */
    public ByteBuf buffer(int i) {
        return java.util.Objects.requireNonNull(buffers[i]);
    }

    /** What the text of a Query or Parse says. */
    public @Nullable QueryFacts facts(int i) {
        return facts[i];
    }

    /** Whether the session has to be probed when the transaction has ended. */
    boolean isSuspicious(boolean pinned) {
        return (flags & SUSPICIOUS) != 0 || pinned && (flags & RELEASING) != 0;
    }

    /** Whether the server ends its answer with ReadyForQuery. */
    public boolean isEnded() {
        if (size == 0) {
            return false;
        }
        byte last = types[size - 1];
        return last == FrontendType.SYNC || last == FrontendType.QUERY || last == FrontendType.FUNCTION_CALL;
    }

    /** Whether it begins a transaction block. */
    boolean begins() {
        for (int i = 0; i < size; i++) {
            QueryFacts said = facts[i];
            if (said != null) {
                for (StatementFacts statement : said.statements()) {
                    if (statement.kind() == StatementKind.BEGIN) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** The beginning of the first text, for people. */
    String firstText() {
        for (int i = 0; i < size; i++) {
            if (facts[i] != null) {
                ByteBuf buf = buffer(i);
                int end = Math.min(indexes[i] + lengths[i], buf.writerIndex());
                int from = indexes[i] + FrameReader.HEADER;
                if (types[i] == FrontendType.PARSE) {
                    from = Math.max(CString.find(buf, from, end) + 1, from);
                }
                int zero = CString.find(buf, from, end);
                int length = Math.min((zero < 0 ? end : zero) - from, MAX_TEXT);
                return buf.toString(from, length, StandardCharsets.UTF_8);
            }
        }
        return "";
    }

    /** Forgets and releases everything. */
    public void clear() {
        ByteBuf previous = null;
        for (int i = 0; i < size; i++) {
            ByteBuf buf = buffers[i];
            if (buf != null && buf != previous) {
                buf.release();
            }
            previous = buf;
            buffers[i] = null;
            facts[i] = null;
        }
        size = 0;
        flags = 0;
        bytes = 0;
    }

    private void grow() {
        int n = size * 2;
        types = Arrays.copyOf(types, n);
        indexes = Arrays.copyOf(indexes, n);
        lengths = Arrays.copyOf(lengths, n);
        buffers = Arrays.copyOf(buffers, n);
        facts = Arrays.copyOf(facts, n);
    }
}
