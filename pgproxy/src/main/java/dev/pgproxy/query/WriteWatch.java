package dev.pgproxy.query;

import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.SessionView;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.sql.Shape;
import org.jspecify.annotations.Nullable;

/**
 * What a client's transaction has written, from the message that may write to the answer that says how it ended. From the
 * moment a message that can commit is sent until its outcome is known, its relations are in doubt: no replica answers for
 * them. When the outcome is known they count as written then, before the client hears of it. Confined to the client's
 * loop.
 */
final class WriteWatch {
    private final Executed executed;
    private final SessionView view;
    private final DatabaseState state;

    private RelationSet written = RelationSet.NONE;
    private RelationSet doubted = RelationSet.NONE;
    private boolean defines;
    private long lastAcknowledged = -1;

    WriteWatch(Executed executed, SessionView view, DatabaseState state) {
        this.executed = executed;
        this.view = view;
        this.state = state;
    }

    /** This is about to be sent to the primary; {@code inBlock} if it is known to be inside a transaction block. */
    void sending(Exchange exchange, boolean inBlock) {
        boolean ends = !inBlock;
        for (int i = 0; i < exchange.size(); i++) {
            byte type = exchange.type(i);
            if (type == FrontendType.FUNCTION_CALL) {
                written = RelationSet.ALL;
                continue;
            }
            if (type != FrontendType.QUERY && type != FrontendType.BIND) {
                continue;
            }
            QueryFacts facts = executed.of(exchange, i);
            if (facts == null) {
                written = RelationSet.ALL; // a statement that was prepared where we did not see it
            } else {
                add(facts);
                ends |= mayCommit(facts.kind());
            }
        }
        if (ends && !written.isEmpty() && !doubted.equals(written)) {
            RelationSet before = doubted;
            state.clock().doubt(written);
            doubted = written;
            if (!before.isEmpty()) {
                state.clock().settle(before, 0);
            }
        }
    }

    private static boolean mayCommit(StatementKind kind) {
        return switch (kind) {
            case COMMIT, PREPARE_TRANSACTION, COMMIT_PREPARED, MULTIPLE, CALL, DO, OTHER -> true;
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
        Reading reading = catalog == null || shape == null ? null : shape.reading(catalog, view.path());
        written = reading == null || defines ? RelationSet.ALL : written.with(reading.writes());
        defines |= defines(facts);
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

    /** ReadyForQuery has come; {@code quiet} if nothing else is expected. Before the client hears of it. */
    void ready(byte status, boolean quiet) {
        if (written.isEmpty()) {
            return;
        }
        if (status != TransactionStatus.IDLE) {
            if (quiet && !doubted.isEmpty()) {
                state.clock().settle(doubted, 0); // it was not the end
                doubted = RelationSet.NONE;
            }
            return;
        }
        if (defines) {
            state.definitionsChanged();
        }
        long now = Monotonic.now();
        lastAcknowledged = now;
        if (!quiet) {
            state.clock().written(written, now);
            return;
        }
        if (doubted.isEmpty()) {
            state.clock().written(written, now);
        } else {
            state.clock().settle(doubted, now);
        }
        forget();
    }

    private void forget() {
        written = RelationSet.NONE;
        doubted = RelationSet.NONE;
        defines = false;
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
        RelationSet open = doubted;
        boolean defined = defines;
        forget();
        return open.isEmpty()
                ? null
                : () -> {
                    if (defined) {
                        state.definitionsChanged();
                    }
                    state.clock().settle(open, Monotonic.now());
                };
    }
}
