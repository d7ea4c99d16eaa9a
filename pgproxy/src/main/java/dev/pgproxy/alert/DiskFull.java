package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.route.Routes;
import dev.pgproxy.route.WatchedCluster;
import dev.pgproxy.routing.Host;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A file system of a host is nearly full. */
record DiskFull(Routes routes) implements Condition {
    @Override
    public AlertKind kind() {
        return AlertKind.DISK_FULL;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        List<Reading> readings = new ArrayList<>();
        if (settings.disk() == 0) {
            return readings;
        }
        Threshold threshold = new Threshold(settings.disk(), settings.disk() - 2, false);
        for (WatchedCluster cluster : routes.clusters()) {
            for (Host host : cluster.hosts()) {
                Double share = cluster.monitor().machine(host).disk();
                double percent = share == null ? Double.NaN : 100 * share;
                readings.add(new Reading(
                        host.name(),
                        percent,
                        threshold,
                        String.format(Locale.ROOT, "%.1f %% of a file system are used", percent)));
            }
        }
        return readings;
    }
}
