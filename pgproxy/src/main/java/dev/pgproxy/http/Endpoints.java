package dev.pgproxy.http;

import dev.pgproxy.client.Console;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.json.Json;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Everything there is to ask for, by path. Thread-safe. */
public final class Endpoints implements AutoCloseable {
    private static final String API = "/api";

    /** Without authentication, since probes have none: they tell yes or no. */
    private static final Set<String> PUBLIC = Set.of("/health/live", "/health/ready");

    private static final List<String> PATHS = List.of(
            "/metrics",
            "/metrics/cache",
            "/health/live",
            "/health/ready",
            "/health/db",
            "/health/db/detailed",
            "/health/db/report",
            API);

    private final Tables tables;
    private final Health health;
    private final Metrics metrics;

    /** {@code console} is asked for its tables. */
    public Endpoints(Supplier<Console> console, Health health) {
        this.tables = new Tables(console);
        this.health = health;
        this.metrics = new Metrics(Catalogue.ALL);
    }

    /** Whether anybody may ask. */
    static boolean isPublic(String path) {
        return PUBLIC.contains(path);
    }

    /**
     * The answer to GET; completes on whatever thread.
     *
     * @param path without what is behind a question mark
     * @param accept the header of that name, "" without one
     */
    CompletionStage<Answer> answer(String path, String accept) {
        return switch (path) {
            case "/metrics" ->
                from(Catalogue.tables(), read -> metrics.scrape(read, health.hindrance() == null, accept));
            case "/metrics/cache" -> from(List.of("cache"), Endpoints::cache);
            case "/health/live" -> health.live();
            case "/health/ready" -> now(health.ready());
            case "/health/db" -> now(health.databases());
            case "/health/db/detailed" -> from(List.of("hosts", "replicas", "failover", "breakers"), Health::detailed);
            case "/health/db/report" -> from(Health.REPORTED, health::report);
            case API -> now(Answer.json(200, index()));
            default -> table(path);
        };
    }

    private static CompletionStage<Answer> now(Answer answer) {
        return CompletableFuture.completedFuture(answer);
    }

    private CompletionStage<Answer> from(List<String> names, Function<Map<String, ConsoleAnswer.Rows>, Answer> answer) {
        return tables.show(names).thenApply(answer);
    }

    /** Which tables there are. */
    private Json index() {
        Json paths = Json.array();
        tables.names().forEach(name -> paths.add(API + "/" + name.replace(' ', '/')));
        return Json.object().put("tables", paths);
    }

    /** {@code /api/cache/misses} is what SHOW CACHE MISSES shows. */
    private CompletionStage<Answer> table(String path) {
        String name = tableOf(path);
        if (name == null) {
            return now(Answer.json(
                    404, Json.object().put("error", "there is no such path").put("paths", paths())));
        }
        return from(
                List.of(name),
                read -> Answer.json(200, Tables.json(read.values().iterator().next())));
    }

    private @Nullable String tableOf(String path) {
        String name =
                path.startsWith(API + "/") ? path.substring(API.length() + 1).replace('/', ' ') : "";
        return tables.names().contains(name) ? name : null;
    }

    private static Json paths() {
        Json paths = Json.array();
        PATHS.forEach(paths::add);
        return paths;
    }

    private static Answer cache(Map<String, ConsoleAnswer.Rows> read) {
        Json answer = Json.object();
        for (Tables.Row row : Tables.rows(read, "cache")) {
            long hits = Long.parseLong(row.text("hits"));
            long misses = Long.parseLong(row.text("misses"));
            Json operations = Json.object();
            for (String counted : List.of("stores", "evictions", "expirations", "stale", "too_large")) {
                operations.putNumber(counted, row.get(counted));
            }
            answer.put("mode", row.get("mode"))
                    .put("hits", hits)
                    .put("misses", misses)
                    .putNumber(
                            "hitRate",
                            hits + misses == 0
                                    ? null
                                    : String.format(Locale.ROOT, "%.4f", (double) hits / (hits + misses)))
                    .putNumber("entries", row.get("entries"))
                    .putNumber("bytes", row.get("bytes"))
                    .put("operations", operations);
        }
        return Answer.json(200, answer);
    }

    @Override
    public void close() {
        metrics.close();
    }
}
