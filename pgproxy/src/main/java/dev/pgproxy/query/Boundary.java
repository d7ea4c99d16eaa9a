package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.PinReason;
import dev.pgproxy.session.Session;
import java.time.Duration;

/**
 * The end of a transaction: the server is given back when nothing can strike it any more, and nothing of the session is left
 * on it. One per client, confined to its loop.
 */
final class Boundary {
    private final QueryFlow flow;
    private final PoolStatements statements;
    private final Session session;
    private final boolean keeps;
    private final Lease lease;
    private final Relay relay;
    private final Cancels cancels;
    private final ClientLink link;
    private boolean pending;

    Boundary(
            QueryFlow flow,
            PoolStatements statements,
            FlowSettings settings,
            Lease lease,
            Relay relay,
            Cancels cancels,
            ClientLink link) {
        this.flow = flow;
        this.statements = statements;
        this.session = statements.session();
        this.keeps = settings.mode() == PoolMode.SESSION;
        this.lease = lease;
        this.relay = relay;
        this.cancels = cancels;
        this.link = link;
    }

    /** Whether a cancel may still strike the server. */
    boolean mayStrike() {
        return cancels.mayStrike();
    }

    /** Cancels what runs on the leased server. */
    void cancel(Duration timeout, Runnable done) {
        cancels.send(lease.leased(), timeout, () -> {
            done.run();
            if (lease.server() != null) { // perhaps another one by now, which has waited for this
                reachedIfQuiet(lease.leased());
            }
        });
    }

    /** The transaction has ended and nothing is outstanding. */
    void reached() {
        ServerConnection leased = lease.leased();
        if (flow.awaitsOthers()) {
            return; // its next answer comes here again
        }
        if (link.isMidFrame() && lease.isOnPrimary()) {
            pending = true; // the server is needed again at once
            return;
        }
        if (keeps) {
            flow.goOn();
            return;
        }
        if (cancels.mayStrike()) {
            cancels.settle(leased, () -> reachedIfQuiet(leased));
        } else if (session.isSuspected() && !session.pins().containsKey(PinReason.MIXED_PIPELINE)) {
            StateProbe.ask(session, leased, statements.pool().catalog(), () -> reachedIfQuiet(leased));
        } else if (session.pins().isEmpty()) {
            relay.end();
            lease.giveBack(false);
        } else if (!lease.isOnPrimary()) { // what was taken for harmless has left something there
            relay.end();
            lease.end();
            session.pins().clear();
            leased.abandon("a session has left something on a replica");
        }
        flow.goOn();
    }

    /** What a read of the client brought has been handled: it may have brought another query, or not. */
    void readComplete() {
        ServerConnection leased = lease.server();
        if (pending && leased != null && !link.isMidFrame()) {
            pending = false;
            reachedIfQuiet(leased);
        }
    }

    private void reachedIfQuiet(ServerConnection leased) {
        boolean idle = lease.server() == leased && leased.isUsable() && leased.status() == TransactionStatus.IDLE;
        if (idle && !flow.isRunning() && !lease.isOpen()) {
            reached();
        }
    }
}
