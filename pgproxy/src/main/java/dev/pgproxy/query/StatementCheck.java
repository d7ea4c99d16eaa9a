package dev.pgproxy.query;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.ResultColumns;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.server.DescriptionSink;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.ClientStatements;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.SharedStatement;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Whether a statement gives on a server what its client was told elsewhere. A single server compares that itself; where the
 * statement was prepared on another one and definitions have changed in between, the client would misread the rows. Confined to
 * the client's loop. Source: src/backend/utils/cache/plancache.c (RevalidateCachedQuery).
 */
final class StatementCheck implements OwnReply, DescriptionSink {
    /** PostgreSQL's own words; by the routine pgjdbc knows that it can prepare the statement anew. */
    static final ErrorFields CHANGED = ErrorFields.error(
                    SqlState.FEATURE_NOT_SUPPORTED, "cached plan must not change result type")
            .withRoutine("RevalidateCachedQuery");

    private final ClientStatements.Entry entry;
    private final ServerConnection server;
    private boolean described = true;
    private @Nullable Preparation preparation;
    private @Nullable Aligner aligner;

    private StatementCheck(ClientStatements.Entry entry, ServerConnection server) {
        this.entry = entry;
        this.server = server;
    }

    /** Those that have to be made before an exchange may be sent; none in most cases. */
    static List<StatementCheck> before(Exchange exchange, Session session, ServerConnection server) {
        List<StatementCheck> checks = List.of();
        for (int i = 0; i < exchange.size(); i++) {
            ClientStatements.Entry entry = exchange.entry(i, session);
            if (entry == null || isAsBelieved(entry, server)) {
                continue;
            }
            checks = checks.isEmpty() ? new ArrayList<>(1) : checks;
            StatementCheck check = with(entry, server, checks);
            check.described &= isDescribed(exchange, i);
        }
        return checks;
    }

    private static StatementCheck with(
            ClientStatements.Entry entry, ServerConnection server, List<StatementCheck> checks) {
        for (StatementCheck check : checks) {
            if (check.entry == entry) {
                return check;
            }
        }
        StatementCheck check = new StatementCheck(entry, server);
        checks.add(check);
        return check;
    }

    private static boolean isAsBelieved(ClientStatements.Entry entry, ServerConnection server) {
        ResultColumns here = server.statements().gives(entry.statement());
        if (here == null || here == ResultColumns.UNKNOWN) {
            return !entry.statement().isPlanned();
        }
        if (here != entry.gives() && here.equals(entry.gives())) {
            entry.gives(here);
        }
        return here == entry.gives();
    }

    /** Whether the client asks again what comes: by a Describe of the statement, or of the portal before it is executed. */
    private static boolean isDescribed(Exchange exchange, int i) {
        if (exchange.type(i) == FrontendType.DESCRIBE) {
            return true;
        }
        for (int next = i + 1; next < exchange.size(); next++) {
            byte type = exchange.type(next);
            if (type == FrontendType.DESCRIBE) {
                return true;
            }
            if (type == FrontendType.EXECUTE || type == FrontendType.SYNC) {
                break;
            }
        }
        return false;
    }

    /** The statement. */
    SharedStatement statement() {
        return entry.statement();
    }

    /** Asks the server; {@code waiting} gets the outcome. */
    void begin(Preparation asks, Aligner waiting) {
        preparation = asks;
        aligner = waiting;
        asks.check(this);
    }

    @Override
    public void described(ByteBuf buf, int index, int length) {
        server.statements().gives(entry.statement(), ResultColumns.read(buf, index, length));
    }

    /** What failed outside a transaction fails again in the client's own exchange, and is told there. */
    @Override
    public void done(@Nullable ErrorFields error, byte status) {
        Aligner waiting = Objects.requireNonNull(aligner);
        if (error != null) {
            boolean told = status == TransactionStatus.FAILED || error.code().equals(SqlState.QUERY_CANCELED.code());
            waiting.done(told ? error : null, status);
            return;
        }
        ResultColumns here = server.statements().gives(entry.statement());
        if (here != null && (described || entry.gives() == ResultColumns.UNKNOWN)) {
            entry.gives(here);
        }
        if (!entry.gives().equals(here)) {
            Objects.requireNonNull(preparation).changed(entry.statement());
            waiting.changed();
        }
        waiting.done(null, status);
    }
}
