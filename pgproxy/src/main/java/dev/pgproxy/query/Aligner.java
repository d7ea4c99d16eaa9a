package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.server.OwnReply;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes a server what a session believes it has before an exchange goes there, and waits for it: an alignment that fails
 * must stop the client's statement. Used once. Confined to the client's loop.
 */
final class Aligner implements OwnReply {
    private final ServerConnection server;
    private final Settings wanted;
    private final Set<String> custom;
    private final BiConsumer<ServerConnection, @Nullable ErrorFields> then;

    private boolean sets;
    private boolean begins;
    private boolean changed;
    private int outstanding;
    private @Nullable ErrorFields error;

    /** As {@link #begin}, for the settings alone and whatever comes next; an error leaves the rest to the next exchange. */
    static boolean settings(Session session, ServerConnection server, Runnable then) {
        Settings wanted = session.settings().get();
        List<String> sql = SettingsAlignment.between(server.settings().get(), wanted);
        if (sql.isEmpty()) {
            return false;
        }
        Aligner aligner = new Aligner(server, session, wanted, (asked, error) -> then.run());
        aligner.sets = true;
        aligner.outstanding = 1;
        server.ask(String.join(";", sql), aligner);
        return true;
    }

    private Aligner(
            ServerConnection server,
            Session session,
            Settings wanted,
            BiConsumer<ServerConnection, @Nullable ErrorFields> then) {
        this.server = server;
        this.wanted = wanted;
        this.custom = Set.copyOf(session.customSettings());
        this.then = then;
    }

    /**
     * False if there is nothing to do, as in most cases; else {@code then} gets the server, and the error or null.
     *
     * @param transaction the SQL that begins the transaction in which the exchange is to run; null if that runs already, or
     *     none is wanted
     */
    static boolean begin(
            Exchange exchange,
            Session session,
            Lease lease,
            PoolMode mode,
            @Nullable String transaction,
            BiConsumer<ServerConnection, @Nullable ErrorFields> then) {
        ServerConnection server = lease.leased();
        if (server.status() == TransactionStatus.FAILED) {
            return false; // nothing can be set, and nothing can depend on it, before the transaction has ended
        }
        Settings wanted = session.settings().get();
        Settings present = server.settings().get();
        if (wanted != present) {
            wanted = SettingsAlignment.neededBy(exchange.only(), wanted, present);
        }
        List<String> sql = StatementAlignment.everything(exchange, wanted, session, server, mode);
        if (transaction != null) {
            sql = new ArrayList<>(sql);
            sql.add(transaction);
        }
        List<StatementCheck> checks =
                mode == PoolMode.SESSION ? List.of() : StatementCheck.before(exchange, session, server);
        if (sql.isEmpty() && checks.isEmpty()) {
            return false;
        }
        Aligner aligner = new Aligner(server, session, wanted, then);
        aligner.sets = !sql.isEmpty();
        aligner.begins = transaction != null;
        aligner.outstanding = sql.size() + checks.size();
        sql.forEach(query -> server.ask(query, aligner));
        checks.forEach(check -> check.begin(lease.preparation(), aligner));
        return true;
    }

    @Override
    public void done(@Nullable ErrorFields failure, byte status) {
        error = error == null ? failure : error;
        if (--outstanding > 0) {
            return;
        }
        if (error == null && sets) {
            if (status == TransactionStatus.IDLE || begins) {
                server.settings().reset(wanted);
            } else {
                server.settings().set(wanted);
            }
            server.customSettings().addAll(custom);
        }
        if (error == null && changed) {
            error = StatementCheck.CHANGED;
            if (status == TransactionStatus.IN_TRANSACTION && !begins) {
                // no statement: it fails the transaction, as the error does that is told
                outstanding = 1;
                server.ask(error.message(), this);
                return;
            }
        }
        then.accept(server, error);
    }

    /** A statement of the exchange does not give any more what its client goes by. */
    void changed() {
        changed = true;
    }
}
