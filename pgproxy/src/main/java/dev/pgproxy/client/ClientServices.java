package dev.pgproxy.client;

import dev.pgproxy.auth.Authenticator;
import dev.pgproxy.cancel.CancelForwarder;
import dev.pgproxy.cancel.CancelKeys;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.insight.LoopStats;
import dev.pgproxy.insight.QueryStats;
import dev.pgproxy.insight.Repetitions;
import dev.pgproxy.insight.SlowReports;
import dev.pgproxy.limit.Priorities;
import dev.pgproxy.limit.RateLimits;
import dev.pgproxy.listen.Listeners;
import dev.pgproxy.net.ClientTls;
import dev.pgproxy.net.InsideChannel;
import dev.pgproxy.net.Transport;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.query.Restraints;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Instances;
import dev.pgproxy.route.Routes;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.rules.StatementRules;
import io.netty.channel.Channel;
import io.netty.util.concurrent.FastThreadLocal;
import org.jspecify.annotations.Nullable;

/**
 * What connections of clients are built from: the parts live as long as the program, the configuration, the certificates
 * and the users are replaced by a reload. Thread-safe.
 */
public final class ClientServices {
    private final Transport transport;
    private final Clients clients = new Clients();
    private final Pools pools;
    private final Listeners listeners;
    private final Routes routes;
    private final Restraints restraints;
    private final FastThreadLocal<LoopShapes> shapes;
    private final CancelKeys cancelKeys;
    private final CancelForwarder cancelForwarder;
    private final @Nullable QueryStats stats;
    private final @Nullable Repetitions repetitions;
    private final SlowReports slow;
    private volatile ProxyConfig config;
    private volatile ClientTls tls;
    private volatile Authenticator authenticator;
    private volatile boolean draining;
    private volatile Console console = Console.NONE;

    /** Puts the parts together. */
    public ClientServices(
            ProxyConfig config,
            ClientTls tls,
            Authenticator authenticator,
            Transport transport,
            Pools pools,
            Listeners listeners,
            Routes routes) {
        this.config = config;
        this.tls = tls;
        this.authenticator = authenticator;
        this.transport = transport;
        this.pools = pools;
        this.listeners = listeners;
        this.routes = routes;
        Instances instances = routes.instances();
        this.restraints = new Restraints(
                new RateLimits(config, System::nanoTime, instances == null ? null : instances.bank()),
                new StatementRules(config.statementRules()),
                new Priorities(config));
        this.shapes = new FastThreadLocal<>() {
            @Override
            protected LoopShapes initialValue() {
                return new LoopShapes(routes.shapes());
            }
        };
        this.cancelKeys = new CancelKeys(config.peers().peerId());
        this.cancelForwarder = new CancelForwarder(transport);
        this.stats = config.statistics().queryStats() || config.queryLog().isOn()
                ? new QueryStats(transport.loops().size(), config.statistics())
                : null;
        if (stats != null) {
            stats.named(config.databases().keySet());
        }
        this.repetitions = stats == null ? null : new Repetitions(stats, this::catalog);
        this.slow = new SlowReports(config.slow());
        if (stats != null) {
            stats.reload(config);
            stats.slowness(slow);
            stats.deadlocks().partners(new DeadlockPartners(clients, stats.deadlocks()));
        }
    }

    /** RELOAD: for connections from now on, and for time-outs of those that are there. */
    public void reload(ProxyConfig changed, ClientTls changedTls, Authenticator changedAuthenticator) {
        config = changed;
        restraints.rates().reload(changed);
        restraints.priorities().reload(changed);
        restraints.rules().reload(changed.statementRules());
        if (stats != null) {
            stats.reload(changed);
            stats.named(changed.databases().keySet());
        }
        slow.reload(changed.slow());
        tls = changedTls;
        authenticator = changedAuthenticator;
    }

    /** The console, made last since it looks at everything. */
    public void console(Console made) {
        console = made;
    }

    /** From now on new clients are refused. */
    public void drain() {
        draining = true;
    }

    /** Whether new clients are refused. */
    public boolean isDraining() {
        return draining;
    }

    /** The configuration in force. */
    public ProxyConfig config() {
        return config;
    }

    /** TLS towards clients, as it was last read. */
    public ClientTls tls() {
        return tls;
    }

    Authenticator authenticator() {
        return authenticator;
    }

    /** The console. */
    public Console console() {
        return console;
    }

    Transport transport() {
        return transport;
    }

    /** All clients. */
    public Clients clients() {
        return clients;
    }

    Pools pools() {
        return pools;
    }

    /** What is known for routing. */
    public Routes routes() {
        return routes;
    }

    /** How many transactions may start. */
    public RateLimits limits() {
        return restraints.rates();
    }

    /** Which statements are treated apart. */
    public StatementRules rules() {
        return restraints.rules();
    }

    /** Those that hold for a client: for one within the process none. */
    Restraints restraintsOf(Channel client) {
        return client instanceof InsideChannel ? Restraints.NONE : restraints;
    }

    /** What is counted of statements; null if nothing is. */
    public @Nullable QueryStats stats() {
        return stats;
    }

    /** What is repeated in rows; null if nothing is counted. */
    public @Nullable Repetitions repetitions() {
        return repetitions;
    }

    private @Nullable Catalog catalog(String database) {
        DatabaseSettings settings = config.database(database);
        DatabaseState state = settings == null ? null : routes.find(settings, database);
        return state == null ? null : state.catalog();
    }

    /** What becomes of slow statements. */
    public SlowReports slow() {
        return slow;
    }

    /** Where those of a client are counted; null for one within the process, and if nothing is counted. */
    @Nullable
    LoopStats statsOf(Channel client) {
        return stats == null || client instanceof InsideChannel
                ? null
                : stats.loop(transport.loops().indexOf(client.eventLoop()));
    }

    /** The shapes that this event loop has met. */
    LoopShapes shapesOfLoop() {
        return shapes.get();
    }

    Listeners listeners() {
        return listeners;
    }

    /** Keys that clients cancel with. */
    public CancelKeys cancelKeys() {
        return cancelKeys;
    }

    CancelForwarder cancelForwarder() {
        return cancelForwarder;
    }
}
