package dev.pgproxy.route;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.health.breaker.BreakerRules;
import dev.pgproxy.health.breaker.MonotonicClock;
import dev.pgproxy.routing.Host;
import java.time.Clock;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;

/** The breakers of all hosts. Thread-safe. */
public final class Breakers {
    private final ConcurrentMap<HostAddress, Breaker> breakers = new ConcurrentHashMap<>();
    private final Clock clock = new MonotonicClock();
    private volatile BreakerRules rules;

    /** All closed. */
    public Breakers(BreakerRules rules) {
        this.rules = rules;
    }

    /** That of a host, wherever it is used. */
    public Breaker of(HostAddress host) {
        Breaker known = breakers.get(host);
        return known != null
                ? known
                : breakers.computeIfAbsent(host, h -> new Breaker(h.toString(), rules, clock, new SplittableRandom()));
    }

    /** Those of the hosts that were met so far. */
    public Map<HostAddress, Breaker> all() {
        return breakers;
    }

    /** The hosts may be others now: those that are used nowhere any more are forgotten. */
    public void keep(ProxyConfig config, Collection<WatchedCluster> clusters) {
        Set<HostAddress> configured = new HashSet<>();
        config.databasesAndWildcard().values().forEach(database -> {
            configured.add(database.primary());
            database.replicas().forEach(replica -> configured.add(replica.address()));
        });
        Set<String> watched = clusters.stream()
                .flatMap(cluster -> cluster.hosts().stream())
                .map(Host::name)
                .collect(Collectors.toSet());
        breakers.keySet().removeIf(host -> !configured.contains(host) && !watched.contains(host.toString()));
    }

    /** RELOAD. */
    public void reload(BreakerRules changed) {
        rules = changed;
        breakers.values().forEach(breaker -> breaker.rules(changed));
    }
}
