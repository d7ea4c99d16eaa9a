package dev.pgproxy.query;

import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.protocol.backend.ConstantReplies;
import dev.pgproxy.protocol.backend.ResultColumns;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.server.ReplyQueue;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.Substitute;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.PinReason;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.SharedStatement;
import dev.pgproxy.session.UnnamedStatement;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sends an exchange to the leased server, message by message: the names of prepared statements become those of the
 * server, what the server lacks is parsed in front, what we emulate is replaced, and for each message the expected reply
 * is queued. Confined to the client's loop.
 */
final class ExchangeWriter {
    static final byte[] UNNAMED = {};

    private final Session session;
    private final PoolStatements source;
    private final boolean translates;
    private final ServerWriter out;
    private final SideEffects effects;
    private final VisibleStatements visible;
    private final Preparation preparation;
    private final StatementWatch watch;

    private @Nullable QueryFacts unnamedPortal;
    private @Nullable Map<String, QueryFacts> portals;
    private boolean barrier;
    private boolean executed;

    /** What the last Parse of the unnamed statement changed: clients send the same one again and again. */
    private StatementChange.@Nullable ParsedUnnamed parsed;

    /**
     * A writer for one client, on one server after the other.
     *
     * @param translates false in session mode, where the server is the client's alone
     */
    ExchangeWriter(Session session, PoolStatements source, boolean translates) {
        this.session = session;
        this.source = source;
        this.translates = translates;
        this.out = new ServerWriter();
        this.effects = new SideEffects(session, source.pool(), translates, out);
        this.visible = new VisibleStatements(session, out);
        this.preparation = new Preparation(session, source, translates, out);
        this.watch = source.watch();
    }

    /** Prepares what the server lacks. */
    Preparation preparation() {
        return preparation;
    }

    /** A new transaction, on this server: portals are gone. */
    void begin(ServerConnection granted) {
        out.begin(granted);
        unnamedPortal = null;
        portals = null;
        executed = false;
    }

    /** Sends it from a message on, {@code begins} if none is open; true if its outcome decides how the next is to be read. */
    boolean write(Exchange exchange, int from, boolean begins) {
        barrier = false;
        if (begins) {
            effects.beforeExchange(exchange);
        }
        for (int i = from; i < exchange.size(); i++) {
            message(exchange, i);
        }
        out.finish();
        return barrier;
    }

    private void message(Exchange exchange, int i) {
        ByteBuf buf = exchange.buffer(i);
        int index = exchange.index(i);
        int length = Math.min(exchange.length(i), buf.writerIndex() - index);
        if (!isWellFormed(exchange.type(i), buf, index, length)) {
            malformed(exchange.type(i), buf, index, length);
            return;
        }
        switch (exchange.type(i)) {
            case FrontendType.QUERY -> query(facts(exchange, i), buf, index, length);
            case FrontendType.PARSE -> parse(facts(exchange, i), buf, index, length);
            case FrontendType.BIND -> bind(buf, index, length, exchange.length(i));
            case FrontendType.DESCRIBE -> describe(buf, index, length);
            case FrontendType.EXECUTE -> execute(buf, index, length);
            case FrontendType.CLOSE -> close(buf, index, length);
            case FrontendType.SYNC -> {
                executed = false;
                watch.boundary();
                raw(ReplyQueue.SYNC, null, buf, index, length);
            }
            case FrontendType.FUNCTION_CALL -> {
                pinIfInPipeline();
                effects.beforeCall();
                watch.boundary();
                raw(ReplyQueue.FUNCTION, null, buf, index, length);
            }
            case FrontendType.COPY_DONE, FrontendType.COPY_FAIL -> raw(ReplyQueue.COPY_END, null, buf, index, length);
            default -> out.raw(buf, index, length); // Flush and CopyData bring no reply
        }
    }

    /** Whether the names in it end where they should. */
    private static boolean isWellFormed(byte type, ByteBuf buf, int index, int length) {
        int body = index + FrameReader.HEADER;
        int end = index + length;
        return switch (type) {
            case FrontendType.PARSE, FrontendType.BIND -> {
                int first = CString.find(buf, body, end);
                yield first >= 0 && CString.find(buf, first + 1, end) >= 0;
            }
            case FrontendType.DESCRIBE, FrontendType.CLOSE ->
                end > body + 1 && CString.find(buf, body + 1, end) == end - 1;
            case FrontendType.EXECUTE -> CString.find(buf, body, end) >= 0;
            case FrontendType.FLUSH -> length == FrameReader.HEADER;
            default -> true;
        };
    }

    /** PostgreSQL itself shall say what is wrong. */
    private void malformed(byte type, ByteBuf buf, int index, int length) {
        int entry = switch (type) {
            case FrontendType.PARSE -> ReplyQueue.PARSE;
            case FrontendType.BIND -> ReplyQueue.BIND;
            case FrontendType.DESCRIBE -> ReplyQueue.DESCRIBE;
            case FrontendType.CLOSE -> ReplyQueue.CLOSE;
            default -> {
                watch.execute(null, 0);
                yield ReplyQueue.EXECUTE;
            }
        };
        raw(entry, null, buf, index, length);
    }

    private static QueryFacts facts(Exchange exchange, int i) {
        QueryFacts facts = exchange.facts(i);
        return facts == null ? QueryFacts.OPAQUE : facts;
    }

    private void raw(int entry, @Nullable Object note, ByteBuf buf, int index, int length) {
        out.raw(buf, index, length);
        out.expect(entry, note);
    }

    /**
     * Behind an Execute without its Sync PostgreSQL leaves the implicit transaction open and yet says that it is idle; the
     * next statement fails with XX000 and ends it (src/backend/access/transam/xact.c, CommitTransactionCommandInternal
     * with TBLOCK_IMPLICIT_INPROGRESS). That statement has to be this client's.
     */
    private void pinIfInPipeline() {
        if (executed) {
            session.pin(PinReason.MIXED_PIPELINE, "Execute without Sync before a Query or FunctionCall");
        }
    }

    private void query(QueryFacts facts, ByteBuf buf, int index, int length) {
        pinIfInPipeline();
        watch.values().query(facts, buf, index + FrameReader.HEADER, index + length);
        watch.query(facts);
        watch.samples().query(facts, buf, index + FrameReader.HEADER, index + length);
        session.unnamed(null);
        out.server().statements().unnamed(null);
        unnamedPortal = null;
        Substitute substitute = translates ? Emulation.of(facts, session, !executed) : null;
        if (substitute != null) {
            barrier = true;
            FrontendWriter.query(out.made(), Emulation.NOTHING);
            out.expect(ReplyQueue.QUERY, substitute);
        } else {
            if (translates) {
                visible.before(facts, true);
            }
            effects.beforeQuery(facts, buf, index + FrameReader.HEADER, index + length);
            raw(ReplyQueue.QUERY, note(facts), buf, index, length);
        }
    }

    private void parse(QueryFacts facts, ByteBuf buf, int index, int length) {
        watch.parsed(facts);
        int nameAt = index + FrameReader.HEADER;
        int nameEnd = CString.end(buf, nameAt, index + length);
        watch.values().parsed(facts, buf, nameEnd + 1, index + length);
        if (translates) {
            visible.before(facts, false);
        }
        if (nameEnd == nameAt) {
            parseUnnamed(facts, buf, index, length);
            return;
        }
        barrier = true;
        String name = CString.read(buf, nameAt, index + length);
        if (!translates) {
            SharedStatement own = SharedStatement.own(name, rest(buf, nameEnd + 1, index + length), facts);
            session.statements().put(name, own);
            raw(ReplyQueue.PARSE, new StatementChange.Parsed(name, own, false), buf, index, length);
            return;
        }
        if (session.hasStatement(name)) {
            refuseDuplicate(name, buf, index, length);
            return;
        }
        byte[] rest = rest(buf, nameEnd + 1, index + length);
        Substitute substitute = Emulation.of(facts, session, !executed);
        if (substitute != null) {
            // the client's text follows as a comment: it is part of the statement's identity
            rest = Emulation.parseBody(new String(rest, 0, textLength(rest), StandardCharsets.ISO_8859_1));
        }
        SharedStatement statement = source.find(rest, name, facts);
        source.count(Counter.CLIENT_PARSE_COUNT);
        ResultColumns gives = out.server().statements().gives(statement);
        if (gives != null) {
            if (session.status() != TransactionStatus.FAILED || facts.isForFailedTransaction()) {
                session.statements().put(name, statement).gives(gives);
                out.expect(ReplyQueue.PARSE | ReplyQueue.ANSWER, new StatementChange.Parsed(name, statement, false));
                return;
            }
            preparation.evict(statement); // PostgreSQL itself shall say whether the transaction takes it
        }
        preparation.parse(
                session.statements().put(name, statement),
                ReplyQueue.PARSE,
                new StatementChange.Parsed(name, statement, true));
    }

    private void parseUnnamed(QueryFacts facts, ByteBuf buf, int index, int length) {
        int restAt = index + FrameReader.HEADER + 1;
        Substitute substitute = translates ? Emulation.of(facts, session, !executed) : null;
        UnnamedStatement statement = session.unnamed();
        if (substitute != null) {
            barrier = true;
            statement = new UnnamedStatement(Emulation.parseBody(""), facts, session.reported());
        } else if (statement == null
                || statement.facts() != facts
                || !statement.isSame(buf, restAt, index + length - restAt, session.reported())) {
            statement = new UnnamedStatement(rest(buf, restAt, index + length), facts, session.reported());
        }
        session.unnamed(statement);
        out.server().statements().unnamed(statement);
        if (parsed == null || parsed.statement() != statement) {
            parsed = new StatementChange.ParsedUnnamed(statement);
        }
        if (substitute != null) {
            FrontendWriter.parse(out.made(), UNNAMED, statement.rest());
            out.expect(ReplyQueue.PARSE, parsed);
        } else {
            raw(ReplyQueue.PARSE, parsed, buf, index, length);
        }
    }

    /** PostgreSQL itself shall say that the name is taken, so it is made to be taken there. */
    private void refuseDuplicate(String name, ByteBuf buf, int index, int length) {
        if (out.server().statements().named(name) == null
                && out.server().statements().own(name) == null) {
            FrontendWriter.parse(out.made(), name, "");
            out.server().statements().own().put(name, "");
            out.expect(ReplyQueue.PARSE | ReplyQueue.SWALLOW, null);
        }
        raw(ReplyQueue.PARSE, null, buf, index, length);
    }

    private void bind(ByteBuf buf, int index, int length, int announced) {
        int portalAt = index + FrameReader.HEADER;
        int portalEnd = CString.end(buf, portalAt, index + length);
        int nameAt = portalEnd + 1;
        int nameEnd = CString.end(buf, nameAt, index + length);
        QueryFacts facts;
        ClientStatements.Entry named = session.statements().find(buf, nameAt, nameEnd - nameAt);
        if (nameEnd == nameAt) {
            UnnamedStatement statement = session.unnamed();
            facts = statement == null ? null : statement.facts();
            if (statement != null) {
                beforeBind(statement.facts(), statement.rest());
            }
            preparation.needUnnamed();
            out.raw(buf, index, length);
        } else if (named == null || !translates) {
            facts = named == null ? null : named.statement().facts();
            if (named == null) {
                preparation.closeForeign(buf, nameAt, nameEnd);
            } else {
                watch.samples()
                        .bound(named.statement().facts(), named.statement().rest());
            }
            out.raw(buf, index, length);
        } else {
            SharedStatement statement = named.statement();
            facts = statement.facts();
            beforeBind(facts, statement.rest());
            preparation.need(named);
            source.count(Counter.BIND_COUNT);
            renamed(statement, buf, index, nameAt, nameEnd, length, announced);
        }
        byte[] rest = named != null
                ? named.statement().rest()
                : session.unnamed() == null ? null : session.unnamed().rest();
        watch.values().bound(ValueWatch.shape(facts), named != null, buf, nameEnd + 1, index + length, rest);
        remember(facts, buf, index, length, portalAt, portalEnd);
        out.expect(ReplyQueue.BIND, translates ? named : null);
    }

    private void beforeBind(QueryFacts facts, byte[] rest) {
        watch.samples().bound(facts, rest);
        if (translates) {
            visible.before(facts, false);
        }
        effects.beforeBind(facts, rest);
    }

    private void remember(@Nullable QueryFacts facts, ByteBuf buf, int index, int length, int portalAt, int portalEnd) {
        QueryFacts bound = facts == null ? null : BoundValues.resolve(facts, buf, index, length);
        if (portalEnd == portalAt) {
            unnamedPortal = bound;
        } else if (bound != null) {
            if (portals == null) {
                portals = new HashMap<>();
            }
            portals.put(CString.read(buf, portalAt, portalEnd + 1), bound);
        }
    }

    private void describe(ByteBuf buf, int index, int length) {
        int kindAt = index + FrameReader.HEADER;
        int nameAt = kindAt + 1;
        int nameEnd = CString.end(buf, nameAt, index + length);
        if (buf.getByte(kindAt) != FrontendWriter.STATEMENT || !translates) {
            raw(ReplyQueue.DESCRIBE, null, buf, index, length);
            return;
        }
        ClientStatements.Entry named = session.statements().find(buf, nameAt, nameEnd - nameAt);
        if (nameEnd == nameAt) {
            preparation.needUnnamed();
            out.raw(buf, index, length);
        } else if (named == null) {
            preparation.closeForeign(buf, nameAt, nameEnd);
            out.raw(buf, index, length);
        } else {
            preparation.need(named);
            renamed(named.statement(), buf, index, nameAt, nameEnd, length, length);
        }
        out.expect(ReplyQueue.DESCRIBE, named);
    }

    private void execute(ByteBuf buf, int index, int length) {
        int portalAt = index + FrameReader.HEADER;
        QueryFacts facts = unnamedPortal;
        if (buf.getByte(portalAt) != 0) {
            facts = portals == null ? null : portals.get(CString.read(buf, portalAt, index + length));
        }
        Object note = null;
        if (facts != null) {
            Substitute substitute = translates ? Emulation.of(facts, session, !executed) : null;
            barrier |= substitute != null;
            note = substitute != null ? substitute : note(facts);
        }
        executed = true;
        int mostAt = index + length - Integer.BYTES;
        watch.execute(facts, mostAt > portalAt ? buf.getInt(mostAt) : 0);
        raw(ReplyQueue.EXECUTE, note, buf, index, length);
    }

    private void close(ByteBuf buf, int index, int length) {
        int kindAt = index + FrameReader.HEADER;
        int nameAt = kindAt + 1;
        int nameEnd = CString.end(buf, nameAt, index + length);
        if (buf.getByte(kindAt) != FrontendWriter.STATEMENT || nameEnd == nameAt || !translates) {
            if (buf.getByte(kindAt) == FrontendWriter.STATEMENT) {
                closeOwn(CString.read(buf, nameAt, index + length));
            }
            raw(ReplyQueue.CLOSE, null, buf, index, length);
            return;
        }
        barrier = true;
        String name = CString.read(buf, nameAt, index + length);
        Object note = new StatementChange.Closed(
                name, session.statements().find(name), session.sqlStatements().get(name));
        session.statements().remove(name);
        session.sqlStatements().remove(name);
        out.expect(ReplyQueue.CLOSE | ReplyQueue.ANSWER, note);
    }

    private void closeOwn(String name) {
        if (name.isEmpty()) {
            session.unnamed(null);
            out.server().statements().unnamed(null);
        } else {
            session.statements().remove(name);
        }
    }

    private void renamed(
            SharedStatement statement, ByteBuf buf, int index, int nameAt, int nameEnd, int length, int announced) {
        int old = nameEnd - nameAt;
        if (statement.isNamed(buf, nameAt, old)) {
            out.raw(buf, index, length);
            return;
        }
        byte[] name = statement.name();
        ByteBuf made = out.made();
        made.writeByte(buf.getByte(index)).writeInt(announced - 1 - old + name.length);
        made.writeBytes(buf, index + FrameReader.HEADER, nameAt - index - FrameReader.HEADER);
        made.writeBytes(name);
        out.raw(buf, nameEnd, index + length - nameEnd);
    }

    /** What must be known when it completes; null for the many statements that change nothing. */
    private @Nullable QueryFacts note(QueryFacts facts) {
        boolean wanted = false;
        for (int i = 0; i < facts.statementCount(); i++) {
            StatementFacts statement = facts.statements().get(i);
            SessionEffect effect = statement.effect();
            wanted |= effect != null || statement.has(StatementFlags.DDL | StatementFlags.UNPREDICTABLE_STATE);
            barrier |= effect != null
                    && !(effect instanceof SessionEffect.Begin
                            || effect instanceof SessionEffect.Commit
                            || effect instanceof SessionEffect.Rollback);
        }
        return wanted ? facts : null;
    }

    private static byte[] rest(ByteBuf buf, int from, int end) {
        byte[] rest = new byte[end - from];
        buf.getBytes(from, rest);
        return rest;
    }

    private static int textLength(byte[] rest) {
        int n = 0;
        while (n < rest.length && rest[n] != 0) {
            n++;
        }
        return n;
    }

    /** The constant that answers an entry of ours. */
    static ByteBuf answer(int entry) {
        return (entry & ReplyQueue.KIND) == ReplyQueue.PARSE
                ? ConstantReplies.PARSE_COMPLETE
                : ConstantReplies.CLOSE_COMPLETE;
    }
}
