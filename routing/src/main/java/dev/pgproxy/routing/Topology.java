package dev.pgproxy.routing;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The hosts of a cluster and what was known of them at one moment. Immutable; published as a whole.
 *
 * @param primary the host that takes writes; null while none is known
 * @param replicas those that answer as replicas, in the order of configuration
 * @param hosts all of them, those that do not answer included, in the order of configuration
 */
public record Topology(@Nullable HostState primary, List<HostState> replicas, List<HostState> hosts) {
    public Topology {
        replicas = List.copyOf(replicas);
        hosts = List.copyOf(hosts);
    }

    /** The same hosts by their roles. */
    public static Topology of(List<HostState> hosts) {
        HostState primary = null;
        int primaries = 0;
        for (HostState state : hosts) {
            if (state.role() == HostRole.PRIMARY) {
                primary = state;
                primaries++;
            }
        }
        return new Topology(
                primaries == 1 ? primary : null,
                hosts.stream().filter(state -> state.role() == HostRole.REPLICA).toList(),
                hosts);
    }
}
