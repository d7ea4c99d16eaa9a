package dev.pgproxy.health.failover;

import dev.pgproxy.routing.freshness.Timeline;

/**
 * What was known of a cluster's primary when it was last seen. Immutable.
 *
 * @param name the host's
 * @param timeline that it wrote
 * @param position where its WAL ended
 * @param synchronous for whom its commits waited: its {@code synchronous_standby_names}
 * @param seen when, by System.nanoTime
 */
public record LastPrimary(String name, Timeline timeline, long position, String synchronous, long seen) {}
