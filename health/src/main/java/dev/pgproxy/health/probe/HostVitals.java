package dev.pgproxy.health.probe;

import org.jspecify.annotations.Nullable;

/**
 * How a host is. Null = not known, because the role may not see it or the host cannot tell. Immutable.
 *
 * @param asked the {@link dev.pgproxy.routing.freshness.Monotonic} moment before the first question was sent
 * @param connections of clients to all of its databases; those of replication are not counted
 * @param maxConnections how many there may be
 * @param reserved how many of these only superusers get
 * @param oldestTransaction seconds since the first of those that are open began; 0 = none is open
 * @param oldestIdleTransaction the same of those whose client says nothing
 * @param waitingLocks server processes that wait for a lock
 * @param longestLockWait seconds since the first of those waits began; 0 = nobody waits; not known before PostgreSQL 14
 * @param deadlocks since its statistics were last reset
 * @param bufferHitRatio the share of blocks that were found in its buffers since the question before, 0 to 1
 * @param lag of a replica that receives: seconds since the last transaction that it replayed was committed; 0 if it has
 *     replayed all that it has received
 * @param machine from its files; null if these cannot be read
 */
public record HostVitals(
        long asked,
        @Nullable Long connections,
        int maxConnections,
        int reserved,
        @Nullable Double oldestTransaction,
        @Nullable Double oldestIdleTransaction,
        @Nullable Long waitingLocks,
        @Nullable Double longestLockWait,
        @Nullable Long deadlocks,
        @Nullable Double bufferHitRatio,
        @Nullable Double lag,
        @Nullable MachineLoad machine) {}
