package dev.pgproxy.pool;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.route.Breakers;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tries hosts whose breaker is not closed: by one login at a time, of whichever pool has its turn, for which no client waits.
 * Confined to the loop that sweeps the pools.
 */
final class BreakerProbes {
    private final Pools pools;
    private final Breakers breakers;
    private int turn;

    BreakerProbes(Pools pools, Breakers breakers) {
        this.pools = pools;
        this.breakers = breakers;
    }

    /** Some times a second. */
    void sweep(long now) {
        breakers.all().forEach((host, breaker) -> {
            if (!breaker.isClosed()) {
                tryPrimaries(host, breaker, now);
                probe(host, breaker);
            }
        });
    }

    /** Nobody can do without a primary: it is tried whenever its pools would try it for a client. */
    private void tryPrimaries(HostAddress host, Breaker breaker, long now) {
        for (Pool pool : pools.all()) {
            if (pool.key().replica() == null && host.equals(pools.host(pool.key())) && pool.isDue(now)) {
                pool.probe(pools.anyLoop(), breaker.begin());
                return; // the others a little later
            }
        }
    }

    private void probe(HostAddress host, Breaker breaker) {
        Pool next = next(host);
        Breaker.Attempt attempt = next == null ? null : breaker.probe();
        if (next == null || attempt == null) {
            return;
        }
        if (host.equals(pools.host(next.key()))) {
            next.probe(pools.anyLoop(), attempt);
            return;
        }
        Pool there = pools.enter(next, host); // no read goes there, and so nobody else makes this pool
        there.probe(pools.anyLoop(), attempt);
        there.leave();
    }

    /** A pool on the host, or one on the primary whose reads may go there. */
    private @Nullable Pool next(HostAddress host) {
        List<Pool> there = new ArrayList<>();
        List<Pool> elsewhere = new ArrayList<>();
        for (Pool pool : pools.all()) {
            if (host.equals(pools.host(pool.key()))) {
                there.add(pool);
            } else if (pools.isReplica(pool.key(), host)) {
                elsewhere.add(pool);
            }
        }
        List<Pool> any = there.isEmpty() ? elsewhere : there;
        return any.isEmpty() ? null : any.get(Math.floorMod(turn++, any.size()));
    }
}
