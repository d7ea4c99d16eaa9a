package dev.pgproxy.route;

import dev.pgproxy.config.FailoverSettings;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.ReplicaAddress;
import dev.pgproxy.health.ClusterMonitor;
import dev.pgproxy.health.MonitorSettings;
import dev.pgproxy.health.failover.Failover;
import dev.pgproxy.health.failover.LastPrimary;
import dev.pgproxy.health.failover.Rules;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.ResponseTimes;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.freshness.Timeline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Begins to watch clusters, as the configuration says. Immutable.
 *
 * @param loops so many event loops tell how long reads take
 * @param primaries are told where primaries are
 * @param instances null if there is only this one
 */
record Watching(
        ProxyConfig config,
        int loops,
        Primaries primaries,
        Breakers breakers,
        @Nullable Instances instances) {
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    /**
     * Begins to watch one.
     *
     * @param database to log in to
     * @param change hears of each topology
     * @param before how it was when it was last watched with other hosts; null if it was not
     * @param last its last primary, as known from before; null if it is not
     */
    WatchedCluster begin(
            ClusterKey key,
            String database,
            ControlLogin login,
            PrimaryChange change,
            @Nullable Topology before,
            @Nullable LastPrimary last) {
        List<Host> hosts = new ArrayList<>();
        List<ControlTarget> targets = new ArrayList<>();
        for (ReplicaAddress each : key.hosts()) {
            Host host = new Host(hosts.size(), each.address().toString(), each.weight());
            hosts.add(host);
            targets.add(login.target(host, each.address(), database, config.serverTls(), each.nodeExporter()));
        }
        ResponseTimes times = new ResponseTimes(loops, hosts.size());
        MonitorSettings settings = new MonitorSettings(
                config.routing().healthInterval(),
                config.routing().freshnessInterval(),
                PATIENCE,
                config.routing().adaptiveWeights(),
                config.routing().maxReplicaLag());
        List<HostAddress> addresses = key.addresses();
        Consumer<Topology> listener = change;
        if (config.failover().follows()) { // after it: nothing is sent to another primary before results are forgotten
            listener = listener.andThen(new PrimaryPlace(key.primary(), addresses, primaries));
        }
        ClusterMonitor monitor = ClusterMonitor.start(
                targets,
                settings,
                times,
                addresses.stream().map(breakers::of).toList(),
                before == null ? null : before.timeline(),
                listener);
        return new WatchedCluster(key.primary(), hosts, monitor, times, failover(key, targets, monitor, last));
    }

    private @Nullable Failover failover(
            ClusterKey key, List<ControlTarget> targets, ClusterMonitor monitor, @Nullable LastPrimary last) {
        FailoverSettings failover = config.failover();
        HostAddress primary = key.primary();
        if (!failover.follows() || targets.size() == 1 || primary.isPatroni()) {
            return null; // it is Patroni who promotes, and makes the others follow
        }
        Rules rules = new Rules(
                failover.promotes(),
                failover.after(),
                failover.allowDataLoss(),
                config.routing().healthInterval());
        return new Failover(
                targets,
                monitor,
                rules,
                new Failover.Fence() {
                    @Override
                    public String hindrance() {
                        return instances == null ? "" : instances.company();
                    }

                    @Override
                    public void leave(Timeline left) {
                        primaries.leave(primary, left);
                    }

                    @Override
                    public void stay(Timeline left) {
                        primaries.stay(primary, left);
                    }
                },
                last);
    }
}
