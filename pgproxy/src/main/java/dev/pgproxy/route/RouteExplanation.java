package dev.pgproxy.route;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.routing.HostState;
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
import dev.pgproxy.routing.sql.Shapes;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Where a text would go now, and why: what EXPLAIN is for plans. Nothing is sent anywhere. Immutable.
 *
 * @param facts what is said, in its order
 */
public record RouteExplanation(Map<String, String> facts) {
    /** Explains a text to somebody without a session; it may have to be read first. */
    public static CompletionStage<RouteExplanation> of(String sql, Shapes shapes, DatabaseState state) {
        byte[] text = sql.getBytes(StandardCharsets.UTF_8);
        QueryFacts facts = new LoopShapes(shapes).analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
        return of(facts, Viewpoint.ofNobody(state), state);
    }

    /** Explains a text, as soon as it has been read; runs where it was read unless that was before. */
    public static CompletionStage<RouteExplanation> of(QueryFacts facts, Viewpoint from, DatabaseState state) {
        Map<String, String> said = new LinkedHashMap<>();
        said.put("kind", facts.kind().toString());
        DatabaseRoutes routes = state.routes();
        Shape shape = (Shape) facts.shape();
        if (routes == null || shape == null) {
            RouteExplanation known = routes == null
                    ? primary(said, RouteReason.NO_REPLICA, "none is configured")
                    : primary(said, RouteReason.UNPARSED, "");
            CacheExplanation.add(said, facts, shape, from, state);
            return CompletableFuture.completedFuture(known);
        }
        CompletableFuture<Shape> read = new CompletableFuture<>();
        if (!shape.whenRead(() -> read.complete(shape))) {
            read.complete(shape);
        }
        return read.thenApply(known -> {
            RouteExplanation explanation = explain(said, facts, known, from, state, routes);
            CacheExplanation.add(said, facts, known, from, state);
            return explanation;
        });
    }

    private static RouteExplanation explain(
            Map<String, String> said,
            QueryFacts facts,
            Shape shape,
            Viewpoint from,
            DatabaseState state,
            DatabaseRoutes routes) {
        said.put("fingerprint", shape.fingerprint());
        Catalog catalog = state.catalog();
        Reading reading = catalog == null ? null : shape.reading(catalog, from.path());
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
        RouteReason kept = from.keeps(reading.transactionBound());
        if (kept != null) {
            return primary(said, kept, "");
        }
        RoutingHint hint = facts.hint() instanceof RoutingHint own ? own.over(from.hint()) : from.hint();
        if (hint.target() != null) {
            said.put(
                    "hint",
                    hint.target() == RoutingHint.Target.HOST
                            ? "host=" + hint.host()
                            : hint.target().name().toLowerCase(Locale.ROOT));
        }
        return host(said, from, hint, from.required(reading.reads(), hint, Monotonic.now()), routes);
    }

    private static RouteExplanation host(
            Map<String, String> said, Viewpoint from, RoutingHint hint, long asOf, DatabaseRoutes routes) {
        Topology topology = routes.cluster().topology();
        long now = Monotonic.now();
        said.put("consistency", routes.settings().consistency().toString().toLowerCase(Locale.ROOT));
        if (hint.target() == RoutingHint.Target.PRIMARY) {
            return primary(said, RouteReason.HINT_PRIMARY, "");
        }
        if (asOf == TableClock.IN_DOUBT) {
            return primary(said, RouteReason.IN_DOUBT, "");
        }
        if (asOf != HostState.NEVER) {
            said.put("must have", "all of what was written " + millis(now - asOf) + " ago");
        }
        FreshnessToken token = from.token();
        long position = token == null ? 0 : token.positionOn(topology.timeline());
        if (token != null) {
            said.put("must have replayed", token.toString());
        }
        List<String> eligible = new ArrayList<>();
        for (HostState replica : topology.replicas()) {
            boolean may = routes.choosers().getFirst().mayAnswer(replica, asOf, position, now);
            String fresh = replica.freshAsOf() == HostState.NEVER
                    ? "not known to be fresh"
                    : "has all of what was written " + millis(now - replica.freshAsOf()) + " ago";
            String why = replica.broken() ? ": its breaker is open" : ": not enough";
            said.put("replica " + replica.host(), fresh + (may ? "" : why));
            if (may) {
                eligible.add(replica.host().name());
            }
        }
        if (hint.target() != null) {
            return hinted(said, hint, topology);
        }
        if (eligible.isEmpty()) {
            return primary(said, whyNone(topology), "");
        }
        said.put("route", "replica");
        said.put("host", "one of " + String.join(", ", eligible));
        return because(said, RouteReason.FRESH, "");
    }

    private static RouteReason whyNone(Topology topology) {
        if (topology.replicas().isEmpty()) {
            return RouteReason.NO_REPLICA;
        }
        return topology.replicas().stream().allMatch(HostState::broken) ? RouteReason.BROKEN : RouteReason.NOT_FRESH;
    }

    private static RouteExplanation hinted(Map<String, String> said, RoutingHint hint, Topology topology) {
        boolean any = hint.target() == RoutingHint.Target.REPLICA;
        List<String> hosts = topology.replicas().stream()
                .filter(replica -> !replica.broken())
                .map(replica -> replica.host().name())
                .filter(name -> any || name.equals(hint.host()))
                .toList();
        if (hosts.isEmpty()) {
            boolean broken = topology.replicas().stream()
                    .anyMatch(replica ->
                            replica.broken() && (any || replica.host().name().equals(hint.host())));
            RouteReason otherwise = any ? RouteReason.NO_REPLICA : RouteReason.HINT_UNKNOWN_HOST;
            return primary(said, broken ? RouteReason.BROKEN : otherwise, "");
        }
        said.put("route", "replica");
        said.put("host", (any ? "one of " : "") + String.join(", ", hosts));
        return because(said, any ? RouteReason.HINT_REPLICA : RouteReason.HINT_HOST, "");
    }

    /** SQL whose rows say the same, of one column for what and one for its value, in ASCII. */
    public String sql(int parameters) {
        StringJoiner rows = new StringJoiner(", ", "SELECT item, value FROM (VALUES ", ") AS route (item, value)");
        facts.forEach((item, value) -> rows.add("(" + literal(item) + ", " + literal(value) + ")"));
        StringBuilder sql = new StringBuilder(rows.toString());
        for (int i = 1; i <= parameters; i++) { // whoever explains a prepared statement binds its parameters
            sql.append(i == 1 ? " WHERE" : " AND").append(" ($").append(i).append("::text IS NULL OR TRUE)");
        }
        return sql.toString();
    }

    private static String literal(String text) {
        StringBuilder literal = new StringBuilder("E'");
        text.codePoints().forEach(c -> {
            if (c == '\'' || c == '\\') {
                literal.append('\\').appendCodePoint(c);
            } else if (c >= ' ' && c <= '~') {
                literal.appendCodePoint(c);
            } else if (c > 0) {
                literal.append(String.format(Locale.ROOT, "\\U%08X", c));
            }
        });
        return literal.append('\'').toString();
    }

    private static String millis(long nanos) {
        return nanos / 1_000_000 + " ms";
    }

    private static RouteExplanation primary(Map<String, String> said, RouteReason reason, String culprit) {
        said.put("route", "primary");
        return because(said, reason, culprit);
    }

    private static RouteExplanation because(Map<String, String> said, RouteReason reason, String culprit) {
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
