package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.net.LateFlush;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.session.Session;
import org.jspecify.annotations.Nullable;

/**
 * Where an exchange may turn off: it is refused, or goes to the server that the client has, or while there is none we answer
 * it ourselves, or the cache does, or a replica, or the primary. One per client, confined to its loop.
 */
final class Junction {
    /** What to do with the exchange. */
    enum Turn {
        /** Send it to the server that is leased. */
        LEASED,
        /** Ask for a server, of the pool that the lease has been told. */
        SERVER,
        /** Nothing is left of it. */
        ANSWERED,
        /** Come again when the client takes bytes. */
        AWAITS_CLIENT,
        /** Come again when called: a text is being read, another client asks the same, or instances share a limit. */
        AWAITS_READING,
        /** Come again when everything before has been answered. */
        AWAITS_REPLIES,
        /** Refuse it, with {@link #refusal}: its transaction has failed, or would be one too many. */
        REFUSED
    }

    private final Session session;
    private final Pool primary;
    private final boolean ownsStatements;
    private final Lease lease;
    private final ClientLink link;
    private final Notifications notifications;
    private final @Nullable Routing routing;
    private final @Nullable CachedReads cached;
    private final RuleGate gate;
    private final Admission admission;
    private final Runnable again;

    /**
     * For one client.
     *
     * @param routing knows replicas; null if the database is none of the configuration any more
     * @param gate what rules make of it
     * @param again is called when the exchange that waited is to be looked at again
     */
    Junction(
            PoolStatements statements,
            Lease lease,
            ClientLink link,
            Notifications notifications,
            @Nullable Routing routing,
            RuleGate gate,
            Runnable again) {
        this.session = statements.session();
        this.primary = statements.pool();
        this.ownsStatements = statements.settings().mode() != PoolMode.SESSION;
        this.lease = lease;
        this.link = link;
        this.notifications = notifications;
        this.routing = routing;
        this.cached = routing == null ? null : routing.cachedReads(link.channel(), gate.limit());
        this.gate = gate;
        this.admission = new Admission(gate.restraints().rates(), session, lease, notifications, link.channel(), again);
        this.again = again;
    }

    /** Another exchange is the one to look at. */
    void next() {
        gate.next();
        admission.next();
    }

    /** Why the exchange is refused. */
    ErrorFields refusal() {
        ErrorFields ruled = gate.refusal();
        ErrorFields limited = ruled == null ? admission.refusal() : ruled;
        return limited == null ? Routing.ABORTED : limited;
    }

    /** Keeps answers for those who ask the same; null if nothing is ever kept. */
    @Nullable
    Recorder recorder() {
        return cached == null ? null : cached.recorder();
    }

    /** What to do with an exchange. */
    Turn turn(Exchange exchange, FlowTimes times) {
        Turn ruled = gate.stops(exchange);
        if (ruled != null) {
            return ruled;
        }
        Turn turn = direction(exchange, times);
        return turn == Turn.LEASED || turn == Turn.SERVER ? gate.admit(exchange, turn) : turn;
    }

    private Turn direction(Exchange exchange, FlowTimes times) {
        Turn stopped = admission.stops(exchange);
        if (stopped != null || lease.server() != null) {
            return stopped == null ? Turn.LEASED : stopped;
        }
        if (!lease.isOpen() && LocalAnswer.gives(exchange, ownsStatements, session, link.channel())) {
            return Turn.ANSWERED;
        }
        lease.source(primary);
        return routing == null || cached == null || !routing.isActive()
                ? Turn.SERVER
                : turn(exchange, routing, cached, times);
    }

    private Turn turn(Exchange exchange, Routing to, CachedReads reads, FlowTimes times) {
        if (!link.channel().isWritable()) {
            return Turn.AWAITS_CLIENT; // what we answer ourselves would pile up
        }
        if (to.awaits(exchange, link.channel().eventLoop(), again)) {
            return Turn.AWAITS_READING;
        }
        if (!lease.isOpen() || to.transaction().isOpen()) {
            to.answer(exchange, link.channel(), notifications);
        }
        if (exchange.size() == 0) {
            return Turn.ANSWERED;
        }
        if (to.transaction().isOpen() && session.status() == TransactionStatus.FAILED) {
            return Turn.REFUSED;
        }
        to.look(exchange);
        if (!lease.isOpen()) {
            switch (reads.ask(exchange, times, again)) {
                case HIT -> {
                    exchange.clear();
                    LateFlush.of(link.channel(), link.channel().eventLoop());
                    return Turn.ANSWERED;
                }
                case WAIT -> {
                    return Turn.AWAITS_READING;
                }
                case MISS -> {}
            }
        }
        lease.source(to.pool(to.route(exchange)));
        reads.routed();
        return Turn.SERVER;
    }

    /** What rules make of exchanges. */
    RuleGate gate() {
        return gate;
    }

    /** The exchange has been sent. */
    void sent(Exchange exchange) {
        gate.sent();
        if (cached != null) {
            cached.sent(exchange);
        }
    }
}
