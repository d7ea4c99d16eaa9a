package dev.pgproxy.query;

import dev.pgproxy.config.PoolMode;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.results.CacheRules;
import dev.pgproxy.results.Key;
import dev.pgproxy.results.LoopKeys;
import dev.pgproxy.route.DatabaseRoutes;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Viewpoint;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.RouteReason;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.freshness.FreshnessToken;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.session.Session;
import org.jspecify.annotations.Nullable;

/** A client that asks what would become of a text. It does nothing else meanwhile. Immutable. */
record Asking(RouteDecision decision, DatabaseState state, PoolMode mode, Text text) implements Viewpoint {
    /**
     * What it asks about.
     *
     * @param query as a Query has it, with its zero
     * @param parameters how many it has
     * @param bySql whether it is an EXECUTE
     */
    record Text(byte[] query, int parameters, boolean bySql) {}

    private Session session() {
        return decision.statements().session();
    }

    @Override
    public SearchPath path() {
        return decision.view().path();
    }

    @Override
    public RoutingHint hint() {
        return decision.view().hint();
    }

    @Override
    public @Nullable FreshnessToken token() {
        return decision.view().token();
    }

    private boolean isOnServer() {
        return session().isInTransaction() && !decision.transaction().isOpen();
    }

    @Override
    public @Nullable RouteReason keeps(boolean bound) {
        DatabaseRoutes routes = state.routes();
        if (mode == PoolMode.SESSION) {
            return RouteReason.SESSION_MODE;
        }
        return isOnServer() || routes == null ? RouteReason.TRANSACTION : decision.whatKeeps(bound, routes);
    }

    @Override
    public long required(RelationSet reads, RoutingHint asked, long now) {
        DatabaseRoutes routes = state.routes();
        return routes == null ? HostState.NEVER : decision.required(reads, asked, now, routes);
    }

    @Override
    public @Nullable CacheReason uncached() {
        LocalTransaction transaction = decision.transaction();
        if (mode == PoolMode.SESSION) {
            return CacheReason.SESSION_MODE;
        }
        if (text.bySql) {
            return CacheReason.NOT_A_READ;
        }
        if (token() != null) {
            return CacheReason.TOKEN;
        }
        if (isOnServer() || transaction.isOpen() && !transaction.isReadCommitted()) {
            return CacheReason.TRANSACTION;
        }
        if (!transaction.isOpen() && decision.view().beginsSerializable()) {
            return CacheReason.SERIALIZABLE;
        }
        if (!session().pins().isEmpty()) {
            return CacheReason.PINNED;
        }
        return text.query.length > LoopKeys.MOST ? CacheReason.TOO_LONG : null;
    }

    @Override
    public CacheRules.@Nullable Rule rule(Shape shape, RelationSet reads, Catalog catalog) {
        return CachePolicy.rule(state.results().rules(), shape, reads, catalog, session());
    }

    @Override
    public @Nullable Key key(boolean looksAtSettings) {
        return text.parameters > 0
                ? null
                : new ReadKey(state.results(), session(), state, decision.serverUser()).of(text.query, looksAtSettings);
    }

    @Override
    public String keyless() {
        return "depends on the parameters";
    }
}
