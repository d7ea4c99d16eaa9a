package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.route.Routes;
import dev.pgproxy.route.WatchedCluster;
import dev.pgproxy.routing.Host;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A host that is watched does not answer. */
record HostDown(Routes routes) implements Condition {
    @Override
    public AlertKind kind() {
        return AlertKind.HOST_DOWN;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        Map<String, Boolean> down = new TreeMap<>(); // one may be in several clusters, and is up if any has heard of it
        for (WatchedCluster cluster : routes.clusters()) {
            for (Host host : cluster.hosts()) {
                down.merge(host.name(), cluster.monitor().answer(host) == null, Boolean::logicalAnd);
            }
        }
        return down.entrySet().stream()
                .map(host -> Reading.of(host.getKey(), host.getValue(), "it does not answer"))
                .toList();
    }
}
