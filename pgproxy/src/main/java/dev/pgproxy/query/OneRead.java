package dev.pgproxy.query;

import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Where in an exchange the parts of one whole execution of one statement are, in whatever combination a driver sends them:
 * a Query; or {@code [Close statement]… [Parse] [Describe statement] Bind [Describe portal] Execute [Close]… Sync} with the
 * unnamed portal. One per client, used again and again. Confined to its loop.
 */
final class OneRead {
    /** Bytes at its beginning by which a read is told from others. */
    private static final int DIGESTED = 4096;

    /** The golden ratio of 64 bits: a product with it depends on all bits in its upper half. */
    private static final long MIX = 0x9E3779B97F4A7C15L;

    private final Session session;
    private boolean simple;
    private int parse;
    private int bind;
    private boolean describesStatement;
    private boolean describesPortal;
    private boolean executed;
    private ClientStatements.@Nullable Entry entry;

    OneRead(Session session) {
        this.session = session;
    }

    /** Whether a whole exchange, of which it is known what it executes, is that. */
    boolean isIn(Exchange exchange) {
        simple = exchange.type(0) == FrontendType.QUERY;
        parse = -1;
        bind = -1;
        describesStatement = false;
        describesPortal = false;
        entry = null;
        return simple ? exchange.size() == 1 : isExtended(exchange);
    }

    private boolean isExtended(Exchange exchange) {
        executed = false;
        int last = exchange.size() - 1;
        for (int i = 0; i < last; i++) {
            boolean fits = switch (exchange.type(i)) {
                case FrontendType.PARSE -> parses(i);
                case FrontendType.BIND -> binds(exchange, i);
                case FrontendType.DESCRIBE -> describes(exchange, i);
                case FrontendType.EXECUTE -> executes(exchange, i);
                case FrontendType.CLOSE -> executed || parse < 0 && bind < 0 && isStatement(exchange, i);
                default -> false;
            };
            if (!fits) {
                return false;
            }
        }
        return executed && exchange.type(last) == FrontendType.SYNC && isOneStatement(exchange);
    }

    private boolean parses(int i) {
        boolean first = parse < 0 && bind < 0;
        parse = i;
        return first;
    }

    private boolean binds(Exchange exchange, int i) {
        boolean first = bind < 0;
        bind = i;
        return first && Executed.isUnnamedPortal(exchange, i);
    }

    private boolean describes(Exchange exchange, int i) {
        if (isStatement(exchange, i)) {
            describesStatement = true;
            return bind < 0;
        }
        describesPortal = true;
        return bind >= 0 && !executed && Executed.isUnnamedPortal(exchange, i, 1);
    }

    private boolean executes(Exchange exchange, int i) {
        boolean first = bind >= 0 && !executed;
        executed = true;
        return first && Executed.isUnnamedPortal(exchange, i) && Executed.isWhole(exchange, i);
    }

    /** Whether a Describe or Close is about a statement. */
    static boolean isStatement(Exchange exchange, int i) {
        ByteBuf buf = exchange.buffer(i);
        int at = exchange.index(i) + FrameReader.HEADER;
        return at < buf.writerIndex() && buf.getByte(at) == FrontendWriter.STATEMENT;
    }

    /** Whether all messages are about the statement of Bind; a Close in front must not be. */
    private boolean isOneStatement(Exchange exchange) {
        if (parse < 0) {
            entry = exchange.entry(bind, session);
        }
        if (parse < 0 && !describesStatement && exchange.type(0) == FrontendType.BIND) {
            return true; // as most do
        }
        String name = exchange.statementName(bind);
        for (int i = 0; i < exchange.size(); i++) {
            boolean same = switch (exchange.type(i)) {
                case FrontendType.PARSE ->
                    String.valueOf(exchange.parsedName(i)).equals(name);
                case FrontendType.DESCRIBE ->
                    !isStatement(exchange, i)
                            || String.valueOf(exchange.statementName(i)).equals(name);
                case FrontendType.CLOSE ->
                    i > bind || !String.valueOf(exchange.closedName(i)).equals(name);
                default -> true;
            };
            if (!same) {
                return false;
            }
        }
        return true;
    }

    /** A number that the same read has again, and others mostly have not: nothing to rely on, as clients can choose it. */
    static int digest(Exchange exchange) {
        int i = 0;
        while (i < exchange.size() - 1 && exchange.type(i) != FrontendType.BIND) {
            i++;
        }
        ByteBuf buf = exchange.buffer(i);
        int at = exchange.index(i) + FrameReader.HEADER;
        int end = Math.min(exchange.index(i) + exchange.length(i), buf.writerIndex());
        if (exchange.type(i) == FrontendType.BIND) { // each client has names of its own
            at = CString.find(buf, CString.find(buf, at, end) + 1, end) + 1;
        }
        end = Math.min(end, at + DIGESTED);
        long digest = 0;
        for (; at + Long.BYTES <= end; at += Long.BYTES) {
            digest = (digest ^ buf.getLong(at)) * MIX;
            digest ^= digest >>> 32;
        }
        for (; at < end; at++) {
            digest = (digest ^ buf.getByte(at)) * MIX;
        }
        return (int) (digest >>> 32);
    }

    /** Whether it is a Query. */
    boolean isSimple() {
        return simple;
    }

    /** Which message is the Parse; -1 if there is none. */
    int parse() {
        return parse;
    }

    /** Which message is the Bind. */
    int bind() {
        return bind;
    }

    /** Whether the answer tells parameters and columns of the statement. */
    boolean describesStatement() {
        return describesStatement;
    }

    /** Whether the answer tells columns and formats of the portal. */
    boolean describesPortal() {
        return describesPortal;
    }

    /** The session's named statement that is bound, if it was parsed before. */
    ClientStatements.@Nullable Entry entry() {
        return entry;
    }

    /** Whether the client reads the answer by what it was told in an earlier exchange. */
    boolean isReadByHeart() {
        return !simple && parse < 0 && !describesStatement && !describesPortal;
    }
}
