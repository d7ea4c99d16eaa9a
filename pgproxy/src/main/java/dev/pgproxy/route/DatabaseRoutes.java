package dev.pgproxy.route;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.RoutingSettings;
import dev.pgproxy.health.ClusterMonitor;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostChooser;
import dev.pgproxy.routing.ResponseTimes;
import java.util.List;

/**
 * Where the statements of a database can go that has replicas, or whose results are kept. Thread-safe.
 *
 * @param cluster its hosts as they are
 * @param hosts its hosts, by {@link Host#index}; the first is the primary as configured
 * @param addresses where they listen
 * @param settings how to choose
 * @param choosers one for each event loop
 * @param active how many reads run on each host, for each event loop, which alone may touch its row
 * @param times how long replicas take to answer
 * @param counters what went where
 */
public record DatabaseRoutes(
        ClusterMonitor cluster,
        List<Host> hosts,
        List<HostAddress> addresses,
        RoutingSettings settings,
        List<HostChooser> choosers,
        int[][] active,
        ResponseTimes times,
        RouteCounters counters) {
    public DatabaseRoutes {
        hosts = List.copyOf(hosts);
        addresses = List.copyOf(addresses);
        choosers = List.copyOf(choosers);
    }

    /** Whether there is another host than the primary. */
    public boolean hasReplicas() {
        return hosts.size() > 1;
    }
}
