package dev.pgproxy.pool;

import dev.pgproxy.protocol.backend.ErrorFields;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Whether the clients of a pool may wait for its host. Guarded by the pool. */
record HostAccess(PoolKey key, Pools pools, Outage outage) {
    static HostAccess of(PoolKey key, Pools pools) {
        return new HostAccess(key, pools, new Outage(new SplittableRandom()));
    }

    /** Whether the host is a replica that is left alone: the primary answers in its place. */
    boolean isShut() {
        return key.replica() != null && pools.isLeftAlone(key);
    }

    /** Whether clients wait for the host to come back, or for another to take its place. */
    boolean isPatient(long now) {
        return outage.isShorterThan(pools.failoverWaitNanos(key), now);
    }

    /**
     * Why nobody may wait for a server that is not there yet; null if everybody may.
     *
     * @param hasNone whether the pool has no server that it could wait for
     * @param connecting whether one is being made
     */
    @Nullable
    ErrorFields refusal(boolean hasNone, boolean connecting) {
        if (pools.gates().isStopping()) {
            return Pools.STOPPING;
        }
        if (isShut()) {
            return Pools.LEFT_ALONE;
        }
        long now = System.nanoTime();
        if (!hasNone || isPatient(now)) {
            return null;
        }
        boolean tried = pools.isLeftAlone(key); // by BreakerProbes
        if (tried && outage.failure() == null && pools.failoverWaitNanos(key) == 0) {
            return pools.unreachable(key); // others have found out
        }
        return tried || !connecting ? outage.refusal(tried, now) : null;
    }
}
