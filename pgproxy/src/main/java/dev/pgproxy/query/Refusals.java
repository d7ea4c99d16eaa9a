package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Statements that fail, put in the place of those that are refused: so the server skips what follows and its transaction is
 * aborted, and all that the client hears is the server's but the words of the error. A column of no table never exists, and
 * the server says so before it executes anything (src/backend/parser/parse_expr.c, transformColumnRef). Confined to the
 * client's loop.
 */
final class Refusals {
    private static final String COLUMN = "pgproxy refuses ";
    private static final Pattern NUMBERED = Pattern.compile(COLUMN + "([0-9]+)");

    /** undefined_column. */
    private static final String FAILS_WITH = "42703";

    private static final byte[] UNNAMED = new byte[0];

    /** Of a statement that stands for one that is refused. */
    static final QueryFacts FACTS = QueryFacts.of(
            new StatementFacts(StatementKind.SELECT, 0, StatementFacts.TO_THE_END, -1, 0, null, List.of()));

    private final Map<String, ErrorFields> open = new HashMap<>(2);
    private int last;

    /** Makes a message of an exchange, and all behind it, fail with an error of ours. */
    void put(Exchange exchange, int message, ErrorFields error, ByteBufAllocator alloc) {
        String number = Integer.toString(++last);
        open.put(number, error);
        ByteBuf made = alloc.buffer(64);
        byte[] rest = ("SELECT \"" + COLUMN + number + "\"\0\0\0").getBytes(StandardCharsets.US_ASCII);
        FrontendWriter.parse(made, UNNAMED, rest);
        int length = made.readableBytes();
        made.writeByte(FrontendType.SYNC).writeInt(Integer.BYTES);
        boolean ended = exchange.isEnded();
        exchange.keep(message);
        exchange.add(FrontendType.PARSE, made, 0, length, FACTS);
        if (ended) {
            exchange.add(FrontendType.SYNC, made, length, FrameReader.HEADER, null);
        }
        made.release();
    }

    /** The error of ours that a server's stands for; null if for none. */
    @Nullable
    ErrorFields of(ErrorFields error) {
        if (open.isEmpty() || !error.code().equals(FAILS_WITH)) {
            return null;
        }
        Matcher numbered = NUMBERED.matcher(error.message());
        return numbered.find() ? open.get(numbered.group(1)) : null;
    }

    /** The server has answered everything. */
    void clear() {
        if (!open.isEmpty()) {
            open.clear();
        }
    }
}
