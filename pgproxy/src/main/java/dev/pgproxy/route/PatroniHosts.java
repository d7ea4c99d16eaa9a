package dev.pgproxy.route;

import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.ReplicaAddress;
import dev.pgproxy.patroni.Member;
import dev.pgproxy.patroni.PatroniApi;
import dev.pgproxy.patroni.PatroniWatch;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Consumer;

/**
 * The hosts of the clusters whose members Patroni tells, by what stands for their primary in the configuration. Patroni only
 * says where servers are, and who wants no reads; what they are, they are asked themselves. Thread-safe.
 */
final class PatroniHosts implements AutoCloseable {
    private final Primaries primaries;
    private final Consumer<HostAddress> told;
    private final ConcurrentMap<HostAddress, PatroniWatch> watches = new ConcurrentHashMap<>();

    /** @param told hears of each answer, on a thread that may wait */
    PatroniHosts(Primaries primaries, Consumer<HostAddress> told) {
        this.primaries = primaries;
        this.told = told;
    }

    /** Asks whom the configuration names from now on; what the members of a cluster said before counts on. */
    synchronized void reload(ProxyConfig config) {
        Map<HostAddress, Set<URI>> wanted = new TreeMap<>(Comparator.comparing(HostAddress::toString));
        for (DatabaseSettings database : config.databasesAndWildcard().values()) {
            if (!database.patroni().isEmpty()) {
                wanted.computeIfAbsent(database.primary(), key -> new TreeSet<>())
                        .addAll(database.patroni());
            }
        }
        Map<HostAddress, PatroniWatch> before = Map.copyOf(watches);
        before.values().forEach(PatroniWatch::close);
        watches.clear();
        wanted.forEach((cluster, addresses) -> {
            PatroniWatch last = before.get(cluster);
            PatroniWatch watch = new PatroniWatch(
                    cluster,
                    new PatroniApi(addresses, config.serverTls().caFile()),
                    last == null ? null : last.status(),
                    () -> told.accept(cluster));
            watches.put(cluster, watch);
            watch.start();
        });
    }

    /** What stands for the primaries of the clusters that are asked about. */
    Set<HostAddress> clusters() {
        return Set.copyOf(watches.keySet());
    }

    /** Who asks. */
    Collection<PatroniWatch> watches() {
        return watches.values().stream()
                .sorted(Comparator.comparing(watch -> watch.cluster().toString()))
                .toList();
    }

    /**
     * The hosts of a cluster, always in the same order, those without reads with weight 0; empty if nobody has told any. The
     * host that is the primary stays one of them until another is: Patroni may have left it without having replaced it.
     */
    List<ReplicaAddress> of(HostAddress cluster) {
        PatroniWatch watch = watches.get(cluster);
        List<Member> members = watch == null ? List.of() : watch.status().members();
        List<ReplicaAddress> hosts = new ArrayList<>();
        for (Member member : members) {
            hosts.add(new ReplicaAddress(member.address(), member.takesReads() ? 1 : 0, null));
        }
        HostAddress primary = primaries.address(cluster);
        boolean isTold = members.stream().anyMatch(member -> member.address().equals(primary));
        if (primary != null && !members.isEmpty() && !isTold) {
            hosts.add(new ReplicaAddress(primary, 0, null));
        }
        hosts.sort(Comparator.comparing(ReplicaAddress::toString));
        return List.copyOf(hosts);
    }

    /** Whether Patroni says that another host leads than writes go to. */
    boolean hasOtherLeader(HostAddress cluster) {
        PatroniWatch watch = watches.get(cluster);
        HostAddress primary = primaries.address(cluster);
        return watch != null
                && watch.status().members().stream()
                        .anyMatch(
                                member -> member.isLeader() && !member.address().equals(primary));
    }

    @Override
    public synchronized void close() {
        watches.values().forEach(PatroniWatch::close);
        watches.clear();
    }
}
