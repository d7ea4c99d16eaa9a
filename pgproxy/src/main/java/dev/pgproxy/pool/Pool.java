package dev.pgproxy.pool;

import dev.pgproxy.config.EffectivePool;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.server.Credentials;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerListener;
import dev.pgproxy.server.ServerState;
import dev.pgproxy.session.SharedStatements;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The servers of one database and user, and the clients that wait for one, first come first served over all loops.
 * Thread-safe: the lists are guarded by this object's monitor, held for a few list operations only; listeners are told
 * outside of it, on their own loops.
 */
public final class Pool implements ServerListener {
    private static final ErrorFields TOO_LATE = ErrorFields.fatal(
            SqlState.QUERY_CANCELED,
            "query_wait_timeout",
            "No server became free in time: raise default_pool_size, or find what holds the servers by SHOW SERVERS.");

    private static final Logger LOG = LoggerFactory.getLogger(Pool.class);

    private final PoolKey key;
    private final Pools pools;
    private final PoolBooks books;
    private final Welcomes welcomes = new Welcomes();
    private final PoolCounters counters;

    private final IdleServers idle = new IdleServers();
    private final Set<ServerConnection> all = new LinkedHashSet<>();
    private final Set<ServerConnection> alone = new LinkedHashSet<>(0);
    private final WaitingClients waiting;
    private int connecting;
    private final AtomicInteger epoch = new AtomicInteger();
    private final HostAccess access;
    private final Outage outage;

    /** How often it has got another host. */
    private volatile int moves;

    private boolean reserveOpen;

    /** Whether a server has ever logged in, and none was refused since. */
    private boolean served;

    private int clients;
    private long leftAt = System.nanoTime();

    /** @param primary for a pool on a replica: the same on the primary, with which it shares what is not of servers */
    Pool(PoolKey key, Pools pools, int loops, @Nullable Pool primary) {
        this.key = key;
        this.pools = pools;
        this.counters = new PoolCounters(loops);
        this.waiting = new WaitingClients(pools.waitingCounts());
        this.access = HostAccess.of(key, pools);
        this.outage = access.outage();
        this.books = primary == null ? new PoolBooks() : primary.books;
    }

    // ---- for clients

    /**
     * Asks for a server. Returns it if one is free on the listener's loop; else returns null, and the listener is told
     * later, on its loop.
     */
    public @Nullable ServerConnection acquire(LeaseListener listener) {
        ServerConnection server = null;
        ErrorFields refusal = null;
        synchronized (this) {
            if (waiting.isEmpty() && !isPaused()) {
                server = idle.pollBest(listener);
            }
            if (server == null) {
                refusal = access.refusal(all.isEmpty(), connecting > 0);
                if (refusal == null) {
                    waiting.add(listener);
                }
            }
        }
        if (refusal != null) {
            ErrorFields error = refusal;
            listener.loop().execute(() -> listener.refused(error));
            return null;
        }
        if (server == null) {
            connectMore(listener.loop());
            return null;
        }
        server.state(ServerState.ACTIVE);
        if (server.home() == listener.loop()) {
            return server;
        }
        lend(server, listener);
        return null;
    }

    /** Gives up waiting; true if it was waiting. */
    public synchronized boolean cancelWait(LeaseListener listener) {
        return waiting.remove(listener);
    }

    /** Takes a server back that is clean: idle, nothing outstanding. On the loop that owns it. */
    public void release(ServerConnection server) {
        server.usage().usedUntil(System.nanoTime());
        if (server.isAway()) {
            server.goHome();
        } else {
            put(server);
        }
    }

    /** Whether a client waits: pipelines of others give way. */
    public boolean hasWaiting() {
        return waiting.any();
    }

    /** Statements shared by the sessions of this pool. */
    public SharedStatements statements() {
        return books.statements();
    }

    /** What new clients are told. */
    public Welcomes welcomes() {
        return welcomes;
    }

    /** Which applications look at the values of sequences. */
    public SequenceUsers sequenceUsers() {
        return books.sequenceUsers();
    }

    /** What the pool logs in with. */
    public Credentials credentials() {
        return books.credentials();
    }

    /** Counters of this pool. */
    public PoolCounters counters() {
        return counters;
    }

    /** What is known of the database's definitions. */
    public Catalog catalog() {
        return books.catalog();
    }

    // ---- who keeps it

    /** A client, or whatever else will need a server, is in it until {@link #leave}. Called by {@link Pools#enter}. */
    synchronized void enter() {
        clients++;
    }

    /** The counterpart of {@link Pools#enter}. */
    public synchronized void leave() {
        clients--;
        leftAt = System.nanoTime();
    }

    /**
     * Whether nothing is in it and nothing worth keeping: nobody has been for a while, or it never had a server. What is
     * paused or disabled is known without it.
     */
    synchronized boolean isForgettable(long now) {
        return clients == 0
                && all.isEmpty()
                && alone.isEmpty()
                && connecting == 0
                && (outage.failure() == null || outage.isRetried(now) && !pools.isLeftAlone(key))
                && (!served || pools.sizes(key).minPoolSize() == 0 && pools.isLongAgo(leftAt, now));
    }

    // ---- servers coming and going

    private void put(ServerConnection server) {
        LeaseListener next = null;
        boolean retire;
        synchronized (this) {
            retire = !server.isUsable()
                    || !isCurrent(server)
                    || isPaused()
                    || pools.isExpired(server, server.usage().lastUsedNanos());
            if (!retire) {
                next = waiting.pollFitting(server);
            }
            if (!retire && next == null) {
                server.state(ServerState.IDLE);
                idle.add(server);
            }
        }
        if (retire) {
            server.close("server_lifetime, reconnect or pause");
        } else if (next != null) {
            grant(server, next);
        }
    }

    private void grant(ServerConnection server, LeaseListener listener) {
        server.state(ServerState.ACTIVE);
        if (server.home() != listener.loop()) {
            lend(server, listener);
        } else if (listener.loop().inEventLoop()) {
            listener.granted(server);
        } else {
            listener.loop().execute(() -> listener.granted(server));
        }
    }

    private void lend(ServerConnection server, LeaseListener listener) {
        server.home().execute(() -> {
            if (server.isUsable()) {
                server.lendTo(listener.loop());
                listener.loop().execute(() -> listener.granted(server));
            } else {
                waitAgain(listener);
            }
        });
    }

    /** The server was lost before its home could lend it: the listener is the next to get one. */
    private void waitAgain(LeaseListener listener) {
        synchronized (this) {
            waiting.addFirst(listener);
        }
        connectMore(listener.loop());
    }

    @Override
    public void cameHome(ServerConnection server) {
        put(server);
    }

    @Override
    public void closed(ServerConnection server, @Nullable ErrorFields lastError) {
        synchronized (this) {
            if (!all.remove(server)) {
                return;
            }
            idle.remove(server);
            if (all.isEmpty()) {
                welcomes.clear();
            }
        }
        pools.notifiers().closed(server.identity());
        pools.lost(server, lastError);
        pools.limits().release(key);
        connectMore(server.home());
    }

    /** Opens connections while clients wait and limits permit. */
    void connectMore(EventLoop loop) {
        while (reserveSlot()) {
            pools.connect(this, loop, null, new PoolLogin(this, moves));
        }
    }

    /** One login for which nobody waits, to find out whether the host is back. */
    void probe(EventLoop loop, Breaker.Attempt attempt) {
        if (!isPaused() && reserve(pools.sizes(key), 0, true)) {
            pools.connect(this, loop, attempt, new PoolLogin(this, moves));
        } else {
            attempt.ignored();
        }
    }

    /** Whether it is time to try the host again, though nobody waits for it. */
    synchronized boolean isDue(long now) {
        return outage.failure() != null && outage.isRetried(now) && connecting == 0;
    }

    private synchronized boolean reserveSlot() {
        if (outage.failure() != null && connecting > 0) {
            return false; // whether its host is back one connection finds out as well as many
        }
        EffectivePool sizes = pools.sizes(key);
        if (waiting.size() <= connecting && all.size() + connecting >= sizes.minPoolSize()
                || isPaused()
                || access.isShut()) {
            return false;
        }
        return reserve(
                sizes, reserveOpen || waiting.isCritical() ? sizes.reservePoolSize() : 0, waiting.size() > connecting);
    }

    /** @param evicts whether an idle one that is good for nobody makes room */
    private synchronized boolean reserve(EffectivePool sizes, int more, boolean evicts) {
        boolean room = all.size() + connecting < sizes.poolSize() + more;
        if (!room || !pools.limits().acquire(key, sizes.maxDbConnections(), sizes.maxUserConnections())) {
            ServerConnection last = evicts ? idle.pollLast() : null;
            if (last != null) { // none of the idle ones fits those who wait: one has to make room
                last.home().execute(() -> last.close("it makes room for one that is needed more"));
            } else if (room) {
                pools.makeRoom(key);
            }
            return false;
        }
        connecting++;
        return true;
    }

    void loggedIn(ServerConnection server, int move) {
        server.listener(this);
        server.usage().epoch(epoch.get());
        books.loggedIn(server, key.replica() != null);
        synchronized (this) {
            connecting -= move == moves ? 1 : 0;
            all.add(server);
            served = true;
            outage.end();
        }
        put(server);
    }

    /** @param move of the host that was tried */
    void loginFailed(ErrorFields error, int move) {
        List<LeaseListener> refused = List.of();
        boolean isNews;
        synchronized (this) {
            connecting -= move == moves ? 1 : 0;
            if (error.code().startsWith("28") || error.code().startsWith("3D")) {
                served = false; // the database, the user or its password is no longer what it was
            }
            long now = System.nanoTime();
            isNews = move != moves || outage.failed(error, now, pools.loginRetryNanos());
            if (all.isEmpty() && connecting == 0 && move == moves && !access.isPatient(now)) {
                refused = waiting.pollAll();
            }
        }
        pools.limits().release(key);
        if (isNews && !pools.gates().isStopping() && error != Pools.NO_PRIMARY) {
            LOG.warn("{} login to server failed: {} {}", key, error.code(), error.message());
        }
        WaitingClients.refuse(refused, error);
    }

    // ---- for the janitor and the console

    /** Refuses clients that have waited too long, opens the reserve, closes servers that are old or unused. */
    void sweep(long now) {
        List<LeaseListener> late = List.of();
        List<LeaseListener> given = List.of();
        ErrorFields why = TOO_LATE;
        List<ServerConnection> surplus = new ArrayList<>();
        long waitLimit = pools.queryWaitNanos();
        long reserveAfter = pools.reserveAfterNanos();
        EventLoop loop = null;
        synchronized (this) {
            if (waitLimit > 0) {
                late = waiting.pollLate(now, waitLimit);
            }
            ErrorFields failure = outage.failure();
            if (failure != null && all.isEmpty() && pools.failoverWaitNanos(key) > 0) {
                given = waiting.pollLate(now, pools.failoverWaitNanos(key));
                why = failure;
            } else if (access.isShut()) {
                given = waiting.pollAll();
                why = Pools.LEFT_ALONE;
            }
            reserveOpen = reserveAfter > 0 && waiting.longest(now) > reserveAfter;
            int keep = pools.sizes(key).minPoolSize();
            idle.pollAll(surplus, server -> {
                boolean unused = all.size() - surplus.size() > keep && pools.isUnused(server, now);
                return unused || pools.isExpired(server, now) || !isCurrent(server);
            });
            LeaseListener oldest = waiting.first();
            if (oldest != null) {
                loop = oldest.loop();
            } else if (served && outage.isRetried(now) && all.size() + connecting < keep) {
                loop = pools.anyLoop();
            }
        }
        surplus.forEach(server -> server.home().execute(() -> server.close("server_idle_timeout or server_lifetime")));
        WaitingClients.refuse(late, TOO_LATE);
        WaitingClients.refuse(given, why);
        if (loop != null) {
            connectMore(loop);
        }
    }

    /** Whether nobody is given a server; those that are given back are closed. */
    private boolean isPaused() {
        return pools.gates().isPaused(key.database());
    }

    /** Whether the server has logged in since the last RECONNECT, PAUSE, or change of its settings. */
    public boolean isCurrent(ServerConnection server) {
        return server.usage().epoch() == epoch.get();
    }

    /** Whether servers have still to be closed after a RECONNECT. */
    public synchronized boolean hasOutdated() {
        return all.stream().anyMatch(server -> !isCurrent(server));
    }

    /** RECONNECT: every server is closed once it is free. */
    public void reconnect() {
        epoch.incrementAndGet();
        sweep(System.nanoTime());
    }

    /** Every server that is not on this host is closed now, whatever runs there: it is not the primary. */
    void leaveAllBut(@Nullable HostAddress host) {
        synchronized (this) {
            epoch.incrementAndGet(); // who is given back from there goes to nobody
            idle.pollAll(new ArrayList<>(), server -> !server.identity().host().equals(host));
            moves++;
            connecting = 0; // those who still try the last host are not waited for
            outage.end();
        }
        servers().stream()
                .filter(server -> !server.identity().host().equals(host))
                .forEach(server -> server.home().execute(() -> server.close("its host is not the primary any more")));
        sweep(System.nanoTime()); // for those who wait
    }

    /** KILL: every server is closed now. */
    public void kill() {
        servers().forEach(server -> server.home().execute(() -> server.close("killed by admin")));
    }

    /** Closes one idle server, to make room for another pool; false if there is none. */
    synchronized boolean closeOneIdle() {
        ServerConnection last = idle.pollLast();
        if (last == null) {
            return false;
        }
        last.home().execute(() -> last.close("evicted for another pool"));
        return true;
    }

    /** Refuses everyone who waits. */
    public void refuseAll(ErrorFields error) {
        List<LeaseListener> refused;
        synchronized (this) {
            refused = waiting.pollAll();
        }
        WaitingClients.refuse(refused, error);
    }

    /** All its servers at this moment, those included that a client has for itself alone. */
    public synchronized List<ServerConnection> servers() {
        List<ServerConnection> servers = new ArrayList<>(all);
        servers.addAll(alone);
        return servers;
    }

    /** A client has opened it for itself: it is seen, but never lent. */
    synchronized void alone(ServerConnection server) {
        server.usage().epoch(epoch.get());
        alone.add(server);
    }

    synchronized void gone(ServerConnection server) {
        alone.remove(server);
    }

    /** Servers being connected at this moment. */
    public synchronized int connecting() {
        return connecting;
    }

    /** How long the first of those who wait has waited, in nanoseconds; 0 if nobody waits. */
    public synchronized long longestWait(long now) {
        return waiting.longest(now);
    }

    /** Whether it has no servers, nor will soon. */
    public synchronized boolean hasNoServers() {
        return all.isEmpty() && connecting == 0;
    }

    /** What its servers are given at the start, with the parameters of the configuration. */
    Map<String, String> parameters(Map<String, String> configured) {
        return key.replica() == null ? configured : books.onReplica(configured);
    }

    /** Which pool it is. */
    public PoolKey key() {
        return key;
    }

    @Override
    public String toString() {
        return key.toString();
    }
}
