package dev.pgproxy.route;

import dev.pgproxy.health.catalog.RoleDefaults;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.routing.Consistency;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.RouteReason;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Hindrance;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Where a text would go now, outside a transaction, and why: what EXPLAIN is for plans. Nothing is sent anywhere. Immutable.
 *
 * @param facts what is said, in its order
 */
public record RouteExplanation(Map<String, String> facts) {
    /** Explains a text; what it names may have to be read first. */
    public static CompletionStage<RouteExplanation> of(
            String sql, Shapes shapes, DatabaseState state, DatabaseRoutes routes) {
        byte[] text = sql.getBytes(StandardCharsets.UTF_8);
        SqlAnalyzer analyzer = new SqlAnalyzer(shapes.seed());
        QueryFacts facts = analyzer.analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
        Shape shape = shapes.get(analyzer.fingerprintHigh(), analyzer.fingerprintLow(), text, facts, true);
        CompletableFuture<RouteExplanation> explained = new CompletableFuture<>();
        Runnable explain = () -> explained.complete(explain(facts, shape, state, routes));
        if (!shape.whenRead(explain)) {
            explain.run();
        }
        return explained;
    }

    private static RouteExplanation explain(QueryFacts facts, Shape shape, DatabaseState state, DatabaseRoutes routes) {
        Map<String, String> said = new LinkedHashMap<>();
        said.put("kind", facts.kind().toString());
        said.put("fingerprint", shape.fingerprint());
        Catalog catalog = state.catalog();
        Reading reading = catalog == null ? null : shape.reading(catalog, path(state));
        if (catalog == null || reading == null) {
            return primary(said, RouteReason.NO_CATALOG, "");
        }
        said.put("reads", names(reading.reads(), catalog));
        said.put("writes", names(reading.writes(), catalog));
        Hindrance hindrance = reading.hindrance();
        if (hindrance != null) {
            return primary(said, RouteReason.of(hindrance), reading.culprit() == null ? "" : reading.culprit());
        }
        if (shape.isRefusedByReplicas(catalog)) {
            return primary(said, RouteReason.LEARNT, "");
        }
        said.put("bound to its transaction", reading.transactionBound() ? "yes" : "no");
        return host(said, reading, state, routes);
    }

    /** Where somebody looks for names who has no settings of his own. */
    private static SearchPath path(DatabaseState state) {
        RoleDefaults defaults = state.defaults();
        String list = defaults == null ? null : defaults.get("", "search_path");
        return list == null ? SearchPath.ANY : SessionView.path(list, "");
    }

    private static RouteExplanation host(
            Map<String, String> said, Reading reading, DatabaseState state, DatabaseRoutes routes) {
        Topology topology = routes.cluster().topology();
        long now = Monotonic.now();
        boolean table = routes.settings().consistency() == Consistency.TABLE;
        long asOf = table ? state.clock().lastWrite(reading.reads()) : HostState.NEVER;
        said.put("consistency", routes.settings().consistency().toString());
        if (asOf == TableClock.IN_DOUBT) {
            return primary(said, RouteReason.IN_DOUBT, "");
        }
        if (table) {
            said.put("last write", millis(now - asOf) + " ago at most");
        }
        List<String> eligible = new ArrayList<>();
        for (HostState replica : topology.replicas()) {
            boolean may = routes.choosers().getFirst().mayAnswer(replica, asOf, now);
            String fresh = replica.freshAsOf() == HostState.NEVER
                    ? "not known to be fresh"
                    : "has all of what was written " + millis(now - replica.freshAsOf()) + " ago";
            said.put("replica " + replica.host(), fresh + (may ? "" : ": not enough"));
            if (may) {
                eligible.add(replica.host().name());
            }
        }
        if (eligible.isEmpty()) {
            return primary(said, topology.replicas().isEmpty() ? RouteReason.NO_REPLICA : RouteReason.NOT_FRESH, "");
        }
        said.put("route", "replica");
        said.put("host", "one of " + String.join(", ", eligible));
        said.put("reason", RouteReason.FRESH.code() + ": " + RouteReason.FRESH.description());
        return new RouteExplanation(said);
    }

    private static String millis(long nanos) {
        return nanos / 1_000_000 + " ms";
    }

    private static RouteExplanation primary(Map<String, String> said, RouteReason reason, String culprit) {
        said.put("route", "primary");
        said.put(
                "reason",
                reason.code() + ": " + reason.description() + (culprit.isEmpty() ? "" : " (" + culprit + ")"));
        return new RouteExplanation(said);
    }

    private static String names(RelationSet relations, Catalog catalog) {
        if (relations.isAll()) {
            return "everything, for all that can be told";
        }
        List<String> names = new ArrayList<>();
        for (int i = 0; i < relations.size(); i++) {
            String name = catalog.nameOf(relations.id(i));
            names.add(name == null ? Integer.toUnsignedString(relations.id(i)) : name);
        }
        return names.isEmpty() ? "nothing" : String.join(", ", names);
    }
}
