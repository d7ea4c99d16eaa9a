package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.protocol.frame.FrontendType;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.route.Cacheable;
import dev.pgproxy.route.DatabaseRoutes;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.RouteExplanation;
import dev.pgproxy.route.SessionView;
import dev.pgproxy.routing.Consistency;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Route;
import dev.pgproxy.routing.RouteReason;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Hindrance;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.FreshnessToken;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import dev.pgproxy.routing.sql.LoopShapes;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.session.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where an exchange is to go: to the primary, or a harmless read to a replica that has what it may not lack, by what it says,
 * where it stands, and what the hosts are at this moment. One per client; confined to its loop.
 */
final class RouteDecision {
    private final DatabaseState state;
    private final PoolMode mode;
    private final PoolStatements statements;
    private final String serverUser;
    private final Session session;
    private final int loop;
    private final SessionView view;
    private final Executed executed;
    private final Past past;
    private final Readings readings;
    private final WriteWatch writes;
    private final LocalTransaction transaction;

    /** The first shape of the last exchange, as far as that was looked at. */
    private @Nullable Shape shape;

    /** The other ones. */
    private final List<Shape> others = new ArrayList<>(2);

    private RoutingHint hint = RoutingHint.NONE;
    private RelationSet reads = RelationSet.NONE;
    private boolean transactionBound;
    private boolean plain;
    private @Nullable RouteReason reason;
    private @Nullable CacheReason uncacheable;
    private boolean looksAtSettings;
    private long definitions;
    private boolean strict;
    private long polledAt;

    RouteDecision(
            DatabaseState state,
            PoolStatements statements,
            String serverUser,
            LoopShapes shapes,
            int loop,
            PoolMode mode) {
        this.state = state;
        this.mode = mode;
        this.session = statements.session();
        this.loop = loop;
        this.statements = statements;
        this.serverUser = serverUser;
        this.view = new SessionView(session, serverUser, state);
        this.executed = new Executed(session, shapes);
        this.past = new Past(state);
        this.readings = new Readings(view);
        this.writes = new WriteWatch(executed, readings, state);
        this.transaction = new LocalTransaction(session, view, statements);
    }

    /** The session's statements. */
    PoolStatements statements() {
        return statements;
    }

    /** The number of the client's loop. */
    int loop() {
        return loop;
    }

    /** As whom the session is logged in to servers. */
    String serverUser() {
        return serverUser;
    }

    SessionView view() {
        return view;
    }

    Executed executed() {
        return executed;
    }

    Readings readings() {
        return readings;
    }

    Past past() {
        return past;
    }

    WriteWatch writes() {
        return writes;
    }

    LocalTransaction transaction() {
        return transaction;
    }

    /** What the last exchange reads. */
    RelationSet reads() {
        return reads;
    }

    /** Whether all of the last exchange are harmless reads. */
    boolean isPlain() {
        return plain;
    }

    /** The first shape of the last exchange; null if nothing in it has one. */
    @Nullable
    Shape shape() {
        return shape;
    }

    /** Tells of the shapes of the last exchange, as far as they were looked at: all of them if it is plain. */
    void eachShape(Consumer<Shape> then) {
        if (shape != null) {
            then.accept(shape);
            others.forEach(then);
        }
    }

    /** When the position was asked for on which the last choice of a replica rests. */
    long polledAt() {
        return polledAt;
    }

    /** Looks at what an exchange is, while no server is leased. */
    void look(Exchange exchange) {
        reason = whatItIs(exchange);
        plain = reason == null;
        hint = hint.over(view.hint());
    }

    /** Why the last exchange cannot be answered from the cache, by what it is; null if it is a cacheable read. */
    @Nullable
    CacheReason uncacheable() {
        return uncacheable == null && reason != null && !isCacheable(reason) ? CacheReason.NOT_A_READ : uncacheable;
    }

    /** What keeps a read from replicas only. */
    private static boolean isCacheable(RouteReason reason) {
        return reason == RouteReason.UNLOGGED_RELATION || reason == RouteReason.LEARNT;
    }

    /** The definitions by which the last exchange was looked at. */
    long definitions() {
        return definitions;
    }

    /** Whether the last exchange, if it is cacheable, may look at any parameter by its name. */
    boolean looksAtSettings() {
        return looksAtSettings;
    }

    /** What the last exchange asks for. */
    RoutingHint hint() {
        return hint;
    }

    /** Whether whoever answers the last exchange is known to have everything that was acknowledged before. */
    boolean isStrict() {
        return strict;
    }

    /** Decides for the exchange that was looked at last. */
    Route decide(Exchange exchange, DatabaseRoutes routes) {
        strict = true;
        RouteReason kept = reason != null ? reason : whereItStands(exchange, routes);
        if (kept != null) {
            return Route.primary(kept);
        }
        if (!routes.hasReplicas()) {
            return Route.primary(RouteReason.NO_REPLICA);
        }
        routes.cluster().needed();
        return choose(routes);
    }

    /** Why the exchange is nothing for a replica; null if all in it are harmless reads. */
    private @Nullable RouteReason whatItIs(Exchange exchange) {
        reads = RelationSet.NONE;
        transactionBound = false;
        hint = RoutingHint.NONE;
        uncacheable = null;
        looksAtSettings = false;
        shape = null;
        others.clear();
        Catalog catalog = state.catalog();
        if (catalog == null) {
            uncacheable = CacheReason.NO_CATALOG;
            return RouteReason.NO_CATALOG;
        }
        definitions = catalog.version();
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
        if (isParsedHere(exchange, i)) {
            transactionBound |= bindsTime(exchange, i);
            return null;
        }
        QueryFacts facts = executed.of(exchange, i);
        Shape own = facts == null ? null : (Shape) facts.shape();
        if (facts == null || own == null) {
            return RouteReason.UNPARSED;
        }
        QueryFacts said = exchange.facts(i);
        hinted(said == null ? facts : said);
        if (!Executed.mayBeQuery(facts)) {
            return RouteReason.NOT_A_QUERY;
        }
        Reading reading = readings.of(own, catalog);
        if (reading == null) {
            return RouteReason.NOT_READ_YET;
        }
        caching(facts, reading);
        met(own);
        reads = reads.with(reading.reads());
        Hindrance hindrance = reading.hindrance();
        if (hindrance != null) {
            if (hindrance == Hindrance.UNPARSED) {
                own.countUnparsed();
            }
            return RouteReason.of(hindrance);
        }
        if (own.isRefusedByReplicas(catalog)) {
            return RouteReason.LEARNT;
        }
        boolean parses = exchange.type(i) == FrontendType.PARSE;
        String name = parses && session.hasStatements() ? exchange.parsedName(i) : null;
        if (name != null && session.hasStatement(name)) {
            return RouteReason.NOT_A_QUERY; // it will fail, and may not be run twice
        }
        transactionBound |= reading.transactionBound() || bindsTime(exchange, i);
        return null;
    }

    /** Whether it is a Bind of what a Parse of this exchange says, which was looked at and found harmless. */
    private static boolean isParsedHere(Exchange exchange, int i) {
        int parse = exchange.parseOf(i);
        QueryFacts said = parse < 0 ? null : exchange.facts(parse);
        return said != null && said.kind() != StatementKind.EXECUTE;
    }

    private boolean bindsTime(Exchange exchange, int i) {
        return exchange.type(i) == FrontendType.BIND
                && transaction.isOpen()
                && BoundValues.haveTimeInput(exchange.buffer(i), exchange.index(i), exchange.length(i));
    }

    private void met(Shape another) {
        if (shape == null) {
            shape = another;
        } else if (another != (others.isEmpty() ? shape : others.getLast())) {
            others.add(another);
        }
    }

    private void caching(QueryFacts facts, Reading reading) {
        if (uncacheable == null) {
            uncacheable = executed.isBySql() && reading.uncacheable() == null
                    ? CacheReason.NOT_A_READ
                    : Cacheable.hindrance(facts, reading);
        }
        looksAtSettings |= reading.dependsOnSettings();
    }

    /** One of several statements that wants to go to the primary takes the others along. */
    private void hinted(QueryFacts said) {
        if (said.hint() instanceof RoutingHint own && hint.target() != RoutingHint.Target.PRIMARY) {
            hint = own;
        }
    }

    /** Why its transaction keeps it from a replica; null if it does not. */
    private @Nullable RouteReason whereItStands(Exchange exchange, DatabaseRoutes routes) {
        RouteReason kept = whatKeeps(transactionBound, routes);
        if (kept != null || !transaction.isOpen() || beginsOnReplica()) {
            return kept;
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

    /** Why the transaction that is on no server keeps a read from a replica; null if it does not. */
    @Nullable
    RouteReason whatKeeps(boolean bound, DatabaseRoutes routes) {
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
        return bound ? RouteReason.TRANSACTION_BOUND : null;
    }

    /** Whether its transaction is to be begun on the replica that it goes to, and stay there. */
    boolean beginsOnReplica() {
        return transaction.isOpen() && !transaction.isReadCommitted();
    }

    private Route choose(DatabaseRoutes routes) {
        long now = Monotonic.now();
        Topology topology = routes.cluster().topology();
        FreshnessToken token = view.token();
        long position = token == null ? 0 : token.positionOn(topology.timeline());
        strict = hint.target() == null && isTable(routes);
        HostChoice choice = new HostChoice(topology, routes.choosers().get(loop), position, now);
        Route route = hint.target() == null ? null : choice.hinted(hint);
        if (route == null) {
            long asOf = required(reads, hint, now, routes);
            route = choice.by(asOf, beginsOnReplica() ? RouteReason.READ_ONLY_TRANSACTION : RouteReason.FRESH);
        }
        strict |= route.host() == null;
        polledAt = choice.polledAt(route);
        return route;
    }

    /** The moment from which everything must have been replayed. */
    long required(RelationSet of, RoutingHint hinted, long now, DatabaseRoutes routes) {
        TableClock clock = state.clock();
        boolean strict = transaction.isOpen() && !transaction.isReadOnly();
        Consistency consistency = strict ? Consistency.TABLE : routes.settings().consistency();
        long asOf = switch (consistency) {
            case TABLE ->
                !state.knowsOfAll()
                        ? TableClock.IN_DOUBT
                        : Math.max(clock.lastWrite(beginsOnReplica() ? RelationSet.ALL : of), past.shownByReplicas());
            case SESSION -> Math.max(past.seen(), writes.lastAcknowledged());
            case EVENTUAL -> HostState.NEVER;
        };
        return hinted.bound(asOf, now);
    }

    private boolean isTable(DatabaseRoutes routes) {
        boolean split = transaction.isOpen() && !transaction.isReadOnly();
        return (split || routes.settings().consistency() == Consistency.TABLE) && hint.maxStaleness() == null;
    }

    /**
     * Where a text of this client would go now, and why.
     *
     * @param query the text as a Query has it, with its zero
     * @param parameters how many it has
     */
    CompletionStage<RouteExplanation> explain(QueryFacts facts, byte[] query, int parameters) {
        boolean bySql = facts.kind() == StatementKind.EXECUTE;
        byte[] text = facts.uncommented() == null ? query : facts.uncommented();
        QueryFacts executed = bySql ? this.executed.body(facts) : facts;
        Asking asking = new Asking(this, state, mode, new Asking.Text(text, parameters, bySql));
        return RouteExplanation.of(executed == null ? facts : executed, asking, state);
    }
}
