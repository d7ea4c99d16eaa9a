package dev.pgproxy.cache.redis;

import java.util.List;

/**
 * Tokens that an instance asks for. Immutable.
 *
 * @param limit by which all instances know the limit
 * @param most tokens that may be used in any window
 * @param windowMicros microseconds
 * @param validMicros microseconds after which none of them is used any more, counted from when Redis lends them
 * @param block for what is lent: an id that nobody else has
 * @param want how many at the most; 0 only tells what was used
 * @param need without so many it cannot go on
 * @param uses what has become of earlier ones
 */
public record TokenRequest(
        String limit,
        int most,
        long windowMicros,
        long validMicros,
        String block,
        int want,
        int need,
        List<TokenUse> uses) {
    /** Copies the uses. */
    public TokenRequest {
        uses = List.copyOf(uses);
    }
}
