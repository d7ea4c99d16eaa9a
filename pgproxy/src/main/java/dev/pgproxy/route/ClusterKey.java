package dev.pgproxy.route;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ReplicaAddress;
import java.util.List;

/**
 * A cluster as it is watched. Immutable.
 *
 * @param primary as configured
 * @param hosts all of them: that primary first and its replicas, or those that Patroni has told
 */
record ClusterKey(HostAddress primary, List<ReplicaAddress> hosts) {
    ClusterKey {
        hosts = List.copyOf(hosts);
    }

    List<HostAddress> addresses() {
        return hosts.stream().map(ReplicaAddress::address).toList();
    }
}
