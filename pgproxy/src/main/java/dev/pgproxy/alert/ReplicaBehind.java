package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.health.probe.HostVitals;
import dev.pgproxy.route.Routes;
import dev.pgproxy.route.WatchedCluster;
import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.freshness.Monotonic;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** A replica has not replayed what was acknowledged some time ago. */
record ReplicaBehind(Routes routes) implements Condition {
    @Override
    public AlertKind kind() {
        return AlertKind.REPLICATION_LAG;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        List<Reading> readings = new ArrayList<>();
        double limit = seconds(settings.replicaLag().toNanos());
        if (limit == 0) {
            return readings;
        }
        Threshold threshold = new Threshold(limit, limit / 2, false);
        for (WatchedCluster cluster : routes.clusters()) {
            for (HostState host : cluster.monitor().topology().hosts()) {
                if (host.role() != HostRole.PRIMARY) {
                    double lag = lag(host, cluster);
                    readings.add(new Reading(
                            host.host().name(),
                            lag,
                            threshold,
                            String.format(Locale.ROOT, "it is %.1f s behind the primary", lag)));
                }
            }
        }
        return readings;
    }

    /** In seconds; not a number for a host that does not answer, or whose primary does not: others tell of that. */
    private static double lag(HostState host, WatchedCluster cluster) {
        boolean compared =
                host.role() == HostRole.REPLICA && cluster.monitor().topology().primary() != null;
        if (compared && host.freshAsOf() != HostState.NEVER) {
            return seconds(Math.max(0, Monotonic.now() - host.freshAsOf()));
        }
        HostVitals vitals = compared ? cluster.monitor().vitals(host.host()) : null;
        return vitals == null || vitals.lag() == null ? Double.NaN : vitals.lag();
    }

    private static double seconds(long nanos) {
        return (double) nanos / TimeUnit.SECONDS.toNanos(1);
    }
}
