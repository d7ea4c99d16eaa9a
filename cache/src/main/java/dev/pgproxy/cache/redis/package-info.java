/**
 * Several instances over one Redis: the channel by which they keep their caches coherent ({@link
 * dev.pgproxy.cache.redis.InstanceLink}), and the tier of the result cache that they share ({@link
 * dev.pgproxy.cache.redis.RedisTier}). Knows tables by their OIDs and databases by a string that all instances agree on;
 * nothing of SQL, clients or PostgreSQL's sockets. The argument why nothing stale is served is in
 * {@code docs/decisions/0006-instances.md}.
 */
@NullMarked
package dev.pgproxy.cache.redis;

import org.jspecify.annotations.NullMarked;
