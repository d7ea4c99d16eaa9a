package dev.pgproxy.query;

import dev.pgproxy.protocol.frame.FrameReader;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.route.Cacheable;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What the messages of an exchange run: EXECUTE counts as the statement that was prepared under its name. Confined to the
 * client's loop.
 */
final class Executed {
    /** What makes a harmless statement none for us: it says so in its text, which the catalog does not see. */
    private static final int ONLY_PRIMARY = StatementFlags.EXPLAINS_BY_EXECUTING | StatementFlags.SERVER_FILE;

    private final Session session;
    private final LoopShapes shapes;
    private SessionEffect.@Nullable Prepare last;
    private @Nullable QueryFacts lastFacts;
    private boolean bySql;

    Executed(Session session, LoopShapes shapes) {
        this.session = session;
        this.shapes = shapes;
    }

    /** Whether the message runs or prepares a statement at all. */
    static boolean hasStatement(byte type) {
        return type == FrontendType.QUERY || type == FrontendType.PARSE || type == FrontendType.BIND;
    }

    /** What a Query, Parse, Bind, or Describe of a statement is about; null if that is not known. */
    @Nullable
    QueryFacts of(Exchange exchange, int i) {
        QueryFacts facts = exchange.facts(i);
        if (facts == null) {
            facts = exchange.named(i, session);
        }
        bySql = facts != null && facts.kind() == StatementKind.EXECUTE;
        return facts != null && bySql ? body(facts) : facts;
    }

    /** Whether the last message asked about is an EXECUTE. */
    boolean isBySql() {
        return bySql;
    }

    /** What the statement says that an EXECUTE names; null if there is none. */
    @Nullable
    QueryFacts body(QueryFacts facts) {
        SessionEffect effect = facts.statements().getFirst().effect();
        SessionEffect.Prepare prepared = effect instanceof SessionEffect.Execute execute
                ? session.sqlStatements().get(execute.name())
                : null;
        if (prepared == null) {
            return null;
        }
        if (prepared != last) {
            last = prepared;
            lastFacts = body(prepared.text());
        }
        return lastFacts;
    }

    private @Nullable QueryFacts body(String prepare) {
        ByteBuf text = Unpooled.wrappedBuffer(prepare.getBytes(StandardCharsets.UTF_8));
        boolean conforming = session.reported().isConforming();
        boolean unsafe = session.reported().isAsciiUnsafe();
        QueryFacts whole = shapes.analyze(text, 0, text.readableBytes(), conforming, unsafe);
        StatementFacts only = whole.only();
        int from = only == null ? -1 : only.bodyStart();
        return from < 0 ? null : shapes.analyze(text, from, text.readableBytes() - from, conforming, unsafe);
    }

    /** What the catalog does not see: false if the text itself says that it is no query, or more than that. */
    static boolean mayBeQuery(QueryFacts facts) {
        return !facts.has(ONLY_PRIMARY) && (facts.kind() != StatementKind.MULTIPLE || Cacheable.areQueries(facts));
    }

    /** Whether an Execute asks for all rows. */
    static boolean isWhole(Exchange exchange, int i) {
        ByteBuf buf = exchange.buffer(i);
        int end = exchange.index(i) + exchange.length(i);
        return end <= buf.writerIndex() && exchange.length(i) >= FrameReader.HEADER + 5 && buf.getInt(end - 4) == 0;
    }

    /** Whether a Bind or Execute is about the unnamed portal. */
    static boolean isUnnamedPortal(Exchange exchange, int i) {
        return isUnnamedPortal(exchange, i, 0);
    }

    /** The same of a message that has so many bytes before the portal's name. */
    static boolean isUnnamedPortal(Exchange exchange, int i, int before) {
        ByteBuf buf = exchange.buffer(i);
        int at = exchange.index(i) + FrameReader.HEADER + before;
        return at < buf.writerIndex() && buf.getByte(at) == 0;
    }
}
