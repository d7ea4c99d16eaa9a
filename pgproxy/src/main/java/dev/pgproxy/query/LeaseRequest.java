package dev.pgproxy.query;

import dev.pgproxy.pool.LeaseListener;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.routing.Priority;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Session;
import dev.pgproxy.session.Settings;
import io.netty.channel.EventLoop;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Asks for a server where an exchange was routed to, and on the primary where that is no good. One per client, confined to
 * its loop.
 */
final class LeaseRequest implements LeaseListener {
    private final QueryFlow flow;
    private final ClientLink link;
    private final PoolStatements statements;
    private final Session session;
    private final Pool primary;
    private final Lease lease;
    private final @Nullable Routing routing;
    private boolean waiting;

    /** Of the exchange that waits; null until it has to. */
    private @Nullable Priority priority;

    LeaseRequest(QueryFlow flow, ClientLink link, PoolStatements statements, Lease lease, @Nullable Routing routing) {
        this.flow = flow;
        this.link = link;
        this.statements = statements;
        this.session = statements.session();
        this.primary = statements.pool();
        this.lease = lease;
        this.routing = routing;
    }

    /** True if a server is leased now; else {@link QueryFlow#leased} follows, or the end of the client. */
    boolean acquire() {
        priority = null;
        while (true) {
            ServerConnection granted = lease.source().acquire(this);
            if (granted == null) {
                waiting = true;
                return false;
            }
            if (take(granted, true)) {
                return true;
            }
        }
    }

    /** False if the server is not one that the exchange was routed to. */
    private boolean take(ServerConnection granted, boolean atOnce) {
        if (routing != null && !lease.isOnPrimary() && !routing.isAsFreshAsSeen(granted)) {
            lease.source().release(granted);
            leaveReplica("");
            return false;
        }
        lease.begin(granted);
        flow.begin(granted, atOnce);
        return true;
    }

    /** The primary is to be asked, because the replica has failed with this SQLSTATE, or was not asked. */
    void leaveReplica(String sqlState) {
        if (!sqlState.isEmpty()) {
            statements.count(Counter.RETRIES_READ);
        }
        if (routing != null) {
            routing.leavesReplica(sqlState);
        }
        lease.source(primary);
    }

    /** Gives up waiting. */
    void cancel() {
        if (waiting) {
            waiting = false;
            lease.source().cancelWait(this);
        }
    }

    @Override
    public EventLoop loop() {
        return link.channel().eventLoop();
    }

    @Override
    public Settings wantedSettings() {
        return session.settings().get();
    }

    @Override
    public Set<String> customSettings() {
        return session.customSettings();
    }

    @Override
    public Priority priority() {
        if (priority == null) {
            Priority hint = routing != null && routing.isActive()
                    ? routing.priority()
                    : flow.exchange().hint(session) instanceof RoutingHint said ? said.priority() : null;
            priority = flow.junction().gate().restraints().priorities().of(session.user(), session.application(), hint);
        }
        return priority;
    }

    @Override
    public void granted(ServerConnection leased) {
        Pool from = (Pool) Objects.requireNonNull(leased.listener());
        if (!waiting || from != lease.source()) { // given up when the server was on its way
            from.release(leased);
            return;
        }
        waiting = false;
        if (take(leased, false) || acquire()) {
            flow.leased();
        }
    }

    @Override
    public void refused(ErrorFields error) {
        if (!waiting) {
            return;
        }
        waiting = false;
        if (lease.isOnPrimary()) {
            link.end(error);
            return;
        }
        leaveReplica(error.code());
        if (acquire()) {
            flow.leased();
        }
    }
}
