package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.health.failover.Failover;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.route.DatabaseRoutes;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.RouteCounters;
import dev.pgproxy.route.RouteExplanation;
import dev.pgproxy.route.Routes;
import dev.pgproxy.route.WatchedCluster;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.RouteReason;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.sql.Shape;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** SHOW REPLICAS, FAILOVER, ROUTES, UNPARSED, ROUTE. Thread-safe. */
record RouteTables(Routes known) {
    private List<DatabaseState> databases() {
        return known.all().stream()
                .filter(state -> state.routes() != null)
                .sorted(Comparator.comparing(state -> state.database().toString()))
                .toList();
    }

    ConsoleAnswer replicas() {
        Table table = Table.of("database host role weight:int4 effective_weight lag_bytes:int8 fresh_ms:int8 reads:int8"
                + " share response_us:int8 cpu problem");
        long now = Monotonic.now();
        for (DatabaseState state : databases()) {
            DatabaseRoutes of = state.routes();
            if (of == null) {
                continue;
            }
            RouteCounters counters = of.counters();
            long all = of.hosts().stream()
                    .mapToLong(host -> counters.reads(host.index()))
                    .sum();
            for (HostState host : of.cluster().topology().hosts()) {
                long reads = counters.reads(host.host().index());
                double cpu = of.cluster().cpu(host.host());
                String strange = of.cluster().strangeSettings(host.host());
                table.row(
                        state.database().name(),
                        host.host().name(),
                        host.role().toString().toLowerCase(Locale.ROOT),
                        host.host().weight(),
                        decimal(host.weight()),
                        host.lagBytes() < 0 ? null : host.lagBytes(),
                        freshness(host, now),
                        reads,
                        all == 0 ? null : decimal(100.0 * reads / all) + " %",
                        micros(of, host.host()),
                        cpu < 0 ? null : decimal(100 * cpu) + " %",
                        strange.isEmpty() ? null : strange);
            }
        }
        return table.answer();
    }

    ConsoleAnswer failover() {
        Table table = Table.of("configured primary timeline:int4 promotions:int8 missing state");
        for (WatchedCluster cluster : known.clusters()) {
            Topology topology = cluster.monitor().topology();
            Failover failover = cluster.failover();
            String state = failover == null ? "" : failover.state();
            String missing = failover == null ? "" : failover.missing();
            table.row(
                    cluster.primary().toString(),
                    topology.primary() == null
                            ? null
                            : topology.primary().host().name(),
                    topology.timeline() == null ? null : topology.timeline().number(),
                    failover == null ? 0L : failover.promotions(),
                    missing.isEmpty() ? null : missing,
                    state.isEmpty() ? null : state);
        }
        return table.answer();
    }

    private static @Nullable Long freshness(HostState host, long now) {
        return host.freshAsOf() == HostState.NEVER ? null : TimeUnit.NANOSECONDS.toMillis(now - host.freshAsOf());
    }

    private static @Nullable Long micros(DatabaseRoutes of, Host host) {
        long nanos = of.cluster().typicalNanos(host);
        return nanos == 0 ? null : TimeUnit.NANOSECONDS.toMicros(nanos);
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }

    ConsoleAnswer routes() {
        Table table = Table.of("database target reason count:int8 description");
        for (DatabaseState state : databases()) {
            DatabaseRoutes of = state.routes();
            for (RouteReason reason : RouteReason.values()) {
                long count = of == null ? 0 : of.counters().of(reason);
                if (count > 0) {
                    table.row(
                            state.database().name(),
                            reason.isReplica() ? "replica" : "primary",
                            reason.code(),
                            count,
                            reason.description());
                }
            }
        }
        return table.answer();
    }

    ConsoleAnswer unparsed() {
        Table table = Table.of("fingerprint count:int8 statement");
        known.shapes().all().stream()
                .filter(shape -> shape.unparsed() > 0)
                .sorted(Comparator.comparingLong(Shape::unparsed).reversed())
                .forEach(shape -> table.row(shape.fingerprint(), shape.unparsed(), shape.masked()));
        return table.answer();
    }

    /** @param database whose definitions count; null = the only one that is known */
    CompletionStage<ConsoleAnswer> route(@Nullable String database, String sql) {
        List<DatabaseState> named = databases().stream()
                .filter(state -> database == null || state.database().name().equals(database))
                .toList();
        DatabaseState state = named.size() == 1 ? named.getFirst() : null;
        DatabaseRoutes of = state == null ? null : state.routes();
        if (state == null || of == null) {
            return CompletableFuture.completedFuture(Failures.of(
                    SqlState.INVALID_CATALOG_NAME,
                    named.isEmpty()
                            ? "no such database with replicas has been used yet"
                            : "there are several databases with replicas",
                    "SHOW ROUTE database 'statement'"));
        }
        return RouteExplanation.of(sql, known.shapes(), state).thenApply(explanation -> {
            Table table = Table.of("item value");
            explanation.facts().forEach(table::row);
            return table.answer();
        });
    }
}
