package dev.pgproxy.route;

import dev.pgproxy.cache.KeyHash;
import dev.pgproxy.config.ChangeFeedLevel;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.ReplicaAddress;
import dev.pgproxy.config.RoutingSettings;
import dev.pgproxy.health.catalog.CatalogKeeper;
import dev.pgproxy.health.failover.LastPrimary;
import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.patroni.PatroniWatch;
import dev.pgproxy.results.Results;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostChooser;
import dev.pgproxy.routing.ReadBalance;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.sql.Shapes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known for routing, of all databases: it watches the clusters that have replicas, and reads the definitions of
 * their databases once somebody uses them. Thread-safe.
 */
public final class Routes implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Routes.class);

    /** A catalog of many thousand relations takes its time. */
    private static final Duration CATALOG_PATIENCE = Duration.ofSeconds(30);

    /** Where the wildcard has no name of its own: there on every server. */
    private static final String ANY_DATABASE = "postgres";

    private final Shapes shapes = new Shapes();
    private final @Nullable Instances instances;
    private final Results results;
    private final int loops;
    private final ConcurrentMap<PhysicalDatabase, DatabaseState> states = new ConcurrentHashMap<>();
    private final ConcurrentMap<HostAddress, Long> systems = new ConcurrentHashMap<>();
    private final Map<ClusterKey, WatchedCluster> clusters = new HashMap<>();
    private final Map<PhysicalDatabase, CatalogKeeper> keepers = new HashMap<>();
    private final Map<PhysicalDatabase, DatabaseFeed> feeds = new HashMap<>();
    private final Primaries primaries;
    private final Breakers breakers;
    private final PatroniHosts patroni;

    /** From before the last RELOAD. */
    private final Map<HostAddress, LastPrimary> lastPrimaries = new HashMap<>();

    private volatile BiConsumer<PhysicalDatabase, String> onDefinitionsTold = (database, why) -> {};

    private boolean warm;
    private ProxyConfig config;
    private @Nullable ControlLogin control;

    /** For so many event loops; {@code control} logs in to watch, null = nobody can. Tells where primaries are. */
    public Routes(
            ProxyConfig config, @Nullable ControlLogin control, int loops, Primaries primaries, Breakers breakers) {
        this.config = config;
        this.primaries = primaries;
        this.breakers = breakers;
        this.control = control;
        this.loops = loops;
        this.instances = Instances.start(config.instances(), config.cache().maxResult());
        this.results = new Results(
                config.cache(),
                instances == null ? KeyHash.random() : KeyHash.of(Instances.secret(config.instances())));
        results.rules(config.cacheRules());
        shapes.comparing(config.cache().isOn());
        primaries.onMove((configured, now) ->
                Thread.ofPlatform().daemon().name("failover " + configured).start(() -> moved(configured)));
        primaries.onDoubt(configured -> behind(configured).stream()
                .map(DatabaseState::routes)
                .filter(Objects::nonNull)
                .findFirst()
                .ifPresent(routes -> routes.cluster().askNow()));
        tellWhatIsMissing();
        this.patroni = new PatroniHosts(primaries, this::told);
        patroni.reload(config);
    }

    /** The shapes of texts. */
    public Shapes shapes() {
        return shapes;
    }

    /** What is known of the database that clients reach who ask for {@code asked}; watched from now on. */
    public DatabaseState enter(DatabaseSettings database, String asked) {
        PhysicalDatabase physical = PhysicalDatabase.of(database, asked);
        DatabaseState known = states.get(physical);
        return known != null ? known : add(physical);
    }

    /** The same if somebody has entered it; null else. */
    public @Nullable DatabaseState find(DatabaseSettings database, String asked) {
        return states.get(PhysicalDatabase.of(database, asked));
    }

    /** The results that are kept. */
    public Results results() {
        return results;
    }

    /** The other instances; null if there is only this one. */
    public @Nullable Instances instances() {
        return instances;
    }

    /** Waits, for some seconds, until the other instances know of this one: before clients may connect. */
    public void awaitOthers() {
        if (instances != null) {
            instances.awaitOthers();
        }
    }

    /** The clusters that are watched. */
    public synchronized List<WatchedCluster> clusters() {
        return List.copyOf(clusters.values());
    }

    /** Who asks Patroni of which cluster. */
    public Collection<PatroniWatch> patroni() {
        return patroni.watches();
    }

    /** The databases that somebody has used. */
    public Collection<DatabaseState> all() {
        return states.values();
    }

    /** The database that clients reach who ask for this name; null if there is none. */
    public synchronized @Nullable PhysicalDatabase physical(String asked) {
        DatabaseSettings database = config.database(asked);
        return database == null ? null : PhysicalDatabase.of(database, asked);
    }

    /** Where and how to ask about a database, its primary first; none if nobody may, or no host is the primary. */
    public synchronized List<ControlTarget> controlTargets(PhysicalDatabase physical) {
        HostAddress primary = primaries.address(physical.primary());
        ControlLogin login = control;
        if (login == null || primary == null || primary.isUnixSocket()) {
            return List.of();
        }
        ClusterKey key = keyOf(physical.primary());
        List<ControlTarget> targets = new ArrayList<>();
        targets.add(target(login, primary, physical, targets.size()));
        for (ReplicaAddress host : key == null ? hosts(physical) : key.hosts()) {
            if (!host.address().equals(primary) && !host.address().isUnixSocket()) {
                targets.add(target(login, host.address(), physical, targets.size()));
            }
        }
        return targets;
    }

    private ControlTarget target(ControlLogin login, HostAddress address, PhysicalDatabase physical, int index) {
        return login.target(new Host(index, address.toString(), 1), address, physical.name(), config.serverTls(), null);
    }

    private synchronized DatabaseState add(PhysicalDatabase physical) {
        return states.computeIfAbsent(physical, key -> {
            DatabaseState state = new DatabaseState(
                    key, results, instances, loops, this::sharedChange, (of, why) -> onDefinitionsTold.accept(of, why));
            apply(state);
            return state;
        });
    }

    /** Whom to tell, besides, that somebody says that the definitions of a database have changed, and why. */
    public void onDefinitionsTold(BiConsumer<PhysicalDatabase, String> listener) {
        onDefinitionsTold = listener;
    }

    /** Roles may have changed: the other databases of the cluster are told. */
    private void sharedChange(DatabaseState of) {
        for (DatabaseState state : behind(of.database().primary())) {
            if (state != of) {
                state.everythingChanged();
            }
        }
    }

    /** On a thread of the monitor, which must not be made to wait for us. */
    private void identified(HostAddress primary, long systemIdentifier) {
        systems.put(primary, systemIdentifier);
        behind(primary).forEach(state -> state.identified(systemIdentifier));
        systems.forEach((other, system) -> {
            if (system == systemIdentifier && !other.equals(primary)) {
                refuseTwins(primary, other);
            }
        });
    }

    /** What is written by one name would not be known by the other. */
    private void refuseTwins(HostAddress one, HostAddress other) {
        for (DatabaseState state : states.values()) {
            DatabaseState twin = state.database().primary().equals(one)
                    ? states.get(new PhysicalDatabase(other, state.database().name()))
                    : null;
            if (twin != null && (state.routes() != null || twin.routes() != null)) {
                state.routes(null);
                twin.routes(null);
                LOG.error(
                        "{} and {} are one server: its database {} gets no reads from replicas or the cache; write its address"
                                + " in one way",
                        one,
                        other,
                        state.database().name());
            }
        }
    }

    /** It may lack what was shared, and a feed may still be connected to the one before, which is not written to. */
    private void primaryChanged(HostAddress primary) {
        for (DatabaseState state : behind(primary)) {
            state.definitionsChanged(false);
            state.told(RelationSet.ALL);
            DatabaseFeed feed = state.feed();
            if (feed != null) {
                feed.renew();
            }
        }
    }

    private List<DatabaseState> behind(HostAddress primary) {
        return states.values().stream()
                .filter(state -> state.database().primary().equals(primary))
                .toList();
    }

    /** RELOAD. */
    public synchronized void reload(ProxyConfig changed, @Nullable ControlLogin changedControl) {
        config = changed;
        control = changedControl;
        results.reload(changed.cache());
        results.rules(changed.cacheRules());
        shapes.comparing(changed.cache().isOn());
        tellWhatIsMissing();
        Map<ClusterKey, WatchedCluster> before = new HashMap<>(clusters);
        before.values().forEach(this::remember);
        clusters.clear();
        keepers.values().forEach(CatalogKeeper::close);
        keepers.clear();
        feeds.values().forEach(DatabaseFeed::close);
        feeds.clear();
        patroni.reload(changed);
        for (HostAddress cluster : patroni.clusters()) {
            before.values().stream()
                    .filter(last -> last.primary().equals(cluster))
                    .forEach(last -> watchMembers(cluster, last));
        }
        states.values().forEach(this::apply);
        before.values().forEach(WatchedCluster::close);
        for (HostAddress configured : primaries.watched()) {
            boolean watched =
                    clusters.keySet().stream().anyMatch(key -> key.primary().equals(configured));
            if (!watched || !changed.failover().follows()) {
                primaries.forget(configured);
            }
        }
    }

    /**
     * Patroni has answered: if the hosts are others than before, all of them are watched anew, with what was known of the
     * primary. On a thread that asks Patroni.
     */
    private synchronized void told(HostAddress cluster) {
        List<ReplicaAddress> hosts = patroni.of(cluster);
        if (hosts.isEmpty()) {
            return; // it is not configured any more
        }
        ClusterKey key = keyOf(cluster);
        WatchedCluster last = key == null ? null : clusters.get(key);
        if (key != null && last != null) {
            if (hosts.equals(key.hosts())) {
                if (patroni.hasOtherLeader(cluster)) {
                    last.monitor().askNow();
                }
                return;
            }
            clusters.remove(key);
            last.close();
        }
        watchMembers(cluster, last);
        behind(cluster).forEach(this::apply);
        breakers.keep(config, clusters.values());
    }

    /** What is watched of a cluster of Patroni's; null if nothing is yet. */
    private @Nullable ClusterKey keyOf(HostAddress cluster) {
        return clusters.keySet().stream()
                .filter(key -> key.primary().equals(cluster))
                .findFirst()
                .orElse(null);
    }

    /** Before any of the cluster's databases is used: logins need to know where the primary is. */
    private void watchMembers(HostAddress cluster, @Nullable WatchedCluster last) {
        ClusterKey key = new ClusterKey(cluster, patroni.of(cluster));
        ControlLogin login = control;
        if (key.hosts().isEmpty() || login == null) {
            return;
        }
        String database = config.databasesAndWildcard().values().stream()
                .filter(each -> each.primary().equals(cluster))
                .map(each ->
                        each.serverDatabase(each.name().equals(DatabaseSettings.WILDCARD) ? ANY_DATABASE : each.name()))
                .findFirst()
                .orElse(ANY_DATABASE);
        primaries.members(cluster, key.addresses());
        clusters.put(key, watch(key, database, login, last));
        LOG.info("{}: the hosts are {}", cluster, key.hosts());
    }

    private void tellWhatIsMissing() {
        for (DatabaseSettings database : config.databasesAndWildcard().values()) {
            if (database.mayHaveReplicas() && control == null) {
                LOG.warn(
                        "the replicas of database {} get no reads: set control_user and control_password, a user with the"
                                + " role pg_monitor, to watch them",
                        database.name());
            } else if (!database.replicas().isEmpty() && database.primary().isUnixSocket()) {
                LOG.warn(
                        "the replicas of database {} get no reads: its primary must be watched over TCP, and is a unix"
                                + " socket",
                        database.name());
            }
        }
    }

    private void apply(DatabaseState state) {
        PhysicalDatabase physical = state.database();
        boolean told = physical.primary().isPatroni();
        ClusterKey key = told ? keyOf(physical.primary()) : new ClusterKey(physical.primary(), hosts(physical));
        ControlLogin login = control;
        if (key == null || login == null || physical.primary().isUnixSocket()) {
            state.routes(null);
            return;
        }
        boolean asked = config.cache().isOn() || instances != null; // what is written
        if (!asked && !told && key.hosts().size() == 1) {
            state.routes(null);
            return;
        }
        if (!warm) {
            warm = true;
            shapes.warmUp();
        }
        RoutingSettings settings = config.routing();
        WatchedCluster cluster = clusters.computeIfAbsent(key, hosts -> watch(hosts, physical.name(), login, null));
        List<Host> hosts = cluster.hosts();
        int[][] active = new int[loops][hosts.size()];
        List<HostChooser> choosers = new ArrayList<>();
        ReadBalance balance = new ReadBalance(
                settings.balance(),
                settings.primaryReads(),
                settings.primaryWeight(),
                settings.maxReplicaLag().isZero()
                        ? Long.MAX_VALUE
                        : settings.maxReplicaLag().toNanos());
        for (int i = 0; i < loops; i++) {
            int[] running = active[i];
            choosers.add(new HostChooser(balance, host -> running[host], new SplittableRandom()));
        }
        learn(state, login, hosts.getFirst());
        state.routes(new DatabaseRoutes(
                cluster.monitor(),
                hosts,
                key.addresses(),
                settings,
                choosers,
                active,
                cluster.times(),
                new RouteCounters(loops, hosts.size())));
    }

    /** Asks the primary for definitions, and for what others write. */
    private void learn(DatabaseState state, ControlLogin login, Host primary) {
        PhysicalDatabase physical = state.database();
        HostAddress address = primaries.address(physical.primary());
        if (address == null) {
            return; // once there is one
        }
        ControlTarget target = login.target(primary, address, physical.name(), config.serverTls(), null);
        keepers.computeIfAbsent(physical, key -> keep(key, state, target));
        ChangeFeedLevel feed = config.cache().changeFeed();
        if (config.cache().isOn() && feed != ChangeFeedLevel.OFF) {
            boolean decodes = feed == ChangeFeedLevel.LOGICAL;
            feeds.computeIfAbsent(physical, key -> DatabaseFeed.start(state, target, decodes));
        }
    }

    /** The primary has moved: what was asked there is asked where it is now. Waits for hosts, but lets nobody else wait. */
    private void moved(HostAddress configured) {
        List<CatalogKeeper> pastKeepers = new ArrayList<>();
        List<DatabaseFeed> pastFeeds = new ArrayList<>();
        synchronized (this) {
            for (DatabaseState state : behind(configured)) {
                CatalogKeeper keeper = keepers.remove(state.database());
                if (keeper != null) {
                    pastKeepers.add(keeper);
                }
                DatabaseFeed feed = feeds.remove(state.database());
                if (feed != null) {
                    pastFeeds.add(feed);
                }
                DatabaseRoutes routes = state.routes();
                ControlLogin login = control;
                if (routes != null && login != null) {
                    learn(state, login, routes.hosts().getFirst());
                }
            }
        }
        pastKeepers.forEach(CatalogKeeper::end);
        behind(configured).forEach(state -> state.definitionsChanged(false)); // those of the last host count no more
        pastFeeds.forEach(DatabaseFeed::close);
        pastKeepers.forEach(CatalogKeeper::close);
    }

    /** All of a cluster, the primary as configured first. */
    private List<ReplicaAddress> hosts(PhysicalDatabase physical) {
        List<ReplicaAddress> hosts = new ArrayList<>();
        hosts.add(new ReplicaAddress(physical.primary(), config.routing().primaryWeight(), null));
        hosts.addAll(replicas(physical));
        return List.copyOf(hosts);
    }

    /** Of whatever name of the configuration leads there: what one writes, the other may read. */
    private List<ReplicaAddress> replicas(PhysicalDatabase physical) {
        Set<ReplicaAddress> seen = new HashSet<>();
        List<ReplicaAddress> replicas = new ArrayList<>();
        for (DatabaseSettings database : config.databasesAndWildcard().values()) {
            boolean leads = database.primary().equals(physical.primary())
                    && (database.dbname() == null || database.dbname().equals(physical.name()));
            for (ReplicaAddress replica : leads ? database.replicas() : List.<ReplicaAddress>of()) {
                if (!replica.address().isUnixSocket() && seen.add(replica)) {
                    replicas.add(replica);
                }
            }
        }
        return replicas;
    }

    private void remember(WatchedCluster cluster) {
        LastPrimary last =
                cluster.failover() == null ? null : cluster.failover().last();
        if (last != null) {
            lastPrimaries.put(cluster.primary(), last);
        }
    }

    /** @param last who watched it before with other hosts; null if nobody did */
    private WatchedCluster watch(ClusterKey key, String database, ControlLogin login, @Nullable WatchedCluster last) {
        Topology before = last == null ? null : last.monitor().topology();
        PrimaryChange change = new PrimaryChange(
                () -> primaryChanged(key.primary()), system -> identified(key.primary(), system), before);
        return new Watching(config, loops, primaries, breakers, instances)
                .begin(key, database, login, change, before, lastPrimaries.get(key.primary()));
    }

    private CatalogKeeper keep(PhysicalDatabase physical, DatabaseState state, ControlTarget target) {
        CatalogKeeper keeper = new CatalogKeeper(
                new ControlConnections(target, CATALOG_PATIENCE),
                physical.name(),
                config.routing().catalogPoll(),
                state::changes,
                state::loaded);
        state.onChange(keeper::changed);
        return keeper;
    }

    @Override
    public synchronized void close() {
        patroni.close();
        feeds.values().forEach(DatabaseFeed::close);
        clusters.values().forEach(WatchedCluster::close);
        keepers.values().forEach(CatalogKeeper::close);
        shapes.close();
        if (instances != null) {
            instances.close();
        }
    }
}
