package dev.pgproxy.http;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.health.breaker.BreakerState;
import dev.pgproxy.json.Json;
import dev.pgproxy.route.Breakers;
import dev.pgproxy.route.Routes;
import dev.pgproxy.route.WatchedCluster;
import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether the program serves, and its databases. Thread-safe.
 *
 * @param config in force at the moment
 * @param draining whether clients are sent away, or will be soon
 * @param loops the clients' event loops
 */
public record Health(
        Supplier<ProxyConfig> config,
        Routes routes,
        Breakers breakers,
        BooleanSupplier draining,
        List<? extends Executor> loops) {
    private static final long LOOP_SECONDS = 5;

    /**
     * A database of the configuration, at one moment. Immutable.
     *
     * @param name as clients ask for it; {@code *} = all without a block of their own
     * @param watched whether its hosts are asked who they are; if not, only what logins say is known
     * @param primary who takes writes; null if nobody does, or nobody knows
     * @param replicas who answer
     * @param hosts all that are watched
     */
    private record Database(
            String name, boolean watched, @Nullable String primary, List<String> replicas, int hosts, boolean up) {
        Json json() {
            Json names = Json.array();
            replicas.forEach(names::add);
            return Json.object()
                    .put("name", name)
                    .put("up", up)
                    .put("watched", watched)
                    .put("primary", primary)
                    .put("replicas", names)
                    .put("hosts", hosts);
        }

        String sentence() {
            String first = "database " + name + ": " + (up ? "up" : "DOWN");
            if (!watched) {
                return first + ", its hosts are not watched (see control_user)";
            }
            return first + ", primary " + (primary == null ? "none" : primary) + ", replicas "
                    + (replicas.isEmpty() ? "none" : String.join(", ", replicas)) + ", of " + hosts + " hosts";
        }
    }

    /** 200 as long as every event loop answers. */
    CompletionStage<Answer> live() {
        CompletableFuture<?>[] turns = loops.stream()
                .map(loop -> CompletableFuture.runAsync(() -> {}, loop))
                .toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(turns)
                .orTimeout(LOOP_SECONDS, TimeUnit.SECONDS)
                .handle((done, failure) -> failure == null
                        ? Answer.plain(200, "live\n")
                        : Answer.plain(503, "an event loop does not answer\n"));
    }

    /** 200 if new clients are welcome and every database that is watched, and expects writes, has a primary. */
    Answer ready() {
        String hindrance = hindrance();
        return hindrance == null ? Answer.plain(200, "ready\n") : Answer.plain(503, hindrance + "\n");
    }

    /** Why it is not ready; null if it is. */
    @Nullable
    String hindrance() {
        if (draining.getAsBoolean()) {
            return "draining";
        }
        return routes.clusters().stream()
                .filter(cluster -> cluster.monitor().topology().primary() == null && expectsWrites(cluster))
                .map(cluster -> "no primary for " + cluster.primary()
                        + (cluster.monitor().topology().timeline() == null ? ": none was seen yet" : ""))
                .sorted()
                .findFirst()
                .orElse(null);
    }

    /** Not where every session begins read-only by the configuration, and not where there never was anything but replicas. */
    private boolean expectsWrites(WatchedCluster cluster) {
        Topology topology = cluster.monitor().topology();
        boolean onlyReplicas = topology.timeline() == null
                && !topology.hosts().isEmpty()
                && topology.hosts().stream().allMatch(host -> host.role() == HostRole.REPLICA);
        return !onlyReplicas
                && config.get().databasesAndWildcard().values().stream()
                        .anyMatch(
                                database -> database.primary().equals(cluster.primary()) && !database.startsReadOnly());
    }

    /** Each database in a few words. */
    Answer databases() {
        Json list = Json.array();
        known().forEach(database -> list.add(database.json()));
        return Answer.json(200, Json.object().put("ready", hindrance() == null).put("databases", list));
    }

    /** Everything that is known of the hosts. */
    static Answer detailed(Map<String, ConsoleAnswer.Rows> tables) {
        Json all = Json.object();
        tables.forEach((name, table) -> all.put(name, Tables.json(table)));
        return Answer.json(200, all);
    }

    /** What {@link #report} is made from. */
    static final List<String> REPORTED = List.of("version", "hosts", "alerts");

    /** The same for people. */
    Answer report(Map<String, ConsoleAnswer.Rows> tables) {
        StringBuilder text = new StringBuilder();
        String hindrance = hindrance();
        Tables.rows(tables, "version")
                .forEach(row -> text.append(row.text("version"))
                        .append(hindrance == null ? ": ready" : ": not ready, " + hindrance)
                        .append('\n'));
        known().forEach(database -> text.append(database.sentence()).append('\n'));
        Tables.rows(tables, "hosts").forEach(row -> text.append(sentence(row)).append('\n'));
        Tables.rows(tables, "alerts").stream()
                .filter(row -> row.text("state").equals("raised"))
                .forEach(row -> text.append("alert ")
                        .append(row.text("alert"))
                        .append(" since ")
                        .append(row.text("raised_at"))
                        .append(": ")
                        .append(row.text("subject"))
                        .append(": ")
                        .append(row.text("text"))
                        .append('\n'));
        return Answer.plain(200, text.toString());
    }

    private static String sentence(Tables.Row host) {
        StringBuilder text = new StringBuilder("host ")
                .append(host.text("host"))
                .append(':')
                .append(host.text("port"))
                .append(": ")
                .append(host.text("role"));
        fact(text, host, "lag_bytes", " bytes behind");
        fact(text, host, "lag_seconds", " s behind");
        if (host.get("connections") != null) {
            text.append(", ")
                    .append(host.text("connections"))
                    .append(" of ")
                    .append(host.text("max_connections"))
                    .append(" connections");
        }
        fact(text, host, "waiting_locks", " waiting for locks");
        fact(text, host, "cpu", " CPU");
        fact(text, host, "memory_used", " of memory");
        fact(text, host, "disk_used", " of disk");
        return text.toString();
    }

    private static void fact(StringBuilder text, Tables.Row host, String column, String what) {
        if (host.get(column) != null) {
            text.append(", ").append(host.text(column)).append(what);
        }
    }

    private List<Database> known() {
        List<Database> databases = new ArrayList<>();
        List<WatchedCluster> clusters = routes.clusters();
        config.get().databasesAndWildcard().forEach((name, settings) -> databases.add(of(name, settings, clusters)));
        return databases;
    }

    private Database of(String name, DatabaseSettings settings, List<WatchedCluster> clusters) {
        WatchedCluster cluster = clusters.stream()
                .filter(each -> each.primary().equals(settings.primary()))
                .findFirst()
                .orElse(null);
        if (cluster == null) {
            var breaker = breakers.all().get(settings.primary());
            boolean up = breaker == null || breaker.report().state() != BreakerState.OPEN;
            return new Database(name, false, null, List.of(), 0, up);
        }
        var topology = cluster.monitor().topology();
        HostState primary = topology.primary();
        List<String> replicas = topology.hosts().stream()
                .filter(host -> host.role() == HostRole.REPLICA)
                .map(host -> host.host().name())
                .toList();
        return new Database(
                name,
                true,
                primary == null ? null : primary.host().name(),
                replicas,
                topology.hosts().size(),
                primary != null);
    }
}
