package dev.pgproxy.cache.redis;

/**
 * An answer as instances share it. Whether it is true is decided by its epoch alone: where that is what {@link
 * InstanceLink#epoch} says now, the answer is true as of now. Ages come from the clocks of walls, which differ between
 * machines, so they only decide how long it is kept. Immutable, if nobody writes to its bytes.
 *
 * @param bytes messages as they go to a client; not copied
 * @param epoch of its tables, noted before the query was sent and unchanged when it ended
 * @param ageMillis since it was recorded, not below 0
 * @param leftMillis until it expires
 */
public record SharedResult(byte[] bytes, Epoch epoch, long ageMillis, long leftMillis) {}
