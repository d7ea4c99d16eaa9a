package dev.pgproxy.route;

import dev.pgproxy.health.catalog.RoleDefaults;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.results.CacheRules;
import dev.pgproxy.results.Key;
import dev.pgproxy.routing.Consistency;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.RouteReason;
import dev.pgproxy.routing.RoutingHint;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.freshness.FreshnessToken;
import dev.pgproxy.routing.sql.Shape;
import org.jspecify.annotations.Nullable;

/** Who asks for a route: the same text goes elsewhere for another session. */
public interface Viewpoint {
    /** Where bare names are looked for. */
    SearchPath path();

    /** What was SET for all statements. */
    RoutingHint hint();

    /** What reads must not be older than; null if nothing was SET. */
    @Nullable
    FreshnessToken token();

    /** Why a harmless read stays on the primary all the same; null if it does not. */
    @Nullable
    RouteReason keeps(boolean transactionBound);

    /**
     * The {@link dev.pgproxy.routing.freshness.Monotonic} moment from which everything that a read of these relations must
     * see has been replayed.
     */
    long required(RelationSet reads, RoutingHint asked, long now);

    /** Why the cache answers nothing that it asks now, whatever that reads; null if it may. */
    @Nullable
    CacheReason uncached();

    /** The rule for such a read; null if none fits. */
    CacheRules.@Nullable Rule rule(Shape shape, RelationSet reads, Catalog catalog);

    /** What a result is found by; null if that cannot be told. */
    @Nullable
    Key key(boolean looksAtSettings);

    /** Why that cannot be told. */
    String keyless();

    /** Somebody without settings and past. */
    static Viewpoint ofNobody(DatabaseState state) {
        return new Viewpoint() {
            @Override
            public SearchPath path() {
                RoleDefaults defaults = state.defaults();
                String list = defaults == null ? null : defaults.get("", "search_path");
                return list == null ? SearchPath.ANY : SessionView.path(list, "");
            }

            @Override
            public RoutingHint hint() {
                return RoutingHint.NONE;
            }

            @Override
            public @Nullable FreshnessToken token() {
                return null;
            }

            @Override
            public @Nullable RouteReason keeps(boolean transactionBound) {
                return null;
            }

            @Override
            public @Nullable CacheReason uncached() {
                return null;
            }

            @Override
            public CacheRules.@Nullable Rule rule(Shape shape, RelationSet reads, Catalog catalog) {
                CacheRules.Reader nobody =
                        new CacheRules.Reader("", state.database().name(), "");
                return state.results().rules().first(shape, reads, catalog, nobody);
            }

            @Override
            public @Nullable Key key(boolean looksAtSettings) {
                return null;
            }

            @Override
            public String keyless() {
                return "depends on the session: it can ask by EXPLAIN (ROUTE)";
            }

            @Override
            public long required(RelationSet reads, RoutingHint asked, long now) {
                DatabaseRoutes routes = state.routes();
                boolean table = routes != null && routes.settings().consistency() == Consistency.TABLE;
                return asked.bound(table ? state.clock().lastWrite(reads) : HostState.NEVER, now);
            }
        };
    }
}
