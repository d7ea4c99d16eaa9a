package dev.pgproxy.pool;

import dev.pgproxy.config.EffectivePool;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.server.Credentials;
import dev.pgproxy.server.LoginListener;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.server.ServerListener;
import dev.pgproxy.server.ServerState;
import dev.pgproxy.session.SharedStatements;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The servers of one database and user, and the clients that wait for one, first come first served over all loops.
 * Thread-safe: the lists are guarded by this object's monitor, held for a few list operations only; listeners are told
 * outside of it, on their own loops.
 */
public final class Pool implements ServerListener {
    private static final Logger LOG = LoggerFactory.getLogger(Pool.class);

    /** The score of a server on the client's loop with its settings. */
    private static final int BEST = 3;

    private final PoolKey key;
    private final Pools pools;
    private final Credentials credentials = new Credentials();
    private final SharedStatements statements = new SharedStatements();
    private final Welcomes welcomes = new Welcomes();
    private final SequenceUsers sequenceUsers = new SequenceUsers();
    private final Catalog catalog = new Catalog();
    private final PoolCounters counters;

    private final ArrayDeque<ServerConnection> idle = new ArrayDeque<>();
    private final Set<ServerConnection> all = new LinkedHashSet<>();
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private int connecting;
    private volatile int waitingCount;
    private volatile int epoch;
    private long retryAt;
    private @Nullable ErrorFields lastFailure;
    private boolean reserveOpen;
    private volatile long emptySince = System.nanoTime();

    private record Waiting(LeaseListener listener, long since) {}

    Pool(PoolKey key, Pools pools, int loops) {
        this.key = key;
        this.pools = pools;
        this.counters = new PoolCounters(loops);
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
                server = takeIdle(listener);
            }
            if (server == null) {
                refusal = refusalNow();
                if (refusal == null) {
                    waiting.addLast(new Waiting(listener, System.nanoTime()));
                    waitingCount = waiting.size();
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
        if (server.home() == listener.loop()) {
            return server;
        }
        lend(server, listener);
        return null;
    }

    /** Gives up waiting; true if it was waiting. */
    public synchronized boolean cancelWait(LeaseListener listener) {
        boolean removed = waiting.removeIf(w -> w.listener() == listener);
        waitingCount = waiting.size();
        return removed;
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
        return waitingCount > 0;
    }

    /** Statements shared by the sessions of this pool. */
    public SharedStatements statements() {
        return statements;
    }

    /** What new clients are told. */
    public Welcomes welcomes() {
        return welcomes;
    }

    /** Which applications look at the values of sequences. */
    public SequenceUsers sequenceUsers() {
        return sequenceUsers;
    }

    /** What the pool logs in with. */
    public Credentials credentials() {
        return credentials;
    }

    /** Counters of this pool. */
    public PoolCounters counters() {
        return counters;
    }

    /** What is known of the database's definitions. */
    public Catalog catalog() {
        return catalog;
    }

    // ---- servers coming and going

    private void put(ServerConnection server) {
        Waiting next = null;
        boolean retire;
        synchronized (this) {
            retire = !server.isUsable() || !isCurrent(server) || isPaused() || pools.isExpired(server);
            if (!retire) {
                next = pollFitting(server);
            }
            if (!retire && next == null) {
                server.state(ServerState.IDLE);
                idle.addFirst(server);
            }
        }
        if (retire) {
            server.close("server_lifetime, reconnect or pause");
        } else if (next != null) {
            grant(server, next.listener());
        }
    }

    private @Nullable Waiting pollFitting(ServerConnection server) {
        Iterator<Waiting> i = waiting.iterator();
        while (i.hasNext()) {
            Waiting w = i.next();
            if (fits(server, w.listener())) {
                i.remove();
                waitingCount = waiting.size();
                return w;
            }
        }
        return null;
    }

    private static boolean fits(ServerConnection server, LeaseListener listener) {
        return server.customSettings().isEmpty() || listener.customSettings().containsAll(server.customSettings());
    }

    /** The best idle server: same settings before same loop before any; the most recently used of those. */
    private @Nullable ServerConnection takeIdle(LeaseListener listener) {
        ServerConnection best = idle.peekFirst();
        int bestScore = best == null ? -1 : score(best, listener);
        if (bestScore < BEST) { // else the usual case, without an iterator
            for (ServerConnection server : idle) {
                int score = score(server, listener);
                if (score > bestScore) {
                    best = server;
                    bestScore = score;
                }
            }
        }
        if (best == null || bestScore < 0) {
            return null;
        }
        idle.remove(best);
        best.state(ServerState.ACTIVE);
        return best;
    }

    private static int score(ServerConnection server, LeaseListener listener) {
        if (!server.isUsable() || !fits(server, listener)) {
            return -1;
        }
        return (server.home() == listener.loop() ? 1 : 0)
                + (server.settings().get() == listener.wantedSettings() ? 2 : 0);
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
            waiting.addFirst(new Waiting(listener, System.nanoTime()));
            waitingCount = waiting.size();
        }
        connectMore(listener.loop());
    }

    @Override
    public void cameHome(ServerConnection server) {
        put(server);
    }

    @Override
    public void closed(ServerConnection server, @Nullable ErrorFields lastError) {
        EventLoop loop = server.home();
        synchronized (this) {
            if (!all.remove(server)) {
                return;
            }
            idle.remove(server);
            if (all.isEmpty()) {
                welcomes.clear();
                emptySince = System.nanoTime();
            }
        }
        pools.notifiers().closed(server.identity());
        pools.limits().release(key);
        connectMore(loop);
    }

    /** Opens connections while clients wait and limits permit. */
    void connectMore(EventLoop loop) {
        while (reserveSlot()) {
            pools.connect(this, loop, new LoginListener() {
                @Override
                public void connected(ServerConnection server) {
                    loggedIn(server);
                }

                @Override
                public void failed(ErrorFields error) {
                    loginFailed(error);
                }
            });
        }
    }

    private synchronized boolean reserveSlot() {
        EffectivePool sizes = pools.sizes(key);
        int size = sizes.poolSize() + (reserveOpen ? sizes.reservePoolSize() : 0);
        if (waiting.size() <= connecting && all.size() + connecting >= sizes.minPoolSize() || isPaused()) {
            return false;
        }
        boolean room = all.size() + connecting < size;
        if (!room || !pools.limits().acquire(key, sizes.maxDbConnections(), sizes.maxUserConnections())) {
            ServerConnection last = waiting.size() > connecting ? idle.pollLast() : null;
            if (last != null) { // none of the idle ones fits those who wait: one has to make room
                last.home().execute(() -> last.close("it has custom parameters that the next client has not"));
            } else if (room) {
                pools.makeRoom(key);
            }
            return false;
        }
        connecting++;
        return true;
    }

    private void loggedIn(ServerConnection server) {
        server.listener(this);
        server.usage().epoch(epoch);
        synchronized (this) {
            connecting--;
            all.add(server);
            lastFailure = null;
        }
        put(server);
    }

    private void loginFailed(ErrorFields error) {
        List<Waiting> refused = List.of();
        synchronized (this) {
            connecting--;
            if (error.code().startsWith("08")) {
                lastFailure = error;
                retryAt = System.nanoTime() + pools.loginRetryNanos();
            }
            if (all.isEmpty() && connecting == 0) {
                refused = new ArrayList<>(waiting);
                waiting.clear();
                waitingCount = 0;
            }
        }
        pools.limits().release(key);
        LOG.warn("{} login to server failed: {} {}", key, error.code(), error.message());
        refuse(refused, error);
    }

    private @Nullable ErrorFields refusalNow() {
        if (pools.gates().isStopping()) {
            return Pools.STOPPING;
        }
        if (all.isEmpty() && connecting == 0 && lastFailure != null && System.nanoTime() - retryAt < 0) {
            return lastFailure;
        }
        return null;
    }

    private static void refuse(Collection<Waiting> refused, ErrorFields error) {
        for (Waiting w : refused) {
            w.listener().loop().execute(() -> w.listener().refused(error));
        }
    }

    // ---- for the janitor and the console

    /** Refuses clients that have waited too long, opens the reserve, closes servers that are old or unused. */
    void sweep(long now) {
        List<Waiting> late = new ArrayList<>();
        List<ServerConnection> surplus = new ArrayList<>();
        long waitLimit = pools.queryWaitNanos();
        long reserveAfter = pools.reserveAfterNanos();
        EventLoop loop = null;
        synchronized (this) {
            while (waitLimit > 0
                    && !waiting.isEmpty()
                    && now - waiting.peekFirst().since() > waitLimit) {
                late.add(waiting.pollFirst());
            }
            waitingCount = waiting.size();
            Waiting oldest = waiting.peekFirst();
            reserveOpen = oldest != null && reserveAfter > 0 && now - oldest.since() > reserveAfter;
            int keep = pools.sizes(key).minPoolSize();
            Iterator<ServerConnection> i = idle.descendingIterator();
            while (i.hasNext()) {
                ServerConnection server = i.next();
                boolean unused = all.size() - surplus.size() > keep && pools.isUnused(server, now);
                if (unused || pools.isExpired(server) || !isCurrent(server)) {
                    i.remove();
                    surplus.add(server);
                }
            }
            if (oldest != null) {
                loop = oldest.listener().loop();
            } else if (credentialsTried() && all.size() + connecting < keep) {
                loop = pools.anyLoop();
            }
        }
        for (ServerConnection server : surplus) {
            server.home().execute(() -> server.close("server_idle_timeout or server_lifetime"));
        }
        refuse(
                late,
                ErrorFields.fatal(
                        SqlState.QUERY_CANCELED,
                        "query_wait_timeout",
                        "No server became free in time: raise default_pool_size, or find what holds the servers by SHOW SERVERS."));
        if (loop != null) {
            connectMore(loop);
        }
    }

    private boolean credentialsTried() {
        return !all.isEmpty() || connecting > 0 || emptySince != 0 && lastFailure == null && welcomes.any();
    }

    /** Whether nobody is given a server; those that are given back are closed. */
    private boolean isPaused() {
        return pools.gates().isPaused(key.database());
    }

    /** Whether the server has logged in since the last RECONNECT, PAUSE, or change of its settings. */
    public boolean isCurrent(ServerConnection server) {
        return server.usage().epoch() == epoch;
    }

    /** Whether servers have still to be closed after a RECONNECT. */
    public synchronized boolean hasOutdated() {
        return all.stream().anyMatch(server -> !isCurrent(server));
    }

    /** RECONNECT: every server is closed once it is free. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // called by the console only
    public void reconnect() {
        epoch++;
        sweep(System.nanoTime());
    }

    /** KILL: every server is closed now. */
    public void kill() {
        for (ServerConnection server : servers()) {
            server.home().execute(() -> server.close("killed by admin"));
        }
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
        List<Waiting> refused;
        synchronized (this) {
            refused = new ArrayList<>(waiting);
            waiting.clear();
            waitingCount = 0;
        }
        refuse(refused, error);
    }

    /** All its servers at this moment. */
    public synchronized List<ServerConnection> servers() {
        return new ArrayList<>(all);
    }

    /** Servers being connected at this moment. */
    public synchronized int connecting() {
        return connecting;
    }

    /** How long the first of those who wait has waited, in nanoseconds; 0 if nobody waits. */
    public synchronized long longestWait(long now) {
        Waiting first = waiting.peekFirst();
        return first == null ? 0 : now - first.since();
    }

    /** Whether nothing is in it. */
    synchronized boolean isEmpty() {
        return all.isEmpty() && connecting == 0 && waiting.isEmpty();
    }

    /** Whether it has no servers, nor will soon. */
    public synchronized boolean hasNoServers() {
        return all.isEmpty() && connecting == 0;
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
