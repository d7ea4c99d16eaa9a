package dev.pgproxy.query;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.protocol.sql.TextHint;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The messages of a client up to a Query, Sync, Flush or FunctionCall, as places in the buffers they came in. One per
 * client, used again and again. Confined to the client's event loop.
 */
public final class Exchange {
    /** What may notify somebody. */
    private static final int NOTIFYING = StatementFlags.NOTIFIES
            | StatementFlags.UNKNOWN_FUNCTION
            | StatementFlags.WRITES
            | StatementFlags.DATA_MODIFYING_CTE
            | StatementFlags.DO_OR_CALL
            | StatementFlags.DDL
            | StatementFlags.OPAQUE;

    private static final int START = 8;

    /** So that a message that was looked at has another number than one that was not. */
    private static final int LOOKED_FOR = 2;

    private int size;
    private byte[] types = new byte[START];
    private int[] indexes = new int[START];
    private int[] lengths = new int[START];
    private @Nullable ByteBuf[] buffers = new @Nullable ByteBuf[START];
    private @Nullable QueryFacts[] facts = new @Nullable QueryFacts[START];

    /** Of a Bind or Describe: the Parse before it that makes its statement, or -1, plus {@link #LOOKED_FOR}; 0 = not known yet. */
    private int[] parses = new int[START];

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
        parses[size] = 0;
        size++;
        bytes += Math.min(length, buf.writerIndex() - index);
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

    /** Whether all of a message is in its buffer; the rest of a long one is streamed. */
    boolean isWhole(int i) {
        return indexes[i] + lengths[i] <= buffer(i).writerIndex();
    }

    /** Behind what the buffer has of a message. */
    private int end(int i) {
        return Math.min(indexes[i] + lengths[i], buffer(i).writerIndex());
    }

    /** What the text of a Query or Parse says. */
    public @Nullable QueryFacts facts(int i) {
        return facts[i];
    }

    /** Whether a text has one of these flags. */
    boolean has(int flag) {
        for (int i = 0; i < size; i++) {
            QueryFacts said = facts[i];
            if (said != null && said.has(flag)) {
                return true;
            }
        }
        return false;
    }

    /** Whether it may notify somebody, by itself or through a function, a rule or a trigger. */
    boolean mayNotify(Session session) {
        for (int i = 0; i < size; i++) {
            if (types[i] == FrontendType.FUNCTION_CALL
                    || facts[i] != null && mayNotify(facts[i])
                    || mayNotify(bound(i, session))) {
                return true;
            }
        }
        return false;
    }

    private static boolean mayNotify(@Nullable QueryFacts said) {
        return said != null && (said.has(NOTIFYING) || said.kind() == StatementKind.EXECUTE);
    }

    /** What the first text asks for that asks for anything; null if none does. */
    @Nullable
    TextHint hint(Session session) {
        for (int i = 0; i < size; i++) {
            QueryFacts said = types[i] == FrontendType.BIND ? bound(i, session) : facts[i];
            if (said != null && said.hint() != null) {
                return said.hint();
            }
        }
        return null;
    }

    /** What the statement of a Bind says; null for other messages, malformed ones, and unknown statements. */
    @Nullable
    QueryFacts bound(int i, Session session) {
        return types[i] == FrontendType.BIND ? named(i, session) : null;
    }

    /** What the statement says that a Bind or Describe names, parsed in this exchange or before it. */
    @Nullable
    QueryFacts named(int i, Session session) {
        int parse = parseOf(i);
        if (parse >= 0) {
            return facts[parse];
        }
        int nameAt = statementNameAt(i);
        ByteBuf buf = buffer(i);
        int nameEnd = nameAt < 0 ? -1 : CString.find(buf, nameAt, end(i));
        if (nameEnd < 0) {
            return null;
        }
        if (nameEnd == nameAt) {
            return session.unnamed() == null ? null : session.unnamed().facts();
        }
        ClientStatements.Entry entry = session.statements().find(buf, nameAt, nameEnd - nameAt);
        return entry == null ? null : entry.statement().facts();
    }

    /** The Parse before a Bind or Describe that makes its statement; -1 if it is not in this exchange. */
    int parseOf(int i) {
        if (i == 0) {
            return -1;
        }
        if (parses[i] != 0) {
            return parses[i] - LOOKED_FOR;
        }
        int parse = parseBefore(i);
        if (isWhole(i)) { // else its name may still be coming
            parses[i] = parse + LOOKED_FOR;
        }
        return parse;
    }

    private int parseBefore(int i) {
        int nameAt = statementNameAt(i);
        ByteBuf buf = buffer(i);
        int nameEnd = nameAt < 0 ? -1 : CString.find(buf, nameAt, end(i));
        for (int before = nameEnd < 0 ? -1 : i - 1; before >= 0; before--) {
            if (types[before] == FrontendType.PARSE && isNamed(before, buf, nameAt, nameEnd)) {
                return before;
            }
        }
        return -1;
    }

    /**
     * The text of a Query or Parse, or of the statement that a Bind names, without its zero; null if it is not at hand, or
     * the message is malformed.
     */
    byte @Nullable [] text(int i, Session session) {
        ByteBuf buf = buffer(i);
        int from = indexes[i] + FrameReader.HEADER;
        if (types[i] == FrontendType.BIND) {
            int parse = parseOf(i);
            int nameAt = statementNameAt(i);
            int nameEnd = nameAt < 0 ? -1 : CString.find(buf, nameAt, end(i));
            return parse >= 0 ? text(parse, session) : nameEnd < 0 ? null : textKept(buf, nameAt, nameEnd, session);
        }
        if (types[i] == FrontendType.PARSE) {
            from = CString.find(buf, from, end(i)) + 1;
        }
        int zero = from <= 0 || !isWhole(i) ? -1 : CString.find(buf, from, end(i));
        return zero < 0 ? null : ByteBufUtil.getBytes(buf, from, zero - from);
    }

    private static byte @Nullable [] textKept(ByteBuf buf, int nameAt, int nameEnd, Session session) {
        byte[] rest = null;
        if (nameEnd == nameAt) {
            rest = session.unnamed() == null ? null : session.unnamed().rest();
        } else {
            ClientStatements.Entry entry = session.statements().find(buf, nameAt, nameEnd - nameAt);
            rest = entry == null ? null : entry.statement().rest();
        }
        if (rest == null) {
            return null;
        }
        int zero = 0;
        while (zero < rest.length && rest[zero] != 0) {
            zero++;
        }
        return Arrays.copyOf(rest, zero);
    }

    /** The name of the portal that a Bind makes or an Execute runs; null if it is malformed. */
    @Nullable
    String portalName(int i) {
        int from = indexes[i] + FrameReader.HEADER;
        int zero = CString.find(buffer(i), from, end(i));
        return zero < 0 ? null : buffer(i).toString(from, zero - from, StandardCharsets.UTF_8);
    }

    /**
     * The session's named statement that a Bind or Describe is about; null for other messages, and if this exchange parses or
     * closes it before.
     */
    ClientStatements.@Nullable Entry entry(int i, Session session) {
        int nameAt = statementNameAt(i);
        ByteBuf buf = buffer(i);
        int nameEnd = nameAt < 0 ? -1 : CString.find(buf, nameAt, end(i));
        if (nameEnd <= nameAt) {
            return null;
        }
        for (int before = i - 1; before >= 0; before--) {
            byte type = types[before];
            if ((type == FrontendType.PARSE || type == FrontendType.CLOSE) && isNamed(before, buf, nameAt, nameEnd)) {
                return null;
            }
        }
        return session.statements().find(buf, nameAt, nameEnd - nameAt);
    }

    /** Whether a Parse or Close is about the statement of the name that stands there, its terminator included. */
    private boolean isNamed(int message, ByteBuf buf, int nameAt, int nameEnd) {
        ByteBuf own = buffer(message);
        int at = indexes[message] + FrameReader.HEADER + (types[message] == FrontendType.CLOSE ? 1 : 0);
        int length = nameEnd + 1 - nameAt;
        return at + length <= own.writerIndex() && ByteBufUtil.equals(own, at, buf, nameAt, length);
    }

    /** Where the name of the statement of a Bind or Describe begins; -1 for other messages, malformed ones included. */
    private int statementNameAt(int i) {
        ByteBuf buf = buffer(i);
        int from = indexes[i] + FrameReader.HEADER;
        int end = end(i);
        if (types[i] == FrontendType.BIND) {
            int portalEnd = CString.find(buf, from, end);
            return portalEnd < 0 ? -1 : portalEnd + 1;
        }
        boolean ofStatement =
                types[i] == FrontendType.DESCRIBE && end > from && buf.getByte(from) == FrontendWriter.STATEMENT;
        return ofStatement ? from + 1 : -1;
    }

    /** The Bind of this exchange that makes the portal of an Execute; -1 if it was made before. */
    int bindOf(int execute) {
        ByteBuf buf = buffer(execute);
        int nameAt = indexes[execute] + FrameReader.HEADER;
        int zero = CString.find(buf, nameAt, end(execute));
        for (int i = zero < 0 ? -1 : execute - 1; i >= 0; i--) {
            int at = indexes[i] + FrameReader.HEADER;
            int length = zero + 1 - nameAt;
            if (types[i] == FrontendType.BIND
                    && at + length <= end(i)
                    && ByteBufUtil.equals(buffer(i), at, buf, nameAt, length)) {
                return i;
            }
        }
        return -1;
    }

    /** The name of the statement that a Bind or Describe is about; null for other messages, malformed ones included. */
    @Nullable
    String statementName(int i) {
        int from = statementNameAt(i);
        int zero = from < 0 ? -1 : CString.find(buffer(i), from, end(i));
        return zero < 0 ? null : buffer(i).toString(from, zero - from, StandardCharsets.UTF_8);
    }

    /** Where in a Bind that is whole and well-formed formats and values begin: behind the names. */
    int valuesAt(int i) {
        return CString.end(buffer(i), statementNameAt(i), end(i)) + 1;
    }

    /** The name that a Parse gives; null if it is malformed or not whole. */
    @Nullable
    String parsedName(int i) {
        ByteBuf buf = buffer(i);
        int from = indexes[i] + FrameReader.HEADER;
        int zero = isWhole(i) ? CString.find(buf, from, end(i)) : -1;
        return zero < 0 ? null : buf.toString(from, zero - from, StandardCharsets.UTF_8);
    }

    /** Whether it ends what the unnamed statement was: by a Query, or a Parse of another one. */
    boolean replacesUnnamed() {
        for (int i = 0; i < size; i++) {
            if (types[i] == FrontendType.QUERY || types[i] == FrontendType.PARSE && "".equals(parsedName(i))) {
                return true;
            }
        }
        return false;
    }

    /** The name of what a whole Close closes, of whatever kind; null if it is malformed. */
    @Nullable
    String closedName(int i) {
        ByteBuf buf = buffer(i);
        int from = indexes[i] + FrameReader.HEADER + 1;
        int zero = CString.find(buf, from, end(i));
        return zero < 0 ? null : buf.toString(from, zero - from, StandardCharsets.UTF_8);
    }

    /** What follows the name in a Parse that {@link #parsedName} can read. */
    byte[] parsedRest(int i) {
        ByteBuf buf = buffer(i);
        int from = CString.end(buf, indexes[i] + FrameReader.HEADER, indexes[i] + lengths[i]) + 1;
        byte[] rest = new byte[indexes[i] + lengths[i] - from];
        buf.getBytes(from, rest);
        return rest;
    }

    /** Whether it is a Sync and nothing else: behind COPY it is what the server waits for, which ignores one before the data. */
    boolean isSync() {
        return size == 1 && types[0] == FrontendType.SYNC;
    }

    /** Whether the server ends its answer with ReadyForQuery. */
    public boolean isEnded() {
        if (size == 0) {
            return false;
        }
        byte last = types[size - 1];
        return last == FrontendType.SYNC || last == FrontendType.QUERY || last == FrontendType.FUNCTION_CALL;
    }

    /**
     * The one statement that it is about, where it plainly is about no other: a Query alone, or the unnamed one from its
     * Parse to Sync.
     */
    @Nullable
    StatementFacts only() {
        QueryFacts said = facts[0];
        if (said == null || said.statementCount() != 1 || !isEnded()) {
            return null; // of what is not ended more may follow
        }
        for (int i = 0; i < size; i++) {
            String named = statementName(i);
            boolean same = switch (types[i]) {
                case FrontendType.QUERY -> size == 1;
                case FrontendType.PARSE -> i == 0 && buffer(0).getByte(indexes[0] + FrameReader.HEADER) == 0;
                case FrontendType.BIND -> "".equals(named);
                case FrontendType.DESCRIBE -> named == null || named.isEmpty();
                case FrontendType.EXECUTE, FrontendType.SYNC -> true;
                default -> false;
            };
            if (!same) {
                return null;
            }
        }
        return said.statements().getFirst();
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

    /** The named statements that it has made are unmade in the session's books: it is sent once more. */
    void unparse(Session session) {
        for (int i = 0; i < size; i++) {
            String name = types[i] == FrontendType.PARSE ? parsedName(i) : null;
            if (name != null && !name.isEmpty()) {
                session.statements().remove(name);
            }
        }
    }

    /** Forgets and releases the first messages. */
    void drop(int count) {
        keep(count, size);
    }

    /** Forgets and releases all but the first messages. */
    void keep(int count) {
        keep(0, count);
    }

    private void keep(int from, int to) {
        Exchange rest = new Exchange();
        for (int i = from; i < to; i++) {
            rest.add(types[i], buffer(i), indexes[i], lengths[i], facts[i]);
        }
        clear();
        for (int i = 0; i < rest.size; i++) {
            add(rest.types[i], rest.buffer(i), rest.indexes[i], rest.lengths[i], rest.facts[i]);
        }
        rest.clear();
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
        bytes = 0;
    }

    private void grow() {
        int n = size * 2;
        types = Arrays.copyOf(types, n);
        indexes = Arrays.copyOf(indexes, n);
        lengths = Arrays.copyOf(lengths, n);
        buffers = Arrays.copyOf(buffers, n);
        facts = Arrays.copyOf(facts, n);
        parses = Arrays.copyOf(parses, n);
    }
}
