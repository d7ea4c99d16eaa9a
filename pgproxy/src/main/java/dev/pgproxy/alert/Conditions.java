package dev.pgproxy.alert;

import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.insight.Plans;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.route.Routes;
import java.util.List;
import java.util.function.Supplier;

/**
 * What is looked at. A condition more is a line in {@link #all} and a constant in {@link AlertKind}. Immutable.
 *
 * @param config in force at the moment
 */
public record Conditions(Pools pools, Routes routes, Plans plans, Supplier<ProxyConfig> config) {
    /** New ones, that have seen nothing yet. */
    List<Condition> all() {
        return List.of(
                new HostDown(routes),
                new BreakerOpen(pools),
                new NoPrimary(routes),
                new PrimaryMoved(routes),
                new ReplicaBehind(routes),
                new DiskFull(routes),
                new PoolFull(pools, config),
                new FewHits(routes),
                new RedisLost(routes),
                new FeedLost(routes),
                new ManyErrors(pools),
                new PlanChanged(plans));
    }
}
