package dev.pgproxy.route;

import dev.pgproxy.routing.RouteReason;
import java.util.concurrent.atomic.LongAdder;

/** How many exchanges went where for which reason. Thread-safe. */
public final class RouteCounters {
    private final LongAdder[] byReason = new LongAdder[RouteReason.values().length];
    private final LongAdder[] byHost;

    RouteCounters(int hosts) {
        for (int i = 0; i < byReason.length; i++) {
            byReason[i] = new LongAdder();
        }
        byHost = new LongAdder[hosts];
        for (int i = 0; i < hosts; i++) {
            byHost[i] = new LongAdder();
        }
    }

    /** One more. */
    public void count(RouteReason reason) {
        byReason[reason.ordinal()].increment();
    }

    /** A read that could have gone to any host was answered by this one. */
    public void read(int host) {
        byHost[host].increment();
    }

    /** How many went somewhere for this reason. */
    public long of(RouteReason reason) {
        return byReason[reason.ordinal()].sum();
    }

    /** How many such reads a host has had. */
    public long reads(int host) {
        return byHost[host].sum();
    }
}
