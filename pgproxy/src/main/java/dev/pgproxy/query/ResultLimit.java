package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.BackendType;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.rules.Rule;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How much of each result of an exchange its client may be sent. What goes beyond is cut off in front of the first row that
 * is too much, and with it all that the server says up to ReadyForQuery but notices and parameters. One per client, confined
 * to its loop.
 */
final class ResultLimit {
    /** What an error would have undone, and a cut does not. */
    private static final int LASTING = StatementFlags.UNKNOWN_FUNCTION
            | StatementFlags.DATA_MODIFYING_CTE
            | StatementFlags.SELECT_INTO
            | StatementFlags.DDL
            | StatementFlags.DO_OR_CALL
            | StatementFlags.WRITES
            | StatementFlags.NOTIFIES
            | StatementFlags.LARGE_OBJECT
            | StatementFlags.EXPLAINS_BY_EXECUTING
            | StatementFlags.OPAQUE;

    /**
     * The least of what some rules allow.
     *
     * @param byRows says {@code rows}; null if none does
     * @param byBytes says {@code bytes}; null if none does
     */
    private record Bounds(
            @Nullable Rule byRows, long rows, @Nullable Rule byBytes, long bytes) {
        static final Bounds NONE = new Bounds(null, Long.MAX_VALUE, null, Long.MAX_VALUE);

        static Bounds of(List<Rule> rules) {
            Rule byRows = null;
            Rule byBytes = null;
            long rows = Long.MAX_VALUE;
            long bytes = Long.MAX_VALUE;
            for (Rule rule : rules) {
                Integer few = rule.says().maxRows();
                if (few != null && few < rows) {
                    byRows = rule;
                    rows = few;
                }
                Long small = rule.says().maxBytes();
                if (small != null && small < bytes) {
                    byBytes = rule;
                    bytes = small;
                }
            }
            return byRows == null && byBytes == null ? NONE : new Bounds(byRows, rows, byBytes, bytes);
        }
    }

    /** For the exchange that is looked at, while another may run. */
    private Bounds wanted = Bounds.NONE;

    private Bounds most = Bounds.NONE;
    private @Nullable ErrorFields error;

    /** Of the result that passes. */
    private long rows;

    private long bytes;

    /** What has still to come of a message that has begun. */
    private int rest;

    /** The least that these rules allow holds for the exchange that is looked at. */
    void want(List<Rule> rules) {
        wanted = rules.isEmpty() ? Bounds.NONE : Bounds.of(rules);
    }

    /** Whether there is a limit for the exchange that is looked at. */
    boolean isWanted() {
        return wanted != Bounds.NONE;
    }

    /** The exchange has been sent. */
    void begin() {
        most = wanted;
        error = null;
        rows = 0;
        bytes = 0;
        rest = 0;
    }

    /** Nothing of it runs any more. */
    void end() {
        most = Bounds.NONE;
        error = null;
    }

    /** Whether what passes is counted. */
    boolean isOn() {
        return most != Bounds.NONE;
    }

    /** What the client was told when it got no more; null if it has got everything so far. */
    @Nullable
    ErrorFields error() {
        return error;
    }

    /**
     * Looks at bytes on their way to the client, which begin where those before ended, and never within the head of a message.
     *
     * @return how many of them the client gets; fewer than there are: then that was all, and {@link #error} is due
     */
    int passes(ByteBuf buf, int index, int length) {
        ByteBuffer messages = buf.nioBuffer(index, length);
        int at = take(0, length);
        while (at < length) {
            int size = 1 + messages.getInt(at + 1);
            switch (messages.get(at)) {
                case BackendType.DATA_ROW, BackendType.COPY_DATA -> {
                    rows++;
                    bytes += size;
                    if (rows > most.rows || bytes > most.bytes) {
                        cut();
                        return at;
                    }
                }
                case BackendType.COMMAND_COMPLETE, BackendType.PORTAL_SUSPENDED -> {
                    rows = 0;
                    bytes = 0;
                }
                default -> {}
            }
            rest = size;
            at = take(at, length);
        }
        return length;
    }

    /** Behind what is left of a message that has begun, or in front of which this is. */
    private int take(int at, int end) {
        int taken = Math.min(rest, end - at);
        rest -= taken;
        return at + taken;
    }

    private void cut() {
        Rule rule = Objects.requireNonNull(rows > most.rows ? most.byRows : most.byBytes);
        rule.countRefused();
        error = rows > most.rows ? rule.tooManyRows() : rule.tooLarge();
    }

    /** Whether a whole result, as it would be sent, may be sent. */
    boolean admits(ByteBuf result) {
        begin();
        boolean all = passes(result, result.readerIndex(), result.readableBytes()) == result.readableBytes();
        end();
        return all;
    }

    /** Behind a cut: passes on what is told nevertheless. */
    void asides(ByteBuf buf, int index, int length, Consumer<ByteBuf> to) {
        ByteBuffer messages = buf.nioBuffer(index, length);
        for (int at = take(0, length); at < length; at = take(at, length)) {
            byte type = messages.get(at);
            rest = 1 + messages.getInt(at + 1);
            boolean told = type == BackendType.NOTICE_RESPONSE || type == BackendType.PARAMETER_STATUS;
            if (told && rest <= length - at) {
                to.accept(buf.retainedSlice(index + at, rest));
            }
        }
    }

    // ---- where a cut is as good as an error

    /**
     * Whether nothing of an exchange lasts if a result of it is cut: it is in a transaction block, which can be made to fail
     * when it has been answered, or it only reads.
     */
    static boolean isCuttable(Exchange exchange, Session session) {
        boolean block = session.isInTransaction();
        int portals = 0;
        int statements = 0;
        for (int i = 0; i < exchange.size(); i++) {
            switch (exchange.type(i)) {
                case FrontendType.QUERY, FrontendType.BIND -> {
                    QueryFacts facts =
                            exchange.type(i) == FrontendType.QUERY ? exchange.facts(i) : exchange.bound(i, session);
                    if (facts == null) {
                        return false;
                    }
                    for (StatementFacts statement : facts.statements()) {
                        statements++;
                        if (!(block ? staysInBlock(statement) : isHarmless(statement))) {
                            return false;
                        }
                        block |= statement.kind() == StatementKind.BEGIN;
                    }
                }
                case FrontendType.EXECUTE -> portals += exchange.bindOf(i) < 0 ? 1 : 0;
                case FrontendType.PARSE, FrontendType.DESCRIBE, FrontendType.CLOSE, FrontendType.SYNC -> {}
                default -> {
                    return false;
                }
            }
        }
        // what a portal executes that was bound before is not known
        return exchange.isEnded() && portals + Math.min(statements, portals) <= 1;
    }

    private static boolean staysInBlock(StatementFacts statement) {
        return switch (statement.kind()) {
            case COMMIT, ROLLBACK, PREPARE_TRANSACTION, COPY_FROM, OTHER -> false;
            default -> !statement.has(StatementFlags.OPAQUE);
        };
    }

    private static boolean isHarmless(StatementFacts statement) {
        return switch (statement.kind()) {
            case SELECT, VALUES, TABLE, COPY_TO, EXPLAIN, SHOW, SET, BEGIN -> !statement.has(LASTING);
            default -> false;
        };
    }
}
