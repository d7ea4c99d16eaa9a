package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ConstantReplies;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SessionEffect;
import dev.pgproxy.protocol.sql.SessionEffect.Isolation;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.route.SessionView;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.UnnamedStatement;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A transaction that has begun for the client and on no server: BEGIN was answered by us and is sent with the first
 * statement that needs it. If none does, the transaction ends as it began. Confined to the client's loop.
 */
final class LocalTransaction {
    private static final ErrorFields IDLE = ErrorFields.fatal(
            SqlState.IDLE_IN_TRANSACTION_TIMEOUT, "terminating connection due to idle-in-transaction timeout");
    private static final ErrorFields TOO_LONG =
            ErrorFields.fatal(SqlState.TRANSACTION_TIMEOUT, "terminating connection due to transaction timeout");

    private final Session session;
    private final SessionView view;
    private final PoolStatements statements;

    /** The SQL that begins it; null while there is none. */
    private @Nullable String begin;

    /** The SQL that was sent to begin it, the last time that it was wanted. */
    private @Nullable String begun;

    private long since;
    private boolean readOnly;
    private boolean readCommitted;
    private boolean repeatableRead;

    LocalTransaction(Session session, SessionView view, PoolStatements statements) {
        this.session = session;
        this.view = view;
        this.statements = statements;
    }

    /** Whether one is open. */
    boolean isOpen() {
        return begin != null;
    }

    /** Whether its statements may be answered one by one, each by any host. */
    boolean isReadCommitted() {
        return readCommitted;
    }

    /** Whether it is REPEATABLE READ: all its statements see what the first one saw. */
    boolean isRepeatableRead() {
        return repeatableRead;
    }

    /** Whether it cannot write. */
    boolean isReadOnly() {
        return readOnly;
    }

    /** Why PostgreSQL would have ended it by now; null if it would not. */
    @Nullable
    ErrorFields timedOut(long idleSince, long now) {
        if (begin == null) {
            return null;
        }
        long idle = view.idleInTransaction();
        if (idle > 0 && now - idleSince > idle) {
            return IDLE;
        }
        long whole = view.transactionTimeout();
        return whole > 0 && now - since > whole ? TOO_LONG : null;
    }

    /** The SQL that begins it on a server; from now on it is there. */
    @Nullable
    String materialize() {
        begun = begin;
        begin = null;
        return begun;
    }

    /** It could not be begun there after all: it is on no server, as before; false if it was not on its way. */
    boolean takeBack() {
        begin = begun;
        begun = null;
        return begin != null;
    }

    /**
     * Answers what begins or ends such a transaction at the beginning of an exchange, and takes it out. No server is leased,
     * and nothing is outstanding.
     */
    void answer(Exchange exchange, Channel client, Notifications notifications) {
        int count = prefix(exchange);
        if (count == 0) {
            return;
        }
        ByteBuf out = client.alloc().buffer();
        for (; count > 0; count = prefix(exchange)) {
            boolean query = exchange.type(count - 1) == FrontendType.QUERY;
            answer(exchange, count, out);
            exchange.drop(count);
            boolean sync = exchange.size() > 0 && exchange.type(0) == FrontendType.SYNC;
            if (query || sync) {
                notifications.local(session.status(), out);
                BackendWriter.readyForQuery(out, session.status());
            }
            if (sync) {
                exchange.drop(1);
            }
        }
        client.writeAndFlush(out);
    }

    /**
     * How many messages at the beginning make up one BEGIN, or one COMMIT or ROLLBACK of what was begun, or close statements
     * in front of that, as drivers do; 0 for none. A failed transaction closes statements whatever follows.
     */
    private int prefix(Exchange exchange) {
        int closes = LocalAnswer.closes(exchange);
        int end = end(exchange, closes);
        return closes == 0 || end == 0 && session.status() != TransactionStatus.FAILED ? end : closes;
    }

    /** Behind the BEGIN, COMMIT or ROLLBACK that begins at a message; 0 if there is none. */
    private int end(Exchange exchange, int from) {
        if (exchange.size() == from) {
            return 0;
        }
        if (exchange.type(from) == FrontendType.QUERY) {
            return exchange.size() == from + 1 && isOurs(exchange.facts(from)) ? from + 1 : 0;
        }
        boolean parses = exchange.type(from) == FrontendType.PARSE;
        if (parses) {
            String name = isOurs(exchange.facts(from)) ? exchange.parsedName(from) : null;
            if (name == null || session.hasStatement(name)) {
                return 0;
            }
        }
        int at = parses ? from + 1 : from;
        QueryFacts bound = at < exchange.size() ? exchange.bound(at, session) : null;
        if (!isOurs(bound)
                || parses && exchange.facts(from) != bound
                || !Executed.isUnnamedPortal(exchange, at++)
                || exchange.size() <= at) {
            return 0;
        }
        if (exchange.type(at) == FrontendType.DESCRIBE && exchange.statementName(at) == null) {
            at++;
        }
        boolean executes = at < exchange.size()
                && exchange.type(at) == FrontendType.EXECUTE
                && Executed.isUnnamedPortal(exchange, at);
        boolean goesOn = at + 1 < exchange.size();
        return executes && goesOn ? at + 1 : 0;
    }

    private boolean isOurs(@Nullable QueryFacts facts) {
        StatementFacts only = facts == null ? null : facts.only();
        SessionEffect effect = only == null ? null : only.effect();
        if (effect == null) {
            return false;
        }
        return switch (effect) {
            case SessionEffect.Begin begins -> begin == null && session.status() == TransactionStatus.IDLE;
            case SessionEffect.Commit commit -> begin != null && !commit.chain();
            case SessionEffect.Rollback rollback -> begin != null && !rollback.chain();
            default -> false;
        };
    }

    private void answer(Exchange exchange, int count, ByteBuf out) {
        QueryFacts facts = null;
        for (int i = 0; i < count; i++) {
            switch (exchange.type(i)) {
                case FrontendType.CLOSE -> LocalAnswer.close(exchange, i, session, out);
                case FrontendType.QUERY -> {
                    session.unnamed(null);
                    run(Objects.requireNonNull(exchange.facts(i)), out);
                }
                case FrontendType.PARSE -> {
                    parsed(exchange, i);
                    out.writeBytes(ConstantReplies.PARSE_COMPLETE.duplicate());
                }
                case FrontendType.BIND -> {
                    facts = exchange.named(i, session);
                    out.writeBytes(ConstantReplies.BIND_COMPLETE.duplicate());
                }
                case FrontendType.DESCRIBE -> out.writeBytes(ConstantReplies.NO_DATA.duplicate());
                default -> {
                    if (facts != null) {
                        run(facts, out);
                    }
                }
            }
        }
    }

    private void parsed(Exchange exchange, int i) {
        QueryFacts facts = exchange.facts(i);
        String name = exchange.parsedName(i);
        if (facts == null || name == null) {
            return;
        }
        byte[] rest = exchange.parsedRest(i);
        if (name.isEmpty()) {
            session.unnamed(new UnnamedStatement(rest, facts, session.reported()));
        } else {
            session.statements().put(name, statements.find(rest, name, facts));
        }
    }

    private void run(QueryFacts facts, ByteBuf out) {
        SessionEffect effect = facts.statements().getFirst().effect();
        statements.watch().values().boundary();
        if (effect instanceof SessionEffect.Begin begins) {
            begin = begins.sql();
            since = System.nanoTime();
            Isolation isolation = begins.isolation();
            Boolean only = begins.readOnly();
            readOnly = only == null ? view.beginsReadOnly() : only;
            readCommitted = isolation == null
                    ? view.beginsReadCommitted()
                    : isolation == Isolation.READ_COMMITTED || isolation == Isolation.READ_UNCOMMITTED;
            repeatableRead = isolation == null ? view.beginsRepeatableRead() : isolation == Isolation.REPEATABLE_READ;
            session.ready(TransactionStatus.IN_TRANSACTION);
            BackendWriter.commandComplete(out, begins.tag());
        } else {
            begin = null;
            boolean commits = effect instanceof SessionEffect.Commit && session.status() != TransactionStatus.FAILED;
            session.ready(TransactionStatus.IDLE);
            BackendWriter.commandComplete(out, commits ? "COMMIT" : "ROLLBACK");
        }
    }
}
