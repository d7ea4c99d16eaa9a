package dev.pgproxy.cache.redis;

import java.util.Map;

/**
 * What {@link RedisTier} has done since its start. Immutable.
 *
 * @param hits look-ups that were answered
 * @param stores results that Redis has taken
 * @param bytesStored bytes of these as they were sent
 * @param misses look-ups and stores that came to nothing, by reason
 * @param connected whether Redis is asked at the moment
 */
public record TierCounters(long hits, long stores, long bytesStored, Map<TierMiss, Long> misses, boolean connected) {
    /** Takes a copy. */
    public TierCounters {
        misses = Map.copyOf(misses);
    }
}
