package dev.pgproxy.pool;

import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.EffectivePool;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.net.ServerTls;
import dev.pgproxy.net.Transport;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.route.Breakers;
import dev.pgproxy.route.Primaries;
import dev.pgproxy.server.Credentials;
import dev.pgproxy.server.LoginListener;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerConnector;
import dev.pgproxy.server.ServerTarget;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Finds the pool of a database and user, and knows what applies to all of them. Thread-safe. */
public final class Pools {
    private static final long SWEEP_MILLIS = 200;

    /** No host is the primary now. */
    static final ErrorFields NO_PRIMARY = ErrorFields.fatal(
            SqlState.CANNOT_CONNECT_NOW,
            "the database has no primary now",
            "No host takes writes, or two do: see SHOW REPLICAS and the log. Statements wait for failover_wait.");

    /** A replica whose breaker is open; the primary answers, so that no client hears it. */
    static final ErrorFields LEFT_ALONE = ErrorFields.fatal(
            SqlState.CANNOT_CONNECT_NOW, "logins to the replica have failed", "See SHOW BREAKERS for why.");

    static final ErrorFields STOPPING =
            ErrorFields.fatal(SqlState.ADMIN_SHUTDOWN, "terminating connection due to administrator command");

    private final ConcurrentMap<PoolKey, Pool> pools = new ConcurrentHashMap<>();
    private final PoolLimits limits = new PoolLimits();
    private final Gates gates = new Gates();
    private final ForgottenPools forgotten = new ForgottenPools();
    private final Notifiers notifiers = new Notifiers();
    private final WaitingCounts waitingCounts = new WaitingCounts();
    private final Primaries primaries;
    private final Breakers breakers;
    private final BreakerProbes probes;
    private final Transport transport;
    private final ServerConnector connector;
    private volatile ProxyConfig config;
    private volatile ServerTls tls;
    private volatile Credentials control = new Credentials();

    /** Pools by {@code config}, over {@code transport}, on the primaries of the moment; they tell breakers of logins. */
    public Pools(ProxyConfig config, ServerTls tls, Transport transport, Primaries primaries, Breakers breakers) {
        this.config = config;
        this.primaries = primaries;
        this.breakers = breakers;
        this.probes = new BreakerProbes(this, breakers);
        this.tls = tls;
        this.transport = transport;
        this.connector = new ServerConnector(transport);
        primaries.onMove(this::moved);
        anyLoop().scheduleWithFixedDelay(this::sweep, SWEEP_MILLIS, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** The pool of a key, made if it is new. It stays until {@link Pool#leave}, and for a while after. */
    public Pool enter(PoolKey key) {
        return enter(key, null);
    }

    /** The same pool on a replica; {@code primary} is to be entered by the caller, and left later. */
    public Pool enter(Pool primary, HostAddress replica) {
        return enter(primary.key().on(replica), primary);
    }

    private Pool enter(PoolKey key, @Nullable Pool primary) {
        return pools.compute(key, (k, known) -> {
            Pool pool = known == null ? new Pool(k, this, transport.loops().size(), primary) : known;
            pool.enter();
            return pool;
        });
    }

    /** All pools. */
    public Collection<Pool> all() {
        return pools.values();
    }

    /** What all pools have counted since the start, those included that have been forgotten. */
    public Counted counted() {
        return forgotten.with(pools.values());
    }

    /** What control_user logs in with, if there is one. */
    public void control(Credentials credentials) {
        control = credentials;
    }

    /** RELOAD. */
    public void reload(ProxyConfig changed, ServerTls changedTls) {
        config = changed;
        tls = changedTls;
    }

    /** What became of logins, by host. */
    public Breakers breakers() {
        return breakers;
    }

    /** How many wait, by priority. */
    public WaitingCounts waitingCounts() {
        return waitingCounts;
    }

    /** Whose notifications come through which server. */
    public Notifiers notifiers() {
        return notifiers;
    }

    /** What is paused or disabled. */
    public Gates gates() {
        return gates;
    }

    /** Servers that are elsewhere get nothing any more. */
    private void moved(HostAddress configured, @Nullable HostAddress now) {
        for (Pool pool : pools.values()) {
            DatabaseSettings database = config.database(pool.key().database());
            if (pool.key().replica() == null
                    && database != null
                    && database.primary().equals(configured)) {
                pool.leaveAllBut(now);
            }
        }
    }

    /** How long clients of a pool wait while its host cannot be reached, in nanoseconds; 0 = not at all. */
    long failoverWaitNanos(PoolKey key) {
        DatabaseSettings database = key.replica() == null ? config.database(key.database()) : null;
        boolean watched = database != null && primaries.isWatched(database.primary());
        return watched ? config.failover().patience().toNanos() : 0;
    }

    /** Whether the breaker of a pool's host is not closed. */
    boolean isLeftAlone(PoolKey key) {
        HostAddress host = host(key);
        return host != null && !breakers.of(host).isClosed();
    }

    /** Why logins to a pool's host fail; null if it answers them, and there may be room for another. */
    @Nullable
    ErrorFields unreachable(PoolKey key) {
        HostAddress host = host(key);
        String failure = host == null ? null : breakers.of(host).report().lastFailure();
        return failure == null || !failure.startsWith("08")
                ? null
                : ErrorFields.fatal(
                        SqlState.CONNECTION_FAILURE,
                        "logins to server " + host + " fail: " + failure,
                        "It is tried again every few seconds: see SHOW BREAKERS.");
    }

    /** Where the servers of a pool are; null if its database is not configured any more, or has no primary. */
    @Nullable
    HostAddress host(PoolKey key) {
        DatabaseSettings database = config.database(key.database());
        if (key.replica() != null || database == null) {
            return key.replica();
        }
        return primaries.address(database.primary());
    }

    /** Whether reads of a pool's database may go to this host. */
    boolean isReplica(PoolKey key, HostAddress host) {
        DatabaseSettings database = config.database(key.database());
        return database != null
                && key.replica() == null
                && (database.primary().equals(host)
                        || primaries.members(database.primary()).contains(host)
                        || database.replicas().stream()
                                .anyMatch(replica -> replica.address().equals(host)));
    }

    /** A server of a pool is gone: if it has ended by itself in the middle of something, that speaks against its host. */
    void lost(ServerConnection server, @Nullable ErrorFields lastError) {
        if (server.isBroken() && (lastError == null || CountedLogin.isOfHost(lastError))) {
            breakers.of(server.identity().host())
                    .lost(lastError == null ? "a connection was lost" : CountedLogin.told(lastError));
        }
    }

    /** The pools of a database, or all for null. */
    public List<Pool> of(@Nullable String database) {
        return pools.values().stream()
                .filter(pool -> database == null || pool.key().database().equals(database))
                .toList();
    }

    /** PAUSE of one database, or of all for null: servers are closed when they are free, and nobody gets one. */
    public void pause(@Nullable String database) {
        if (database == null) {
            gates.pause();
        } else {
            gates.pause(database);
        }
        of(database).forEach(Pool::reconnect);
    }

    /** RESUME of one database, or of all for null. */
    public void resume(@Nullable String database) {
        if (database == null) {
            gates.resume();
        } else {
            gates.resume(database);
        }
        of(database).forEach(pool -> pool.connectMore(anyLoop()));
    }

    /** From now on nobody gets a server, those that wait are told so, and free servers are closed. */
    public void stop() {
        gates.stop();
        for (Pool pool : pools.values()) {
            pool.refuseAll(STOPPING);
            pool.reconnect();
        }
    }

    PoolLimits limits() {
        return limits;
    }

    /** Servers of a database over all users. */
    public int serversOfDatabase(String database) {
        return limits.ofDatabase(database);
    }

    /** Servers of a user over all databases. */
    public int serversOfUser(String user) {
        return limits.ofUser(user);
    }

    EffectivePool sizes(PoolKey key) {
        DatabaseSettings database = config.database(key.database());
        if (database == null) {
            return new EffectivePool(config.pool().poolMode(), 0, 0, 0, 0, 0);
        }
        return config.pool(database, key.user());
    }

    /**
     * A connection of a client's own, with its own start-up parameters; not one of the pool's, but counted as one of its
     * database and user.
     *
     * @return false if nobody gets a server now, or no more of them may be opened: ask again later
     */
    public boolean connectAlone(Pool pool, Map<String, String> parameters, EventLoop loop, LoginListener listener) {
        PoolKey key = pool.key();
        EffectivePool sizes = sizes(key);
        if (gates.isStopping()) {
            listener.failed(STOPPING);
            return true;
        } else if (gates.isPaused(key.database())) {
            return false;
        } else if (!limits.acquire(key, sizes.maxDbConnections(), sizes.maxUserConnections())) {
            if (!pool.closeOneIdle()) {
                makeRoom(key);
            }
            return false;
        }
        connect(pool, parameters, loop, null, new LoginListener() {
            @Override
            public void connected(ServerConnection server) {
                pool.alone(server);
                server.channel().closeFuture().addListener(closed -> {
                    pool.gone(server);
                    limits.release(key);
                });
                listener.connected(server);
            }

            @Override
            public void failed(ErrorFields error) {
                limits.release(key);
                listener.failed(error);
            }
        });
        return true;
    }

    /** @param attempt that its host's breaker has permitted; null = it is made in any case */
    void connect(Pool pool, EventLoop loop, Breaker.@Nullable Attempt attempt, LoginListener listener) {
        connect(pool, Map.of(), loop, attempt, listener);
    }

    /** A connection that listens in the pool's database: as control_user, or without one as the pool itself. */
    public void connectListener(Pool pool, EventLoop loop, LoginListener listener) {
        ServerTarget target = listenerTarget(pool);
        if (gates.isStopping()) {
            listener.failed(STOPPING);
        } else if (target == null) {
            String database = pool.key().database();
            ErrorFields why = config.database(database) == null ? unknown(database) : NO_PRIMARY;
            loop.execute(() -> listener.failed(why));
        } else {
            connector.connect(target, loop, listener);
        }
    }

    /** Where {@link #connectListener} goes and as whom; null if the database is not configured any more, or has no primary. */
    public @Nullable ServerTarget listenerTarget(Pool pool) {
        DatabaseSettings database = config.database(pool.key().database());
        if (database == null) {
            return null;
        }
        String user = config.auth().controlUser();
        return target(
                pool,
                database,
                user == null ? database.serverUser(pool.key().user()) : user,
                user == null ? pools.getOrDefault(pool.key(), pool).credentials() : control,
                Map.of());
    }

    private @Nullable ServerTarget target(
            Pool pool,
            DatabaseSettings database,
            String user,
            Credentials credentials,
            Map<String, String> parameters) {
        HostAddress replica = pool.key().replica();
        HostAddress host = replica == null ? primaries.address(database.primary()) : replica;
        if (host == null) {
            return null;
        }
        return new ServerTarget(
                host,
                database.serverDatabase(pool.key().database()),
                user,
                parameters,
                credentials,
                tls,
                config.timeouts().serverConnectTimeout());
    }

    private static ErrorFields unknown(String database) {
        return ErrorFields.fatal(SqlState.INVALID_CATALOG_NAME, "database \"" + database + "\" does not exist");
    }

    private void connect(
            Pool pool,
            Map<String, String> parameters,
            EventLoop loop,
            Breaker.@Nullable Attempt attempt,
            LoginListener listener) {
        PoolKey key = pool.key();
        DatabaseSettings database = config.database(key.database());
        if (database == null) {
            ignored(attempt);
            loop.execute(() -> listener.failed(unknown(key.database())));
            return;
        }
        if (database.password() != null && !key.asItself()) {
            pool.credentials().password(database.password().reveal());
        }
        ServerTarget target = target(
                pool,
                database,
                key.asItself() ? key.user() : database.serverUser(key.user()),
                pool.credentials(),
                parameters.isEmpty() ? pool.parameters(database.parameters()) : parameters);
        if (target == null) {
            ignored(attempt);
            loop.execute(() -> listener.failed(NO_PRIMARY));
            return;
        }
        LoginListener ready = new ConnectQuery(
                parameters.isEmpty() ? database.connectQuery() : null,
                config.timeouts().serverConnectTimeout(),
                listener);
        boolean checked = key.replica() == null && parameters.isEmpty(); // one for replication may not take queries
        if (checked) {
            ready = new PrimaryCheck(primaries, database.primary(), target.timeout(), ready);
        }
        if (parameters.isEmpty()) {
            Breaker breaker = breakers.of(target.host());
            ready = new CountedLogin(attempt == null ? breaker.begin() : attempt, target.timeout(), ready);
        }
        connector.connect(target, loop, ready);
    }

    private static void ignored(Breaker.@Nullable Attempt attempt) {
        if (attempt != null) {
            attempt.ignored();
        }
    }

    void makeRoom(PoolKey key) {
        for (Pool other : pools.values()) {
            PoolKey theirs = other.key();
            boolean related = Objects.equals(theirs.replica(), key.replica())
                    && (theirs.database().equals(key.database())
                            || theirs.user().equals(key.user()));
            if (!theirs.equals(key) && related && other.closeOneIdle()) {
                return;
            }
        }
    }

    EventLoop anyLoop() {
        return transport.loops().getFirst();
    }

    /** Older than {@code server_lifetime} at {@code now}. */
    boolean isExpired(ServerConnection server, long now) {
        long lifetime = config.timeouts().serverLifetime().toNanos();
        // jittered by up to a tenth, so that servers opened together do not close together
        long jitter = lifetime / 1000 * (server.identity().id() * 37 % 100);
        return lifetime > 0 && now - server.usage().connectedNanos() > lifetime - jitter;
    }

    boolean isUnused(ServerConnection server, long now) {
        return isLongAgo(server.usage().lastUsedNanos(), now);
    }

    /** Longer than {@code server_idle_timeout}. */
    boolean isLongAgo(long then, long now) {
        long limit = config.timeouts().serverIdleTimeout().toNanos();
        return limit > 0 && now - then > limit;
    }

    long loginRetryNanos() {
        return config.timeouts().serverLoginRetry().toNanos();
    }

    long queryWaitNanos() {
        return config.timeouts().queryWaitTimeout().toNanos();
    }

    long reserveAfterNanos() {
        return config.pool().reservePoolTimeout().toNanos();
    }

    private void sweep() {
        long now = System.nanoTime();
        List<Pool> idle = new ArrayList<>(0);
        for (Pool pool : pools.values()) {
            pool.servers().forEach(this::leaveIfMoved);
            pool.sweep(now);
            if (pool.isForgettable(now)) {
                idle.add(pool);
            }
        }
        probes.sweep(now);
        if (!idle.isEmpty()) {
            forgotten.forget(
                    idle,
                    pool -> forget(pool, now),
                    pools.values(),
                    config.databases().keySet());
        }
    }

    /** A server whose host's name stands for another address by now is closed once it is free, as in PgBouncer. */
    private void leaveIfMoved(ServerConnection server) {
        boolean hasMoved = server.channel().remoteAddress() instanceof InetSocketAddress at
                && transport.names().hasLeft(server.identity().host().host(), at.getAddress());
        if (hasMoved) {
            server.usage().outdate();
        }
    }

    /** Unless somebody has entered it meanwhile. */
    private boolean forget(Pool pool, long now) {
        return pools.computeIfPresent(pool.key(), (key, known) -> known.isForgettable(now) ? null : known) == null;
    }
}
