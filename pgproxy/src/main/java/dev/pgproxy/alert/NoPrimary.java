package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.route.Routes;
import dev.pgproxy.route.WatchedCluster;
import java.util.ArrayList;
import java.util.List;

/** A cluster that had a primary has none, or two hosts take writes. */
record NoPrimary(Routes routes) implements Condition {
    @Override
    public AlertKind kind() {
        return AlertKind.NO_PRIMARY;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        List<Reading> readings = new ArrayList<>();
        for (WatchedCluster cluster : routes.clusters()) {
            var topology = cluster.monitor().topology();
            boolean lost = topology.timeline() != null && topology.primary() == null;
            readings.add(Reading.of(
                    cluster.primary().toString(),
                    lost,
                    "no host of this primary's cluster takes writes, or several do"));
        }
        return readings;
    }
}
