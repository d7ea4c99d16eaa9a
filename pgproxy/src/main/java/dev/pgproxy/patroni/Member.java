package dev.pgproxy.patroni;

import dev.pgproxy.config.HostAddress;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A member of a cluster, as Patroni tells of it. Immutable. Whether its server is the primary, and how far it is, only the
 * server itself is asked.
 *
 * @param name in Patroni
 * @param address where its server listens
 * @param role leader, standby_leader, replica, sync_standby or another
 * @param state running, streaming, or one in which it may answer nobody
 * @param timeline null if it has not told any
 * @param lag bytes that it had not received when it last told its position; null for a leader, or if it is not known
 * @param tags for people: {@code noloadbalance nofailover}
 * @param noLoadBalance whether its operator wants no reads there
 */
public record Member(
        String name,
        HostAddress address,
        String role,
        String state,
        @Nullable Integer timeline,
        @Nullable Long lag,
        String tags,
        boolean noLoadBalance) {
    private static final Set<String> ANSWERING = Set.of("running", "streaming");
    private static final Set<String> LEADING = Set.of("leader", "standby_leader", "master");

    /** Whether it takes reads when it is a replica. */
    public boolean takesReads() {
        return ANSWERING.contains(state) && !noLoadBalance;
    }

    /** Whether it has the leader's lock. */
    public boolean isLeader() {
        return LEADING.contains(role);
    }
}
