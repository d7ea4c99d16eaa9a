package dev.pgproxy.cache.redis;

/**
 * What has become of tokens: nothing more will be used of that block. Immutable.
 *
 * @param block of which they were; {@link #NONE} if they were used without having been lent
 * @param count used, which may be none
 * @param ageMicros microseconds since the last was used; rather less than more
 */
public record TokenUse(String block, int count, long ageMicros) {
    /** Of no block. */
    public static final String NONE = "-";
}
