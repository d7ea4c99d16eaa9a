package dev.pgproxy.query;

import dev.pgproxy.pool.Catalog;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.SequenceUsers;
import dev.pgproxy.protocol.frame.CString;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frontend.FrontendWriter;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.routing.sql.MaskedText;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ReplyQueue;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.PinReason;
import dev.pgproxy.session.Session;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What statements that are about to run may leave on their server besides what their completion tells: state that only a
 * probe finds, state that nothing finds, and values of sequences. Confined to the client's loop.
 *
 * <p>Values of sequences: a server knows whose they are ({@link ServerConnection#sequenceOwner}), a session knows where
 * it last took one. Before a statement that may look at a value which is not certainly this session's last one, the
 * server forgets all of them: the statement then fails as in a session that never took a value. Sessions of an
 * application that was seen to look at values keep their server from taking one to looking at it, and have a server
 * forget the values of others before they take their own.
 */
final class SideEffects {
    /** What a text may do to the session that only a look at the server can tell. */
    private static final int SUSPICIOUS = StatementFlags.UNKNOWN_FUNCTION
            | StatementFlags.SESSION_LOCK
            | StatementFlags.CREATES_TEMP
            | StatementFlags.HOLD_CURSOR
            | StatementFlags.DO_OR_CALL
            | StatementFlags.OPAQUE
            | StatementFlags.MENTIONS_TEMP_SCHEMA;

    /** What may hold code that is not read. */
    private static final int CODE = StatementFlags.DO_OR_CALL | StatementFlags.OPAQUE;

    /** What may lift a pin. */
    private static final int RELEASING =
            StatementFlags.SESSION_UNLOCK | StatementFlags.MAY_RELEASE_STATE | StatementFlags.DDL;

    /** What cannot be seen to leave sequences alone. */
    private static final int UNREADABLE =
            StatementFlags.UNKNOWN_FUNCTION | StatementFlags.DO_OR_CALL | StatementFlags.OPAQUE;

    /** What may look at the value that a sequence had in this session. */
    private static final int LOOKS = StatementFlags.CURRVAL | UNREADABLE;

    /** What may take a value from a sequence; a column's default does with any INSERT. */
    private static final int TAKES =
            StatementFlags.NEXTVAL | StatementFlags.SETVAL | StatementFlags.WRITES | UNREADABLE;

    /** Has no effect on the session but that sequences have no value in it; allowed everywhere. */
    private static final String FORGET = "DISCARD SEQUENCES";

    /** Statement and portal of our own. */
    private static final String OWN = "pgproxy_forget";

    private static final byte[] OWN_NAME = OWN.getBytes(StandardCharsets.UTF_8);
    private static final int MAX_TEXT = 200;

    private final Session session;
    private final SequenceUsers users;
    private final Catalog catalog;
    private final boolean shared;
    private final ServerWriter out;

    /**
     * For one client.
     *
     * @param shared false in session mode: nobody else gets the server while the session lives
     */
    SideEffects(Session session, Pool pool, boolean shared, ServerWriter out) {
        this.session = session;
        this.users = pool.sequenceUsers();
        this.catalog = pool.catalog();
        this.shared = shared;
        this.out = out;
    }

    /**
     * An exchange is about to be sent where none is open. What it needs to be forgotten is forgotten in front of it and of
     * its own Sync: an Execute of ours in the same implicit transaction would make a block of it, where no procedure can
     * commit, and which VACUUM refuses (src/backend/access/transam/xact.c, XACT_FLAGS_PIPELINING).
     */
    void beforeExchange(Exchange exchange) {
        if (!hasForeignSequences()) {
            return;
        }
        for (int i = 0; i < exchange.size(); i++) {
            QueryFacts facts = exchange.type(i) == FrontendType.PARSE ? exchange.facts(i) : exchange.bound(i, session);
            if (facts != null && mustForget(flags(facts))) {
                OwnReply forgotten = forgotten();
                forget(forgotten);
                FrontendWriter.sync(out.made());
                out.expect(ReplyQueue.SYNC | ReplyQueue.SWALLOW, forgotten);
                out.server().sequenceOwner(null);
                return;
            }
        }
    }

    /** A Query is about to be sent. */
    void beforeQuery(QueryFacts facts, ByteBuf buf, int from, int end) {
        int flags = flags(facts);
        boolean forget = flags != 0
                && foresee(facts, flags, max -> {
                    int n = Math.min(end - from, max);
                    int zero = CString.find(buf, from, from + n);
                    return buf.toString(from, zero < 0 ? n : zero - from, StandardCharsets.UTF_8);
                });
        if (forget) {
            forgetInQuery();
        }
    }

    /** A FunctionCall is about to be sent. */
    void beforeCall() {
        if (foresee(QueryFacts.OPAQUE, flags(QueryFacts.OPAQUE), max -> "FunctionCall")) {
            forgetInQuery();
        }
    }

    /** A Bind of a statement is about to be sent; {@code rest} begins with its text. */
    void beforeBind(QueryFacts facts, byte[] rest) {
        int flags = flags(facts);
        boolean forget = flags != 0
                && foresee(facts, flags, max -> {
                    int n = 0;
                    while (n < rest.length && n < max && rest[n] != 0) {
                        n++;
                    }
                    return new String(rest, 0, n, StandardCharsets.UTF_8);
                });
        if (forget) {
            forget(null);
        }
    }

    private void forget(@Nullable OwnReply reply) {
        FrontendWriter.parse(out.made(), OWN, FORGET);
        out.expect(ReplyQueue.PARSE | ReplyQueue.SWALLOW, reply);
        FrontendWriter.bind(out.made(), OWN, OWN);
        out.expect(ReplyQueue.BIND | ReplyQueue.SWALLOW, reply);
        FrontendWriter.execute(out.made(), OWN);
        out.expect(ReplyQueue.EXECUTE | ReplyQueue.SWALLOW, reply);
        FrontendWriter.close(out.made(), FrontendWriter.PORTAL, OWN_NAME);
        out.expect(ReplyQueue.CLOSE | ReplyQueue.SWALLOW, reply);
        FrontendWriter.close(out.made(), FrontendWriter.STATEMENT, OWN_NAME);
        out.expect(ReplyQueue.CLOSE | ReplyQueue.SWALLOW, reply);
    }

    /** It fails where the client's statement fails too, in a transaction that has failed, or if a cancel strikes it. */
    private OwnReply forgotten() {
        ServerConnection server = out.server();
        return (error, status) -> {
            if (error != null) {
                server.sequenceOwner(ServerConnection.SEVERAL);
            }
        };
    }

    private void forgetInQuery() {
        FrontendWriter.query(out.made(), FORGET);
        out.expect(ReplyQueue.QUERY | ReplyQueue.SWALLOW, forgotten());
    }

    private int flags(QueryFacts facts) {
        if (!shared) {
            return 0;
        }
        int flags = facts.flags();
        for (int i = 0; i < facts.statementCount(); i++) {
            flags |= executed(facts.statements().get(i));
        }
        return flags;
    }

    /** True if the server has to forget the values of sequences first. */
    private boolean foresee(QueryFacts facts, int flags, IntFunction<String> text) {
        boolean pinned = !session.pins().isEmpty();
        if ((flags & SUSPICIOUS) != 0
                || pinned && (flags & RELEASING) != 0
                || (flags & StatementFlags.WRITES) != 0 && catalog.triggersLeaveState()) {
            session.suspect(() -> shown(facts, text));
        }
        if ((flags & CODE) != 0) {
            session.mentions(ParameterNames.in(text.apply(Integer.MAX_VALUE)));
        }
        return (flags & (LOOKS | TAKES)) != 0 && sequences(facts, flags, text);
    }

    /** A statement without its literals: whoever may look at the console is shown it. */
    private String shown(QueryFacts facts, IntFunction<String> text) {
        if (facts.shape() instanceof Shape shape) {
            String masked = shape.masked();
            return masked.length() > MAX_TEXT ? masked.substring(0, MAX_TEXT) : masked;
        }
        byte[] beginning = text.apply(MAX_TEXT).getBytes(StandardCharsets.UTF_8);
        return MaskedText.of(beginning, session.reported().isConforming());
    }

    /** What EXECUTE adds: the flags of the statement that it executes. */
    private int executed(StatementFacts statement) {
        return statement.effect() instanceof SessionEffect.Execute execute ? session.sqlFlags(execute.name()) : 0;
    }

    /** Whether it has values that are not certainly this session's. */
    private boolean hasForeignSequences() {
        Object owner = out.server().sequenceOwner();
        return owner != null && (owner != session || session.sequenceServer() != out.server());
    }

    private boolean mustForget(int flags) {
        return hasForeignSequences()
                && ((flags & LOOKS) != 0
                        || (flags & TAKES) != 0
                                && users.mayLook(session.reported().get("application_name")));
    }

    private boolean sequences(QueryFacts facts, int flags, IntFunction<String> text) {
        String application = session.reported().get("application_name");
        if ((flags & LOOKS) != 0) {
            users.looks(application, (flags & StatementFlags.CURRVAL) != 0);
        }
        Object owner = out.server().sequenceOwner();
        boolean takes = (flags & TAKES) != 0;
        boolean forget = mustForget(flags);
        if (takes) {
            out.server()
                    .sequenceOwner(owner == null || forget || owner == session ? session : ServerConnection.SEVERAL);
            session.sequenceServer(out.server());
        } else if (forget) {
            out.server().sequenceOwner(null);
        }
        if (users.look(application)) {
            for (int i = 0; i < facts.statementCount(); i++) {
                StatementFacts statement = facts.statements().get(i);
                int its = statement.flags() | executed(statement);
                if ((its & StatementFlags.CURRVAL) != 0) {
                    session.unpin(PinReason.SEQUENCE);
                }
                if ((its & TAKES) != 0) {
                    session.pin(PinReason.SEQUENCE, shown(facts, text));
                }
            }
        }
        return forget;
    }
}
