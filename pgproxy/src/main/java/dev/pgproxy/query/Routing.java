package dev.pgproxy.query;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.PoolMode;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.route.DatabaseRoutes;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.RouteExplanation;
import dev.pgproxy.route.SessionView;
import dev.pgproxy.routing.Consistency;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Priority;
import dev.pgproxy.routing.Route;
import dev.pgproxy.routing.RouteReason;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Session;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Where a client's exchanges go: to the primary, or reads to a replica that has what they may not lack. One per client of a
 * database with replicas. Confined to the client's loop.
 */
public final class Routing {
    /** An exchange does not wait longer for its texts to be read: it goes to the primary. */
    private static final long READING_MILLIS = 200;

    /** What is said to a statement in a transaction that has failed on a replica. */
    static final ErrorFields ABORTED = ErrorFields.error(
            SqlState.IN_FAILED_SQL_TRANSACTION,
            "current transaction is aborted, commands ignored until end of transaction block");

    /** The server was lost between a message that can commit and its answer. */
    static final ErrorFields OUTCOME_UNKNOWN = ErrorFields.fatal(
            SqlState.TRANSACTION_RESOLUTION_UNKNOWN,
            "server closed the connection before it said whether the transaction was committed",
            "Look whether it was before you repeat it: pgproxy has not.");

    private final DatabaseState state;
    private final PoolMode mode;
    private final Session session;
    private final Pools pools;
    private final Pool primary;
    private final int loop;
    private final SessionView view;
    private final Executed executed;
    private final Past past;
    private final WriteWatch writes;
    private final LocalTransaction transaction;
    private final RouteDecision decision;
    private final Map<HostAddress, Pool> replicas = new HashMap<>(2);

    /** What is not waited for any longer. */
    private @Nullable Shape givenUp;

    /** What the exchange that runs now reads. */
    private RelationSet running = RelationSet.NONE;

    private @Nullable Host host;
    private @Nullable DatabaseRoutes by;
    private boolean trial;
    private boolean learning;
    private long sentAt;

    /** @param mode in session mode all reads stay on the client's server; in statement mode nothing begins */
    public Routing(
            DatabaseState state,
            PoolStatements statements,
            String serverUser,
            Pools pools,
            LoopShapes shapes,
            int loop,
            PoolMode mode) {
        this.state = state;
        this.mode = mode;
        this.session = statements.session();
        this.pools = pools;
        this.primary = statements.pool();
        this.loop = loop;
        this.decision = new RouteDecision(state, statements, serverUser, shapes, loop, mode);
        this.view = decision.view();
        this.executed = decision.executed();
        this.past = decision.past();
        this.writes = decision.writes();
        this.transaction = decision.transaction();
    }

    WriteWatch writes() {
        return writes;
    }

    /** Whether other instances have to know of writes. */
    boolean hasOtherInstances() {
        return state.instances() != null;
    }

    LocalTransaction transaction() {
        return transaction;
    }

    /** Whether anybody asks what this database is told to write. */
    public boolean isWatching() {
        return state.routes() != null;
    }

    /** Whether there is anything to route or to keep, or a transaction begun while there was. */
    boolean isActive() {
        return routes() != null || transaction.isOpen();
    }

    /** Why PostgreSQL would have ended the transaction that is on no server; null if it would not. */
    public @Nullable ErrorFields timedOut(long idleSince, long now) {
        return transaction.timedOut(idleSince, now);
    }

    private @Nullable DatabaseRoutes routes() {
        return mode == PoolMode.SESSION ? null : state.routes();
    }

    /** Answers what only begins or ends a transaction that is on no server, and takes it out of the exchange. */
    void answer(Exchange exchange, Channel client, Notifications notifications) {
        DatabaseRoutes routes = routes();
        boolean defers = mode == PoolMode.TRANSACTION
                && routes != null
                && routes.settings().deferredBegin();
        if (defers || transaction.isOpen()) {
            transaction.answer(exchange, client, notifications);
        }
    }

    /**
     * True if the exchange cannot be routed yet: a text in it has still to be read, or the primary has still to show what a
     * replica has shown. Then {@code again} runs on the loop.
     */
    boolean awaits(Exchange exchange, EventLoop on, Runnable again) {
        if (past.isAheadOfThePrimary()) {
            on.schedule(again, 1, TimeUnit.MILLISECONDS);
            return true;
        }
        for (int i = 0; i < exchange.size(); i++) {
            boolean says =
                    Executed.hasStatement(exchange.type(i)) && exchange.parseOf(i) < 0; // else its Parse has said it
            QueryFacts facts = says ? executed.of(exchange, i) : null;
            Shape shape = facts == null ? null : (Shape) facts.shape();
            if (shape == null || shape == givenUp || shape.facts() != null) {
                continue;
            }
            if (shape.whenRead(() -> on.execute(again))) {
                on.schedule(() -> giveUp(shape, again), READING_MILLIS, TimeUnit.MILLISECONDS);
                return true;
            }
        }
        return false;
    }

    private void giveUp(Shape shape, Runnable again) {
        givenUp = shape;
        again.run();
    }

    /** What the cache makes of reads; for the client whose channel this is, and who may be sent no more than that. */
    CachedReads cachedReads(Channel client, ResultLimit limit) {
        return new CachedReads(state, decision, client, limit);
    }

    /** Looks at an exchange that may be routed, while no server is leased. */
    void look(Exchange exchange) {
        givenUp = null;
        decision.look(exchange);
    }

    /** Where the exchange that was looked at goes. */
    Route route(Exchange exchange) {
        host = null;
        trial = false;
        learning = false;
        DatabaseRoutes routes = routes();
        if (routes == null) {
            return Route.primary(RouteReason.NO_REPLICA);
        }
        Route route = decision.decide(exchange, routes);
        Host to = route.host();
        routes.counters().count(loop, route.reason());
        if (route.reason() == RouteReason.SHARE_OF_PRIMARY) {
            routes.counters().read(loop, primaryOf(routes));
        }
        if (to != null) {
            host = to;
            by = routes;
            trial = !decision.beginsOnReplica();
            sentAt = System.nanoTime();
            routes.active()[loop][to.index()]++;
        }
        boolean tracked = to != null || decision.isPlain() && routes.settings().consistency() == Consistency.SESSION;
        running = tracked ? decision.reads() : RelationSet.NONE;
        return route;
    }

    private static int primaryOf(DatabaseRoutes routes) {
        HostState primary = routes.cluster().topology().primary();
        return primary == null ? 0 : primary.host().index();
    }

    /**
     * Where a text of this client would go now, and why.
     *
     * @param query the text as a Query has it, with its zero
     * @param parameters how many it has
     */
    public CompletionStage<RouteExplanation> explain(QueryFacts facts, byte[] query, int parameters) {
        return decision.explain(facts, query, parameters);
    }

    // ---- on the way

    /** The pool to ask for a server. */
    Pool pool(Route route) {
        Host to = route.host();
        if (to == null) {
            return primary;
        }
        HostAddress address = Objects.requireNonNull(by).addresses().get(to.index());
        return replicas.computeIfAbsent(address, host -> pools.enter(primary, host));
    }

    /** Whether the replica's freshness was told by the server that this connection leads to. */
    boolean isAsFreshAsSeen(ServerConnection server) {
        return Monotonic.of(server.usage().connectedNanos()) < decision.polledAt();
    }

    /** What the session has SET for its statements. */
    RoutingHint hint() {
        return view.hint();
    }

    /** Whether what was looked at last is a harmless read, which may be asked again if a server breaks it. */
    boolean isRepeatable() {
        return decision.isPlain() && !refusesRetry();
    }

    /** Whether the client wants to be told if the replica breaks what was looked at last. */
    boolean refusesRetry() {
        return decision.hint().once();
    }

    /** Among whom the exchange that was looked at wants to wait; null if it does not say. */
    @Nullable
    Priority priority() {
        return decision.hint().priority();
    }

    /** Whether the exchange goes to a replica that may fail to answer it. */
    boolean isTrial() {
        return trial;
    }

    /** It cannot be sent: whether its transaction, which was about to begin on that server, is on none again. */
    boolean takesBack() {
        if (trial) {
            return false;
        }
        if (host != null) {
            leave(host);
        }
        return transaction.takeBack();
    }

    /** The replica was not used, or has failed with this SQLSTATE: the primary answers. */
    void leavesReplica(String sqlState) {
        Host left = host;
        if (left == null) {
            return;
        }
        DatabaseRoutes routes = Objects.requireNonNull(by);
        routes.counters().count(loop, sqlState.isEmpty() ? RouteReason.NOT_FRESH : RouteReason.HEALED);
        if (sqlState.startsWith("08") || sqlState.startsWith("57P")) {
            routes.cluster().suspect(left);
        }
        learning = trial && isStatementsFault(sqlState);
        leave(left);
        trial = false;
    }

    private static boolean isStatementsFault(String sqlState) {
        return sqlState.startsWith("25")
                || sqlState.startsWith("42")
                || sqlState.equals("0A000")
                || sqlState.equals("55000");
    }

    /** ReadyForQuery has come, and the client has not heard it yet. */
    void outcome(byte status, boolean quiet, boolean onPrimary, ClientLink link) {
        List<String> problems = view.takeProblems();
        if (!problems.isEmpty()) {
            problems.forEach(link::notice);
        }
        if (onPrimary) {
            writes.ready(status, quiet, session.failure());
            DatabaseRoutes routes = routes();
            if (running.isEmpty() && routes != null && routes.settings().consistency() == Consistency.SESSION) {
                past.anything();
            }
        }
        Catalog catalog = state.catalog();
        if (learning && session.failure() == null && catalog != null) {
            decision.eachShape(shape -> shape.refusedByReplica(catalog));
        }
        learning = false;
        answered(status);
    }

    /** An exchange has been answered, by a replica or by the primary: the session must not see less from now on. */
    private void answered(byte status) {
        Host answered = host;
        if (answered != null && (trial || status == TransactionStatus.IDLE)) {
            DatabaseRoutes routes = Objects.requireNonNull(by);
            routes.counters().read(loop, answered.index());
            routes.times().record(loop, answered.index(), System.nanoTime() - sentAt);
            leave(answered);
        }
        trial = false;
        RelationSet seen = running;
        running = RelationSet.NONE;
        if (!seen.isEmpty()) {
            past.read(seen, answered != null);
        }
    }

    private void leave(Host left) {
        Objects.requireNonNull(by).active()[loop][left.index()]--;
        host = null;
    }

    /**
     * The connection to the server is lost: what was sent there may yet commit.
     *
     * @param crashed whether the server has not said why: with a crash go commits that were acknowledged and not flushed
     * @return whether it is not known if a write was committed
     */
    boolean lost(ServerConnection server, boolean crashed) {
        OpenWrites open = abandon(server);
        if (open != null) {
            open.unknown().run();
        }
        Host left = host;
        if (left != null && by != null) {
            by.cluster().suspect(left);
            leave(left);
        } else if (crashed) {
            state.clock().written(RelationSet.ALL, Monotonic.now());
        }
        return open != null;
    }

    /** The client has gone, and leaves this server; returns what it may have written, or null if nothing. */
    @Nullable
    OpenWrites close(@Nullable ServerConnection server) {
        replicas.values().forEach(Pool::leave);
        replicas.clear();
        if (host != null) {
            leave(host);
        }
        return server == null ? null : abandon(server);
    }

    private @Nullable OpenWrites abandon(ServerConnection server) {
        Runnable settle = writes.abandon();
        if (settle == null) {
            return null;
        }
        int processId = server.identity().processId();
        return new OpenWrites(settle, () -> {
            DatabaseRoutes routes = state.routes();
            if (routes == null) {
                settle.run();
            } else {
                routes.cluster().whenGone(processId, settle);
            }
        });
    }

    /** Whether texts of this shape do nothing but read, as far as is known now. */
    public boolean isRead(Shape shape) {
        Catalog catalog = state.catalog();
        Reading reading = catalog == null ? null : decision.readings().of(shape, catalog);
        return reading != null && reading.isHarmless() && reading.writes().isEmpty();
    }
}
