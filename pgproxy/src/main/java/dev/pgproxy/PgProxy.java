package dev.pgproxy;

import dev.pgproxy.advice.Advisor;
import dev.pgproxy.alert.Alerts;
import dev.pgproxy.alert.Conditions;
import dev.pgproxy.client.AuthQuery;
import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ClientListener;
import dev.pgproxy.client.ClientServices;
import dev.pgproxy.config.ConfigChanges;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.console.AdminConsole;
import dev.pgproxy.console.ProgramControl;
import dev.pgproxy.console.ShutdownMode;
import dev.pgproxy.handover.Activation;
import dev.pgproxy.handover.HandoverSocket;
import dev.pgproxy.handover.Takeover;
import dev.pgproxy.http.Endpoints;
import dev.pgproxy.http.Health;
import dev.pgproxy.http.HttpServer;
import dev.pgproxy.insight.Caller;
import dev.pgproxy.insight.QueryStats;
import dev.pgproxy.insight.SchemaChange;
import dev.pgproxy.insight.log.QueryLog;
import dev.pgproxy.listen.Listeners;
import dev.pgproxy.net.ClientTls;
import dev.pgproxy.net.HostNames;
import dev.pgproxy.net.ListeningSocket;
import dev.pgproxy.net.ServerTls;
import dev.pgproxy.net.Transport;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.results.HotRead;
import dev.pgproxy.results.HotReads;
import dev.pgproxy.route.Breakers;
import dev.pgproxy.route.PhysicalDatabase;
import dev.pgproxy.route.Primaries;
import dev.pgproxy.route.Routes;
import dev.pgproxy.warm.PlanCapture;
import dev.pgproxy.warm.Warming;
import io.netty.channel.Channel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The composition root: puts the parts together, starts and stops them in order. Thread-safe. */
public final class PgProxy implements AutoCloseable, ProgramControl {
    private static final Logger LOG = LoggerFactory.getLogger(PgProxy.class);
    private static final long SAVE_SECONDS = 60;

    private final Transport transport;
    private final Breakers breakers;
    private final Pools pools;
    private final Listeners listeners;
    private final Routes routes;
    private final ClientServices services;
    private final ClientListener listener;
    private final Warming warming;
    private final PlanCapture planCapture;
    private final Alerts alerts;
    private final @Nullable QueryLog queryLog;
    private final CompletionStage<Void> stopped;
    private final Advisor advisor;
    private final ExecutorService slow;
    private final HostNames names;
    private final ConfigReader reader;
    private final Shutdown shutdown;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final List<Runnable> saves = new ArrayList<>();
    private volatile @Nullable HandoverSocket handover;
    private volatile @Nullable HttpServer http;
    private volatile ProxyConfig config;
    private volatile Set<String> users = Set.of();

    /** Reads the configuration again, for RELOAD. Called on a thread that may wait. */
    @FunctionalInterface
    public interface ConfigReader {
        /** The configuration as it is written now. */
        ProxyConfig read() throws ConfigProblems;
    }

    private PgProxy(ProxyConfig config, ConfigReader reader, boolean takesDescriptors) throws IOException {
        this.config = config;
        this.reader = reader;
        Logging.apply(config.log());
        this.slow = Executors.newFixedThreadPool(
                1, Thread.ofPlatform().name("slow").daemon().factory());
        Secrets secrets = Secrets.read(config);
        ClientTls clientTls = ClientTls.of(config.clientTls());
        ServerTls serverTls = ServerTls.of(config.serverTls());
        this.users = secrets.users().names();
        this.names = new HostNames(slow, config.timeouts().dnsMaxTtl());
        this.transport = new Transport(
                takesDescriptors ? Transport.takingDescriptors(config.runtime()) : config.runtime(),
                config.listen(),
                config.timeouts().tcpUserTimeout(),
                names);
        Primaries primaries = new Primaries();
        this.breakers = new Breakers(config.breakers());
        this.pools = new Pools(config, serverTls, transport, primaries, breakers);
        pools.control(secrets.control(config.auth()));
        this.listeners = new Listeners(pools, primaries);
        this.routes = new Routes(
                config, secrets.controlLogin(config.auth()), transport.loops().size(), primaries, breakers);
        this.services = new ClientServices(
                config,
                clientTls,
                secrets.authenticator(config, lookUp(config, secrets), slow),
                transport,
                pools,
                listeners,
                routes);
        this.queryLog = startQueryLog(primaries);
        this.stopped = transport.closed().thenCompose(closed -> {
            QueryLog last = queryLog;
            return last == null ? CompletableFuture.<Void>completedFuture(null) : last.end();
        });
        routes.onDefinitionsTold(this::definitionsTold);
        this.listener = new ClientListener(services, transport);
        this.shutdown =
                new Shutdown(services, listener, pools, transport.loops().getFirst(), this::close);
        this.warming = new Warming(services, pools, transport.loops().getFirst(), restore());
        restoreStats();
        this.planCapture = new PlanCapture(services, pools, transport.loops().getFirst());
        this.alerts = Alerts.start(
                config.alerts(), new Conditions(pools, routes, services.slow().plans(), () -> this.config));
        this.advisor = new Advisor(routes, services.stats(), services.slow().plans(), config.statistics());
        services.console(new AdminConsole(this, pools, services, transport, warming, alerts));
    }

    /**
     * Starts.
     *
     * @throws IOException if a file cannot be used or an address cannot be bound; the message says which
     */
    public static PgProxy start(ProxyConfig config) throws IOException {
        return start(config, () -> config);
    }

    /**
     * Starts with a configuration that RELOAD reads again.
     *
     * @throws IOException if a file cannot be used or an address cannot be bound; the message says which
     */
    public static PgProxy start(ProxyConfig config, ConfigReader reader) throws IOException {
        return start(config, reader, List.of());
    }

    /**
     * Starts, and listens on descriptors that somebody has opened for it, such as systemd.
     *
     * @throws IOException as above, or if a descriptor is of no use
     */
    static PgProxy start(ProxyConfig config, ConfigReader reader, List<Integer> descriptors) throws IOException {
        Path handoverSocket = config.listen().handoverSocket();
        if (handoverSocket != null && !descriptors.isEmpty()) {
            throw new IOException("systemd keeps what is listened on open (LISTEN_FDS): remove handover_socket");
        }
        PgProxy proxy = new PgProxy(config, reader, handoverSocket != null || !descriptors.isEmpty());
        proxy.routes.awaitOthers();
        try {
            if (handoverSocket == null) {
                proxy.listen(Activation.sockets(descriptors));
            } else {
                proxy.follow(handoverSocket);
            }
        } catch (IOException e) {
            proxy.close();
            throw e;
        }
        proxy.watchConfigured();
        proxy.warming.reload(config.warmQueries());
        proxy.planCapture.reload(config.slow());
        proxy.startHttp();
        return proxy;
    }

    private @Nullable QueryLog startQueryLog(Primaries primaries) {
        QueryStats stats = services.stats();
        QueryLog log = stats == null
                ? null
                : QueryLog.start(
                        config.queryLog(),
                        transport.loops().size(),
                        new QueryLogPlaces(this::config, routes, primaries));
        if (stats != null && log != null) {
            stats.logTo(log);
        }
        return log;
    }

    /** Somebody has changed definitions past us: later Parses make other statements. */
    private void definitionsTold(PhysicalDatabase changed, String why) {
        for (Pool pool : pools.all()) {
            String name = pool.key().database();
            DatabaseSettings database = config.database(name);
            if (database != null && PhysicalDatabase.of(database, name).equals(changed)) {
                pool.catalog().changed();
            }
        }
        QueryStats stats = services.stats();
        if (stats != null && !why.isEmpty()) {
            Caller nobody = new Caller(changed.name(), "", "");
            stats.definitions().add(new SchemaChange(Instant.now(), nobody, why, null));
        }
    }

    private void startHttp() {
        if (config.http().addr().isEmpty()) {
            return;
        }
        Health health = new Health(this::config, routes, breakers, this::isStopping, transport.loops());
        http = HttpServer.start(config.http(), services::tls, new Endpoints(services::console, health));
    }

    private void listen(List<ListeningSocket> given) throws IOException {
        listener.bind(config.listen(), given);
        if (!given.isEmpty()) {
            throw new IOException("LISTEN_FDS has " + given
                    + ", where listen_addr, listen_port and unix_socket_dir do not say to listen");
        }
        startListening();
    }

    /** Everything that may fail comes before anybody is accepted: until then the last process serves all. */
    private void follow(Path path) throws IOException {
        try (Takeover last = Takeover.find(path, transport)) {
            List<ListeningSocket> given = last == null ? new ArrayList<>() : last.sockets();
            HandoverSocket opened = new HandoverSocket(path, transport, listener::descriptors, this::handOver);
            handover = opened;
            listener.bind(config.listen(), given);
            opened.publish();
            startListening();
            if (last != null) {
                last.complete();
            }
            for (ListeningSocket left : given) {
                LOG.warn("nobody listens on {} any longer", left);
                left.close();
            }
        }
    }

    private void handOver() {
        closeHttp(); // its addresses are for the process that follows
        shutdown.handOver();
    }

    private void startListening() throws IOException {
        for (String where : listener.start()) {
            LOG.info(
                    "listening on {} ({}, {} event loops)",
                    where,
                    transport.kind(),
                    transport.loops().size());
        }
    }

    /** The TCP port it listens on; -1 if none. */
    public int port() {
        return listener.port();
    }

    /** The TCP port of HTTP; -1 if it cannot be had, or is not wanted. */
    public int httpPort() {
        HttpServer open = http;
        return open == null ? -1 : open.port();
    }

    @Override
    public ProxyConfig config() {
        return config;
    }

    /** Pools, for the console. */
    public Pools pools() {
        return pools;
    }

    /** What somebody should be told of. */
    public Alerts alerts() {
        return alerts;
    }

    @Override
    public Advisor advisor() {
        return advisor;
    }

    /** What clients are served by. */
    public ClientServices services() {
        return services;
    }

    @Override
    public Set<String> users() {
        return users;
    }

    @Override
    public String version() {
        return Main.version();
    }

    @Override
    public CompletionStage<ConfigChanges> reload() {
        return onSlow(() -> {
            ConfigChanges changes = ConfigChanges.between(config, reader.read());
            reload(changes.result());
            reconnect(changes);
            LOG.info("configuration read again: {}", ReloadReport.of(changes));
            return changes;
        });
    }

    @Override
    public CompletionStage<ProxyConfig> set(String key, String value) {
        return onSlow(() -> {
            ProxyConfig changed = config.with(key, value);
            reload(changed);
            return changed;
        });
    }

    /** Whether it is known what clients asked most of an earlier process. */
    private boolean restore() {
        Path path = config.cache().warmFile();
        HotReads hot = routes.results().hot();
        if (path == null) {
            return false;
        }
        HotFile file = new HotFile(path);
        List<HotRead> known = file.read();
        hot.remember(known);
        saves(() -> {
            if (hot.areWanted()) {
                file.write(hot.top());
            }
        });
        return !known.isEmpty();
    }

    /** This is done again and again, and at the end. */
    private void saves(Runnable save) {
        saves.add(save);
        transport
                .loops()
                .getFirst()
                .scheduleWithFixedDelay(() -> slow.execute(save), SAVE_SECONDS, SAVE_SECONDS, TimeUnit.SECONDS);
    }

    private void restoreStats() {
        Path path = config.statistics().queryStatsFile();
        QueryStats stats = services.stats();
        if (path != null && stats != null) {
            StatsFile file = new StatsFile(path, stats, config.statistics().queryStatsMax());
            file.read();
            saves(file::write);
        }
    }

    private <T> CompletionStage<T> onSlow(Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        slow.execute(() -> {
            try {
                result.complete(work.call());
            } catch (Exception e) {
                LOG.warn("the configuration stays as it is: {}", e.getMessage());
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    private AuthQuery lookUp(ProxyConfig of, Secrets secrets) {
        return new AuthQuery(of, secrets.users(), pools, transport);
    }

    /** All or nothing: whatever can fail comes first. */
    public void reload(ProxyConfig changed) throws IOException {
        Secrets secrets = Secrets.read(changed);
        ClientTls clientTls = ClientTls.of(changed.clientTls());
        ServerTls serverTls = ServerTls.of(changed.serverTls());
        config = changed;
        users = secrets.users().names();
        Logging.apply(changed.log());
        names.ttl(changed.timeouts().dnsMaxTtl());
        transport.reload(changed.listen(), changed.timeouts().tcpUserTimeout());
        breakers.reload(changed.breakers());
        pools.reload(changed, serverTls);
        pools.control(secrets.control(changed.auth()));
        routes.reload(changed, secrets.controlLogin(changed.auth()));
        breakers.keep(changed, routes.clusters());
        watchConfigured();
        services.reload(changed, clientTls, secrets.authenticator(changed, lookUp(changed, secrets), slow));
        warming.reload(changed.warmQueries());
        planCapture.reload(changed.slow());
        alerts.reload(changed.alerts());
        if (queryLog != null) {
            queryLog.reload(changed.queryLog());
        }
        advisor.reload(changed.statistics());
    }

    private void watchConfigured() {
        config.databases().values().forEach(each -> routes.enter(each, each.name())); // no client is waited for
    }

    /** Servers whose database, user or TLS is another now are closed when they are free. */
    private void reconnect(ConfigChanges changes) {
        boolean all = changes.applied().stream().anyMatch(c -> c.key().startsWith("server_tls"));
        boolean wildcard = changes.databases().contains(DatabaseSettings.WILDCARD);
        for (Pool pool : pools.all()) {
            String database = pool.key().database();
            if (all
                    || changes.databases().contains(database)
                    || wildcard && !config.databases().containsKey(database)
                    || changes.users().contains(pool.key().user())) {
                pool.reconnect();
            }
        }
    }

    @Override
    public void shutdown(ShutdownMode mode) {
        closeHandover();
        shutdown.begin(mode);
    }

    private void closeHandover() {
        HandoverSocket open = handover;
        if (open != null) {
            open.close();
        }
    }

    private void closeHttp() {
        HttpServer open = http;
        if (open != null) {
            open.close();
        }
    }

    /** Whether it has begun to stop. */
    public boolean isStopping() {
        return shutdown.isUnderWay();
    }

    /** Completes when it has stopped. */
    public CompletionStage<Void> stopped() {
        return stopped;
    }

    /** Stops at once: clients are told, servers are left. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        closeHandover();
        closeHttp();
        listener.close();
        alerts.close();
        advisor.close();
        warming.close();
        planCapture.close();
        saves.forEach(Runnable::run);
        services.drain();
        List<Channel> connections = new ArrayList<>();
        for (ClientConnection client : services.clients().all()) {
            connections.add(client.channel());
            client.kill("terminating connection due to administrator command");
        }
        listeners.close();
        pools.stop();
        for (Pool pool : pools.all()) {
            pool.servers().forEach(server -> connections.add(server.channel()));
            pool.kill();
        }
        transport.closeAfter(connections);
        routes.close();
        services.slow().close();
        slow.shutdownNow();
    }
}
