package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.OpenWrite;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.server.ServerConnection;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a client's transaction has written, from the message that may write to the answer that says how it ended. From the
 * moment a message that can commit is sent until its outcome is known, its relations are in doubt: no replica answers for
 * them. When the outcome is known they count as written then, before the client hears of it. Confined to the client's
 * loop.
 */
final class WriteWatch {
    private final Executed executed;
    private final Readings readings;
    private final DatabaseState state;

    private RelationSet written = RelationSet.NONE;
    private @Nullable OpenWrite open;
    private boolean defines;

    /** Whether what it defines may be a matter of all databases: roles, and who is a member of which. */
    private boolean shared;

    /** Whether what runs is a transaction of its own and nothing in it can commit before its end. */
    private boolean atomic;

    /** Whether what runs is one text, and nothing else. */
    private boolean alone;

    /** Whether something was sent while nobody asked what it writes: there were no replicas yet. */
    private boolean unseen;

    private long lastAcknowledged = -1;

    WriteWatch(Executed executed, Readings readings, DatabaseState state) {
        this.executed = executed;
        this.readings = readings;
        this.state = state;
    }

    /**
     * This is about to be sent to the primary.
     *
     * @param confirmed what runs, on any thread, when it may be sent; asked for only if somebody has to confirm it
     * @return whether it may be sent at once: the other instances know what it may write
     */
    boolean sending(Exchange exchange, ServerConnection to, Supplier<Runnable> confirmed) {
        boolean quiet = to.isQuiet();
        byte status = to.status(); // meaningless unless quiet
        if (state.routes() == null) {
            unseen = true;
            atomic = false;
            alone = false;
            return true;
        }
        boolean ends = !quiet || status == TransactionStatus.IDLE;
        atomic = ends && quiet && written.isEmpty();
        alone = atomic && exchange.size() > 0 && isOneText(exchange);
        for (int i = 0; i < exchange.size(); i++) {
            byte type = exchange.type(i);
            if (type == FrontendType.FUNCTION_CALL) {
                written = RelationSet.ALL;
                atomic = false;
                continue;
            }
            if (type != FrontendType.QUERY && type != FrontendType.BIND) {
                continue;
            }
            QueryFacts facts = executed.of(exchange, i);
            if (facts == null) {
                written = RelationSet.ALL; // a statement that was prepared where we did not see it
                atomic = false;
            } else {
                add(facts);
                atomic &= isAtomic(facts.kind());
                ends |= mayCommit(facts.kind());
            }
        }
        OpenWrite before = open;
        if (ends && !written.isEmpty() && (before == null || !before.covers(written, shared))) {
            open = state.doubt(written, shared, to.identity().processId(), confirmed.get());
            if (before != null) {
                before.settle(0, false);
            }
        }
        return open == null || open.isConfirmed();
    }

    /** A Query, or a Parse with what follows for it: no other text is run before it is read. */
    private static boolean isOneText(Exchange exchange) {
        if (exchange.type(0) != FrontendType.QUERY && exchange.type(0) != FrontendType.PARSE) {
            return false;
        }
        for (int i = 1; i < exchange.size(); i++) {
            if (exchange.facts(i) != null) {
                return false;
            }
        }
        return true;
    }

    /** Whether PostgreSQL's own parser (src/backend/parser/scan.l) says that it has not run the text. */
    private static boolean isUnreadable(ErrorFields error) {
        return error.code().equals("42601")
                && "scanner_yyerror".equals(error.fields().get('R'))
                && !error.fields().containsKey('W') // in a function that it has run
                && !error.fields().containsKey('q');
    }

    private static boolean mayCommit(StatementKind kind) {
        return switch (kind) {
            case COMMIT, PREPARE_TRANSACTION, COMMIT_PREPARED, MULTIPLE, CALL, DO, OTHER -> true;
            default -> false;
        };
    }

    /** Whether a statement cannot commit: only CALL and DO can, and what runs outside of transactions. */
    private static boolean isAtomic(StatementKind kind) {
        return switch (kind) {
            case SELECT, VALUES, TABLE, WITH, INSERT, UPDATE, DELETE, MERGE, COPY_TO, COPY_FROM -> true;
            default -> false;
        };
    }

    private void add(QueryFacts facts) {
        if (isHarmlessKind(facts)) {
            return;
        }
        if (facts.kind() == StatementKind.CREATE && facts.has(StatementFlags.CREATES_TEMP)) {
            return; // nobody else sees it
        }
        Catalog catalog = state.catalog();
        Shape shape = (Shape) facts.shape();
        Reading reading = catalog == null || shape == null ? null : readings.of(shape, catalog);
        boolean unknown = reading == null || defines || executesUnseen(facts);
        written = reading == null || unknown ? RelationSet.ALL : written.with(reading.writes());
        if (defines(facts) && !isUnderstoodCall(facts, reading)) {
            defines = true;
            shared |= !isOfRelations(facts);
        }
    }

    /** An EXECUTE among other statements, or in an EXPLAIN ANALYZE: what it executes is not in the text. */
    private static boolean executesUnseen(QueryFacts facts) {
        if (facts.has(StatementFlags.EXPLAINS_BY_EXECUTING)) {
            return true;
        }
        for (int i = 0; i < facts.statementCount(); i++) {
            if (facts.statements().get(i).kind() == StatementKind.EXECUTE) {
                return true; // by itself it would have been looked up
            }
        }
        return false;
    }

    private static boolean isOfRelations(QueryFacts facts) {
        return facts.kind() == StatementKind.CREATE
                && !facts.has(StatementFlags.MAY_DEFINE_CODE | StatementFlags.OPAQUE | StatementFlags.DO_OR_CALL);
    }

    private static boolean defines(QueryFacts facts) {
        if (!facts.has(StatementFlags.DDL | StatementFlags.DO_OR_CALL | StatementFlags.OPAQUE)) {
            return false;
        }
        return switch (facts.kind()) {
            case TRUNCATE, REFRESH, REINDEX, CLUSTER, COMMENT -> false;
            default -> true;
        };
    }

    /** A body that can change definitions, or run any text, counts as writing everything. */
    private static boolean isUnderstoodCall(QueryFacts facts, @Nullable Reading reading) {
        return facts.kind() == StatementKind.CALL
                && !facts.has(StatementFlags.DDL | StatementFlags.OPAQUE)
                && reading != null
                && !reading.writes().isAll();
    }

    /** Statements that write nothing whatever stands in them. */
    private static boolean isHarmlessKind(QueryFacts facts) {
        return switch (facts.kind()) {
            case BEGIN,
                    COMMIT,
                    ROLLBACK,
                    SAVEPOINT,
                    RELEASE,
                    ROLLBACK_TO,
                    PREPARE_TRANSACTION,
                    ROLLBACK_PREPARED,
                    SET,
                    RESET,
                    SET_CONSTRAINTS,
                    SHOW,
                    LISTEN,
                    UNLISTEN,
                    NOTIFY,
                    PREPARE,
                    DEALLOCATE,
                    DISCARD,
                    CLOSE,
                    LOCK,
                    VACUUM,
                    ANALYZE,
                    CHECKPOINT,
                    EMPTY -> true;
            case SELECT, VALUES, TABLE -> facts.shape() == null && facts.flags() == 0;
            default -> false;
        };
    }

    /**
     * ReadyForQuery has come. Before the client hears of it.
     *
     * @param quiet whether nothing else is expected
     * @param failure the error since the last one; null if there was none
     */
    void ready(byte status, boolean quiet, @Nullable ErrorFields failure) {
        if (unseen && status == TransactionStatus.IDLE && quiet) {
            unseen = false;
            if (state.routes() != null) {
                written = RelationSet.ALL;
                defines = true;
                shared = true;
            }
        }
        if (written.isEmpty()) {
            return;
        }
        if (status != TransactionStatus.IDLE) {
            if (quiet && open != null) {
                open.settle(0, false); // it was not the end
                open = null;
            }
            return;
        }
        if (failure != null && quiet && (atomic || alone && isUnreadable(failure))) {
            if (open != null) {
                open.settle(0, false); // nothing of it has happened
            }
            forget();
            return;
        }
        if (defines) {
            state.definitionsChanged(shared);
        }
        long now = Monotonic.now();
        lastAcknowledged = now;
        if (!quiet) {
            state.clock().written(written, now);
            return;
        }
        if (open == null) {
            state.written(written);
        } else {
            open.settle(now, defines);
        }
        forget();
    }

    private void forget() {
        written = RelationSet.NONE;
        open = null;
        defines = false;
        shared = false;
        atomic = false;
        alone = false;
    }

    /** When a write of this session was last acknowledged; -1 if never. */
    long lastAcknowledged() {
        return lastAcknowledged;
    }

    /**
     * Nobody listens for the outcome any more; what is in doubt stays so until the returned action is run, when the outcome
     * is decided, whatever it is. Null if nothing is.
     */
    @Nullable
    Runnable abandon() {
        OpenWrite left = open;
        boolean defined = defines;
        boolean definedForAll = shared;
        forget();
        return left == null
                ? null
                : () -> {
                    if (defined) {
                        state.definitionsChanged(definedForAll);
                    }
                    left.settle(Monotonic.now(), defined);
                };
    }
}
