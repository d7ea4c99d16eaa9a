package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.health.failover.Failover;
import dev.pgproxy.route.Routes;
import dev.pgproxy.route.WatchedCluster;
import dev.pgproxy.routing.HostState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Another host has become the primary, on purpose or not. Confined to one thread. */
final class PrimaryMoved implements Condition {
    private final Routes routes;

    /** The host that was the primary when one was last seen, by what is configured as the primary. */
    private final Map<HostAddress, String> last = new HashMap<>();

    PrimaryMoved(Routes routes) {
        this.routes = routes;
    }

    @Override
    public AlertKind kind() {
        return AlertKind.FAILOVER;
    }

    @Override
    public boolean isEvent() {
        return true;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        List<Reading> moves = new ArrayList<>();
        for (WatchedCluster cluster : routes.clusters()) {
            var topology = cluster.monitor().topology();
            HostState primary = topology.primary();
            String is = primary == null ? null : primary.host().name();
            String was = is == null ? null : last.put(cluster.primary(), is);
            if (was != null && !was.equals(is)) {
                String timeline = topology.timeline() == null
                        ? ""
                        : ", on timeline " + topology.timeline().number();
                Failover failover = cluster.failover();
                String missing = failover == null || failover.missing().isEmpty() ? "" : "; " + failover.missing();
                moves.add(Reading.of(
                        cluster.primary() + ", now " + is,
                        true,
                        "the primary is " + is + " now" + timeline + "; it was " + was + missing));
            }
        }
        return moves;
    }
}
