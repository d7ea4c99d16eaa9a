package dev.pgproxy.cache;

/**
 * What a {@link ResultCache} has counted since it was made, and what it holds. Every look-up is a hit or a miss. Immutable.
 *
 * @param hits look-ups that were answered
 * @param misses look-ups that were not, those that met an expired or stale result included
 * @param stores results stored, those that took the place of an older one included
 * @param tooLarge results not stored for their size
 * @param evictions results that had to make room, those that were not worth a place from the start included
 * @param expirations results removed because a look-up found them expired
 * @param stale results that were refused as stale: removed by a look-up, or not stored
 * @param entries results held
 * @param bytes heap that these take
 */
public record CacheCounters(
        long hits,
        long misses,
        long stores,
        long tooLarge,
        long evictions,
        long expirations,
        long stale,
        long entries,
        long bytes) {}
