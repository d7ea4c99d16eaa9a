package dev.pgproxy.health.failover;

import java.time.Duration;

/**
 * What is done about a primary that is gone. Immutable.
 *
 * @param promotes whether a replica is promoted, and replicas are made to follow
 * @param after how long no host must have been the primary
 * @param allowDataLoss whether a replica is promoted that may lack acknowledged commits
 * @param interval between looks at replicas that may not follow
 */
public record Rules(boolean promotes, Duration after, boolean allowDataLoss, Duration interval) {}
