package dev.pgproxy.route;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.health.ClusterMonitor;
import dev.pgproxy.health.failover.Failover;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.ResponseTimes;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A primary and its replicas, as they are watched. Immutable.
 *
 * @param primary as configured
 * @param hosts the configured primary first
 * @param times how long replicas take to answer
 * @param failover makes another the primary; null where there is no other, or it is not to be followed
 */
public record WatchedCluster(
        HostAddress primary,
        List<Host> hosts,
        ClusterMonitor monitor,
        ResponseTimes times,
        @Nullable Failover failover) {
    public WatchedCluster {
        hosts = List.copyOf(hosts);
    }

    void close() {
        monitor.close();
        if (failover != null) {
            failover.close();
        }
    }
}
