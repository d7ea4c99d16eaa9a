package dev.pgproxy.route;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.freshness.Timeline;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says where the primary of a cluster is. One that does not answer stays where it was, since it may only be us who cannot
 * reach it; one that answers as a replica, or was left behind by a promotion, or has a rival, is none. Confined to who
 * publishes topologies, one after the other.
 */
final class PrimaryPlace implements Consumer<Topology> {
    private static final Logger LOG = LoggerFactory.getLogger(PrimaryPlace.class);

    private final HostAddress configured;
    private final List<HostAddress> addresses;
    private final Primaries primaries;
    private int host;
    private boolean none;

    /** @param addresses of all hosts, by their index */
    PrimaryPlace(HostAddress configured, List<HostAddress> addresses, Primaries primaries) {
        this.configured = configured;
        this.addresses = List.copyOf(addresses);
        this.primaries = primaries;
        Primaries.Place known = primaries.of(configured);
        this.host = known == null ? -1 : addresses.indexOf(known.address());
    }

    @Override
    public void accept(Topology topology) {
        HostState primary = topology.primary();
        Timeline timeline = topology.timeline();
        if (primary != null && timeline != null) {
            int now = primary.host().index();
            if (host >= 0 && (now != host || none)) {
                LOG.warn("{} is the primary now, on timeline {}", primary.host(), timeline.number());
            }
            host = now;
            none = false;
            primaries.is(configured, addresses.get(now), timeline);
        } else if (host >= 0 && topology.hosts().get(host).polledAt() != HostState.NEVER && !none) {
            none = true;
            LOG.warn(
                    "{} is not the primary any more, or not the only one, and no other host is: writes wait",
                    addresses.get(host));
            primaries.isNot(configured, addresses.get(host));
        }
    }
}
