package dev.pgproxy.route;

import dev.pgproxy.routing.LoopTotals;
import dev.pgproxy.routing.RouteReason;

/** How many exchanges went where for which reason. Thread-safe. */
public final class RouteCounters {
    private final LoopTotals byReason;
    private final LoopTotals byHost;

    RouteCounters(int loops, int hosts) {
        byReason = new LoopTotals(loops, RouteReason.values().length);
        byHost = new LoopTotals(loops, hosts);
    }

    /** One more; only on that loop. */
    public void count(int loop, RouteReason reason) {
        byReason.add(loop, reason.ordinal(), 1);
    }

    /** A read that could have gone to any host was answered by this one; only on that loop. */
    public void read(int loop, int host) {
        byHost.add(loop, host, 1);
    }

    /** How many went somewhere for this reason. */
    public long of(RouteReason reason) {
        return byReason.of(reason.ordinal());
    }

    /** How many such reads a host has had. */
    public long reads(int host) {
        return byHost.of(host);
    }
}
