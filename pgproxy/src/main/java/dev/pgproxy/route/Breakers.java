package dev.pgproxy.route;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.health.breaker.BreakerRules;
import dev.pgproxy.health.breaker.MonotonicClock;
import java.time.Clock;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

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

    /** RELOAD. */
    public void reload(BreakerRules changed) {
        rules = changed;
        breakers.values().forEach(breaker -> breaker.rules(changed));
    }
}
