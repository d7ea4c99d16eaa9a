package dev.pgproxy.query;

import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostChooser;
import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Route;
import dev.pgproxy.routing.RouteReason;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.freshness.TableClock;
import org.jspecify.annotations.Nullable;

/**
 * Which host answers a harmless read, of those that are there at one moment. Immutable but for the chooser's turn.
 *
 * @param position of WAL that a replica must have replayed, unsigned; 0 for none
 * @param now a {@link dev.pgproxy.routing.freshness.Monotonic} moment
 */
record HostChoice(Topology topology, HostChooser chooser, long position, long now) {
    /** By freshness; {@code reason} if it is a replica. */
    Route by(long asOf, RouteReason reason) {
        if (asOf == TableClock.IN_DOUBT) {
            return Route.primary(RouteReason.IN_DOUBT);
        }
        HostState chosen = chooser.choose(topology, asOf, position, now);
        if (chosen != null && chosen.role() == HostRole.REPLICA) {
            return new Route(reason, chosen.host());
        }
        return Route.primary(whyNone(asOf));
    }

    private RouteReason whyNone(long asOf) {
        if (topology.replicas().isEmpty()) {
            return RouteReason.NO_REPLICA;
        }
        boolean whole = false;
        boolean fresh = false;
        for (HostState replica : topology.replicas()) {
            if (chooser.mayAnswer(replica, asOf, position, now)) {
                return RouteReason.SHARE_OF_PRIMARY;
            }
            whole |= !replica.broken();
            fresh |= !replica.broken() && replica.freshAsOf() >= asOf;
        }
        if (!whole) {
            return RouteReason.BROKEN;
        }
        return fresh ? RouteReason.LAGGING : RouteReason.NOT_FRESH;
    }

    /** By a hint that names a target; null if it has to be found otherwise. */
    @Nullable
    Route hinted(RoutingHint hint) {
        if (hint.target() == RoutingHint.Target.PRIMARY) {
            return Route.primary(RouteReason.HINT_PRIMARY);
        }
        if (hint.target() == RoutingHint.Target.REPLICA) {
            HostState any = chooser.choose(topology, HostState.NEVER, position, now);
            return any == null || any.role() != HostRole.REPLICA
                    ? null
                    : new Route(RouteReason.HINT_REPLICA, any.host());
        }
        for (HostState each : topology.hosts()) {
            if (each.host().name().equals(hint.host())) {
                if (each.role() == HostRole.PRIMARY) {
                    return Route.primary(RouteReason.HINT_PRIMARY);
                }
                if (each.broken()) {
                    return Route.primary(RouteReason.BROKEN);
                }
                if (each.role() == HostRole.REPLICA) {
                    return new Route(RouteReason.HINT_HOST, each.host());
                }
            }
        }
        return Route.primary(RouteReason.HINT_UNKNOWN_HOST);
    }

    /** When the position was asked for on which the choice of a replica rests. */
    long polledAt(Route route) {
        Host host = route.host();
        return host == null
                ? HostState.NEVER
                : topology.hosts().get(host.index()).polledAt();
    }
}
