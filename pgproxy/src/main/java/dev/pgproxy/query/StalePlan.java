package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.SharedStatement;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Repeats an exchange, once, that failed with "cached plan must not change result type": a shared statement had been
 * prepared before a table changed, by a session that the client knows nothing of. Only outside a transaction, where
 * nothing of the exchange has run yet, and only if the client asks for the description of the rows in the same exchange:
 * one that goes by an older description would misread what it gets, and is told the error as by PostgreSQL. Either way
 * later Parses make another statement. Confined to the client's loop. Source: src/backend/utils/cache/plancache.c
 * (RevalidateCachedQuery).
 */
final class StalePlan {
    private static final String ROUTINE = "RevalidateCachedQuery";

    private final Session session;
    private final PoolStatements source;
    private Exchange sent = new Exchange();
    private int from;
    private boolean pending;

    StalePlan(Session session, PoolStatements source) {
        this.session = session;
        this.source = source;
    }

    /** Keeps an exchange that is about to be sent, if it may be repeated, and returns the one to collect the next in. */
    Exchange keep(Exchange exchange, ServerConnection server) {
        if (server.status() != TransactionStatus.IDLE || !server.isQuiet() || !mayRepeat(exchange)) {
            return exchange;
        }
        Exchange free = sent;
        sent = exchange;
        return free;
    }

    /** One row description at most to go by, one Execute at most, and whole: Parse and Close may precede, answered by then. */
    private boolean mayRepeat(Exchange exchange) {
        int size = exchange.size();
        if (size < 2 || exchange.type(size - 1) != FrontendType.SYNC) {
            return false;
        }
        int binds = 0;
        int executes = 0;
        boolean described = false;
        from = -1;
        for (int i = 0; i < size; i++) {
            switch (exchange.type(i)) {
                case FrontendType.BIND -> binds++;
                case FrontendType.DESCRIBE -> described |= executes == 0;
                case FrontendType.EXECUTE -> executes++;
                case FrontendType.PARSE, FrontendType.CLOSE -> {
                    continue;
                }
                default -> {
                    if (i < size - 1) {
                        return false;
                    }
                }
            }
            from = from < 0 ? i : from;
            if (!exchange.isWhole(i)) {
                return false; // the rest is streamed
            }
        }
        return described && binds <= 1 && executes <= 1;
    }

    /** An error has come; true if the client is not to hear of it, since {@link #repeat} will be called. */
    boolean repeats(ErrorFields error, @Nullable Object note, ServerConnection server) {
        if (!(note instanceof ClientStatements.Entry entry)
                || !error.code().equals(SqlState.FEATURE_NOT_SUPPORTED.code())
                || !ROUTINE.equals(error.fields().get('R'))) {
            return false;
        }
        SharedStatement stale = entry.statement();
        SharedStatement fresh = source.fresh(stale);
        boolean alone = sent.size() > 0 && server.replies().boundaries() == 1;
        String name = alone ? sent.statementName(from) : null;
        pending = name != null && session.statements().find(name) == stale;
        if (name != null && pending) {
            session.statements().put(name, fresh);
        }
        return pending;
    }

    /** Whether an exchange is to be repeated, so that none may be sent. */
    boolean isPending() {
        return pending;
    }

    /** The server is ready: sends what was kept again, with the statement prepared anew. */
    void repeat(@Nullable ExchangeWriter writer) {
        pending = false;
        Objects.requireNonNull(writer).write(sent, from, true);
        sent.clear();
    }

    /** It has been answered, or nobody waits for an answer. */
    void forget() {
        pending = false;
        sent.clear();
    }
}
