package dev.pgproxy.query;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.PoolMode;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.frame.TransactionStatus;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.route.DatabaseRoutes;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.SessionView;
import dev.pgproxy.routing.Consistency;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Route;
import dev.pgproxy.routing.RouteReason;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Hindrance;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.server.ServerConnection;
import dev.pgproxy.session.Session;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    private final Map<HostAddress, Pool> replicas = new HashMap<>(2);

    private boolean gaveUp;
    private RoutingHint hint = RoutingHint.NONE;
    private RelationSet reads = RelationSet.NONE;
    private boolean transactionBound;

    /** What the exchange that runs now reads. */
    private RelationSet running = RelationSet.NONE;

    private @Nullable Host host;
    private @Nullable DatabaseRoutes by;
    private boolean plain;
    private boolean trial;
    private boolean learning;
    private final List<Shape> asked = new ArrayList<>(2);
    private long polledAt;
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
        this.view = new SessionView(session, serverUser, state);
        this.executed = new Executed(session, shapes);
        this.past = new Past(state);
        this.writes = new WriteWatch(executed, view, state);
        this.transaction = new LocalTransaction(session, view, statements);
    }

    WriteWatch writes() {
        return writes;
    }

    LocalTransaction transaction() {
        return transaction;
    }

    /** Whether anybody asks what this database is told to write. */
    public boolean isWatching() {
        return state.routes() != null;
    }

    /** Whether there is anything to route: replicas, or a transaction begun while there were some. */
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

    /** A hint in a comment of the exchange being collected. */
    public void hint(RoutingHint asked) {
        hint = asked;
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
        if (gaveUp) {
            return false;
        }
        for (int i = 0; i < exchange.size(); i++) {
            QueryFacts facts = Executed.hasStatement(exchange.type(i)) ? executed.of(exchange, i) : null;
            Shape shape = facts == null ? null : (Shape) facts.shape();
            if (shape != null && shape.facts() == null && shape.whenRead(() -> on.execute(again))) {
                on.schedule(
                        () -> {
                            gaveUp = true;
                            again.run();
                        },
                        READING_MILLIS,
                        TimeUnit.MILLISECONDS);
                return true;
            }
        }
        return false;
    }

    /** Where an exchange goes while no server is leased. */
    Route route(Exchange exchange) {
        gaveUp = false;
        reads = RelationSet.NONE;
        host = null;
        trial = false;
        learning = false;
        DatabaseRoutes routes = routes();
        if (routes == null) {
            return Route.primary(RouteReason.NO_REPLICA);
        }
        Route route = decide(exchange, routes);
        Host to = route.host();
        routes.counters().count(route.reason());
        if (to != null || route.reason() == RouteReason.SHARE_OF_PRIMARY) {
            routes.counters().read(to == null ? 0 : to.index());
        }
        if (to != null) {
            host = to;
            by = routes;
            trial = !beginsOnReplica();
            sentAt = System.nanoTime();
            routes.active()[loop][to.index()]++;
        }
        boolean tracked = to != null || plain && routes.settings().consistency() == Consistency.SESSION;
        running = tracked ? reads : RelationSet.NONE;
        return route;
    }

    private Route decide(Exchange exchange, DatabaseRoutes routes) {
        routes.cluster().needed();
        RouteReason reason = whatItIs(exchange);
        plain = reason == null;
        if (plain) {
            reason = whereItStands(exchange, routes);
        }
        return reason != null ? Route.primary(reason) : choose(routes);
    }

    /** Why the exchange is nothing for a replica; null if all in it are harmless reads. */
    private @Nullable RouteReason whatItIs(Exchange exchange) {
        transactionBound = false;
        asked.clear();
        Catalog catalog = state.catalog();
        if (catalog == null) {
            return RouteReason.NO_CATALOG;
        }
        if (!exchange.isEnded()) {
            return RouteReason.OPEN_EXCHANGE;
        }
        boolean any = false;
        for (int i = 0; i < exchange.size(); i++) {
            switch (exchange.type(i)) {
                case FrontendType.QUERY, FrontendType.PARSE, FrontendType.BIND -> {
                    any = true;
                    RouteReason reason = hindrance(exchange, i, catalog);
                    if (reason != null) {
                        return reason;
                    }
                }
                case FrontendType.DESCRIBE, FrontendType.EXECUTE, FrontendType.CLOSE, FrontendType.SYNC -> {
                    if (!exchange.isWhole(i)) {
                        return RouteReason.OPEN_EXCHANGE;
                    }
                }
                default -> {
                    return RouteReason.NOT_A_QUERY;
                }
            }
        }
        return any ? null : RouteReason.NOT_A_QUERY;
    }

    private @Nullable RouteReason hindrance(Exchange exchange, int i, Catalog catalog) {
        if (!exchange.isWhole(i)) {
            return RouteReason.OPEN_EXCHANGE;
        }
        QueryFacts facts = executed.of(exchange, i);
        Shape shape = facts == null ? null : (Shape) facts.shape();
        if (facts == null || shape == null) {
            return RouteReason.UNPARSED;
        }
        if (!Executed.mayBeQuery(facts)) {
            return RouteReason.NOT_A_QUERY;
        }
        Reading reading = shape.reading(catalog, view.path());
        if (reading == null) {
            return RouteReason.NOT_READ_YET;
        }
        Hindrance hindrance = reading.hindrance();
        if (hindrance != null) {
            if (hindrance == Hindrance.UNPARSED) {
                shape.countUnparsed();
            }
            return RouteReason.of(hindrance);
        }
        if (shape.isRefusedByReplicas(catalog)) {
            return RouteReason.LEARNT;
        }
        String name = exchange.type(i) == FrontendType.PARSE ? exchange.parsedName(i) : null;
        if (name != null && session.hasStatement(name)) {
            return RouteReason.NOT_A_QUERY; // it will fail, and may not be run twice
        }
        asked.add(shape);
        reads = reads.with(reading.reads());
        transactionBound |= reading.transactionBound();
        return null;
    }

    /** Why its transaction keeps it from a replica; null if it does not. */
    private @Nullable RouteReason whereItStands(Exchange exchange, DatabaseRoutes routes) {
        if (!transaction.isOpen()) {
            return view.beginsSerializable() ? RouteReason.SERIALIZABLE : null;
        }
        if (!transaction.isReadOnly() && !routes.settings().transactionSplit()) {
            return RouteReason.TRANSACTION;
        }
        if (transaction.isRepeatableRead() && transaction.isReadOnly()) {
            return null;
        }
        if (!transaction.isReadCommitted()) {
            return RouteReason.SERIALIZABLE;
        }
        if (transactionBound) {
            return RouteReason.TRANSACTION_BOUND;
        }
        for (int i = 0; i < exchange.size(); i++) {
            byte type = exchange.type(i);
            boolean portal = type == FrontendType.BIND || type == FrontendType.EXECUTE;
            if (portal && !Executed.isUnnamedPortal(exchange, i)
                    || type == FrontendType.EXECUTE && !Executed.isWhole(exchange, i)) {
                return RouteReason.TRANSACTION; // the portal must outlive the Sync
            }
        }
        return null;
    }

    /** Whether its transaction is to be begun on the replica that it goes to, and stay there. */
    boolean beginsOnReplica() {
        return transaction.isOpen() && !transaction.isReadCommitted();
    }

    private Route choose(DatabaseRoutes routes) {
        long now = Monotonic.now();
        HostChoice choice =
                new HostChoice(routes.cluster().topology(), routes.choosers().get(loop), now);
        Route route = hint.target() == null ? null : choice.hinted(hint);
        if (route == null) {
            long asOf = required(now, routes);
            route = choice.by(asOf, beginsOnReplica() ? RouteReason.READ_ONLY_TRANSACTION : RouteReason.FRESH);
        }
        polledAt = choice.polledAt(route);
        return route;
    }

    /** The moment from which everything must have been replayed. */
    private long required(long now, DatabaseRoutes routes) {
        TableClock clock = state.clock();
        boolean strict = transaction.isOpen() && !transaction.isReadOnly();
        Consistency consistency = strict ? Consistency.TABLE : routes.settings().consistency();
        long asOf = switch (consistency) {
            case TABLE ->
                Math.max(clock.lastWrite(beginsOnReplica() ? RelationSet.ALL : reads), past.shownByReplicas());
            case SESSION -> Math.max(past.seen(), writes.lastAcknowledged());
            case EVENTUAL -> HostState.NEVER;
        };
        if (hint.maxStaleness() != null) {
            asOf = Math.min(asOf, Math.max(0, now - hint.maxStaleness().toNanos()));
        }
        return asOf;
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
        return Monotonic.of(server.usage().connectedNanos()) < polledAt;
    }

    /** The exchange is on its way, routed or behind what runs already: its hint is used up. */
    void sent() {
        hint = RoutingHint.NONE;
    }

    /** Whether the exchange goes to a replica that may fail to answer it. */
    boolean isTrial() {
        return trial;
    }

    /** The replica was not used, or has failed with this SQLSTATE: the primary answers. */
    void leavesReplica(String sqlState) {
        Host left = host;
        if (left == null) {
            return;
        }
        DatabaseRoutes routes = Objects.requireNonNull(by);
        routes.counters().count(sqlState.isEmpty() ? RouteReason.NOT_FRESH : RouteReason.HEALED);
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
    void outcome(byte status, boolean quiet, boolean onPrimary) {
        if (onPrimary) {
            writes.ready(status, quiet);
            DatabaseRoutes routes = routes();
            if (running.isEmpty() && routes != null && routes.settings().consistency() == Consistency.SESSION) {
                past.anything();
            }
        }
        Catalog catalog = state.catalog();
        if (learning && !session.hasFailed() && catalog != null) {
            asked.forEach(shape -> shape.refusedByReplica(catalog));
        }
        learning = false;
        answered(status);
    }

    /** An exchange has been answered, by a replica or by the primary: the session must not see less from now on. */
    private void answered(byte status) {
        Host answered = host;
        if (answered != null && (trial || status == TransactionStatus.IDLE)) {
            Objects.requireNonNull(by).times().record(loop, answered.index(), System.nanoTime() - sentAt);
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

    /** The connection to the server is lost: what was sent there may yet commit. */
    void lost(ServerConnection server) {
        OpenWrites open = abandon(server);
        if (open != null) {
            open.unknown().run();
        }
        Host left = host;
        if (left != null && by != null) {
            by.cluster().suspect(left);
            leave(left);
        }
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
}
