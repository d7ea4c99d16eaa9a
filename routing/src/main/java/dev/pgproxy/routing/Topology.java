package dev.pgproxy.routing;

import dev.pgproxy.routing.freshness.Timeline;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The hosts of a cluster and what was known of them at one moment. Immutable; published as a whole.
 *
 * @param primary the host that takes writes; null while none is known
 * @param replicas those that answer as replicas, in the order of configuration
 * @param hosts all of them, those that do not answer included, in the order of configuration
 * @param timeline the primary's, or that of the last one there was; null before the first
 */
public record Topology(
        @Nullable HostState primary,
        List<HostState> replicas,
        List<HostState> hosts,
        @Nullable Timeline timeline) {
    public Topology {
        replicas = List.copyOf(replicas);
        hosts = List.copyOf(hosts);
    }

    /** The same hosts by their roles. */
    public static Topology of(List<HostState> hosts, @Nullable Timeline timeline) {
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
                hosts,
                timeline);
    }
}
