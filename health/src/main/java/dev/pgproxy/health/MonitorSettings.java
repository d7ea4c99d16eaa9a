package dev.pgproxy.health;

import java.time.Duration;

/**
 * How often and how patiently hosts are asked. Immutable.
 *
 * @param healthInterval between questions to a cluster of one host; at most a second with replicas, or when suspect or down
 * @param freshnessInterval between questions to each host while freshness is {@linkplain ClusterMonitor#needed() needed}
 * @param timeout for an answer; a host that gives none for longer than the interval and this is UNKNOWN
 * @param adaptiveWeights whether response time, CPU and slow start lower weights
 * @param maxReplicaLag a replica further behind gets no reads, and starts slowly afterwards; zero = however far
 */
public record MonitorSettings(
        Duration healthInterval,
        Duration freshnessInterval,
        Duration timeout,
        boolean adaptiveWeights,
        Duration maxReplicaLag) {
    /** As documented. */
    public static final MonitorSettings DEFAULT = new MonitorSettings(
            Duration.ofSeconds(10), Duration.ofMillis(100), Duration.ofSeconds(1), true, Duration.ofSeconds(10));

    public MonitorSettings {
        if (!healthInterval.isPositive() || !freshnessInterval.isPositive() || !timeout.isPositive()) {
            throw new IllegalArgumentException(healthInterval + ", " + freshnessInterval + ", " + timeout);
        }
    }
}
