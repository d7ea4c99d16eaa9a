package dev.pgproxy.routing;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the host of a read. Confined to its event loop; allocates nothing.
 *
 * <p>Round robin keeps a credit for each host: a choice gives every candidate its share of one read and takes one whole read
 * from the host that is chosen, the one with the most. With the same candidates every time this is nginx's smooth weighted
 * round robin. As credits are counted in reads and not in weights, it stays fair when candidates or weights change from choice
 * to choice: a host that was no candidate owes nothing and is owed nothing for that time, and what is left from before is at
 * most some reads.
 */
public final class HostChooser {
    private final ReadBalance balance;
    private final ActiveCounts active;
    private final RandomGenerator random;
    private double[] credits = new double[0];

    /** With {@code random} for the lots, and so that the choosers of several loops do not all begin with the same host. */
    public HostChooser(ReadBalance balance, ActiveCounts active, RandomGenerator random) {
        this.balance = balance;
        this.active = active;
        this.random = random;
    }

    /**
     * A host that may answer a read and is next to do so; null if there is none: under {@link PrimaryReads#NEVER}
     * no replica answers, otherwise no replica may answer and there is no primary.
     *
     * @param asOf the {@link dev.pgproxy.routing.freshness.Monotonic} moment whose writes the read must see;
     *     {@link HostState#NEVER} for none
     * @param now this moment
     */
    public @Nullable HostState choose(Topology topology, long asOf, long now) {
        return choose(topology, asOf, 0, now);
    }

    /**
     * The same of those alone that have replayed a WAL position.
     *
     * @param position of the topology's timeline, unsigned; 0 for none
     */
    public @Nullable HostState choose(Topology topology, long asOf, long position, long now) {
        HostState primary = topology.primary();
        boolean shared =
                primary != null && balance.primaryReads() == PrimaryReads.ALWAYS && balance.primaryWeight() > 0;
        HostState chosen = among(topology, shared ? primary : null, asOf, position, now, balance.maxReplicaLag());
        if (chosen != null) {
            return chosen;
        }
        if (balance.primaryReads() != PrimaryReads.NEVER) {
            return primary;
        }
        chosen = among(topology, null, asOf, position, now, Long.MAX_VALUE);
        return chosen != null || topology.replicas().isEmpty() ? chosen : primary;
    }

    /** Whether a replica is fresh enough for a read, and within the limit of lag. */
    public boolean mayAnswer(HostState replica, long asOf, long position, long now) {
        return isCandidate(replica, asOf, position, now, balance.maxReplicaLag());
    }

    private static boolean isCandidate(HostState replica, long asOf, long position, long now, long maxLag) {
        return replica.role() == HostRole.REPLICA
                && replica.weight() > 0
                && !replica.broken()
                && replica.freshAsOf() >= asOf
                && (position == 0
                        || replica.freshAsOf() != HostState.NEVER
                                && Long.compareUnsigned(replica.position(), position) >= 0)
                && (maxLag == Long.MAX_VALUE
                        || replica.freshAsOf() != HostState.NEVER && now - replica.freshAsOf() <= maxLag);
    }

    private @Nullable HostState among(
            Topology topology, @Nullable HostState primary, long asOf, long position, long now, long maxLag) {
        var replicas = topology.replicas();
        boolean leastActive = balance.algorithm() == Balance.LEAST_ACTIVE;
        double least = Double.POSITIVE_INFINITY;
        double total = 0;
        for (int i = -1; i < replicas.size(); i++) {
            HostState host = candidate(i < 0 ? primary : replicas.get(i), primary, asOf, position, now, maxLag);
            if (host == null) {
                continue;
            }
            double load = leastActive ? load(host, primary) : 0;
            if (load < least) {
                least = load;
                total = 0;
            }
            if (load == least) {
                total += weight(host, primary);
            }
        }
        if (total == 0) {
            return null;
        }
        ensureRoom(topology.hosts().size());
        boolean byLot = balance.algorithm() == Balance.RANDOM;
        double lot = byLot ? random.nextDouble() * total : 0;
        HostState best = null;
        for (int i = -1; i < replicas.size(); i++) {
            HostState host = candidate(i < 0 ? primary : replicas.get(i), primary, asOf, position, now, maxLag);
            if (host == null || leastActive && load(host, primary) > least) {
                continue;
            }
            double weight = weight(host, primary);
            if (byLot) {
                best = host;
                lot -= weight;
                if (lot < 0) {
                    return best;
                }
                continue;
            }
            int index = host.host().index();
            credits[index] += weight / total;
            if (best == null || credits[index] > credits[best.host().index()]) {
                best = host;
            }
        }
        if (!byLot && best != null) {
            credits[best.host().index()]--;
        }
        return best;
    }

    private static @Nullable HostState candidate(
            @Nullable HostState host, @Nullable HostState primary, long asOf, long position, long now, long maxLag) {
        if (host == null || host == primary) {
            return host;
        }
        return isCandidate(host, asOf, position, now, maxLag) ? host : null;
    }

    private double weight(HostState host, @Nullable HostState primary) {
        return host == primary ? balance.primaryWeight() : host.weight();
    }

    private double load(HostState host, @Nullable HostState primary) {
        return active.running(host.host().index()) / weight(host, primary);
    }

    private void ensureRoom(int hosts) {
        int known = credits.length;
        if (hosts > known) {
            credits = Arrays.copyOf(credits, hosts);
            for (int i = known; i < hosts; i++) {
                credits[i] = random.nextDouble();
            }
        }
    }
}
