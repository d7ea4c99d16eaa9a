package dev.pgproxy.http;

import dev.pgproxy.client.Console;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.json.Json;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Everything there is to ask for, by path. Thread-safe. */
public final class Endpoints implements AutoCloseable {
    private static final String API = "/api";

    /** Without authentication, since probes have none: they tell yes or no. */
    private static final Set<String> PUBLIC = Set.of("/health/live", "/health/ready");

    /** Where {@link Live} tells. */
    static final String LIVE = API + "/live";

    static final String EVENTS = "text/event-stream";

    /** What the page shows without asking for it. */
    static final List<String> SHOWN = List.of(
            "version",
            "totals",
            "latencies",
            "alerts",
            "pools",
            "databases",
            "hosts",
            "replicas",
            "breakers",
            "failover",
            "retries",
            "cache",
            "cache misses",
            "cache coverage",
            "cache feed",
            "rate_limits",
            "priorities",
            "rules");

    private static final List<String> PATHS = List.of(
            "/",
            "/metrics",
            "/metrics/cache",
            "/health/live",
            "/health/ready",
            "/health/db",
            "/health/db/detailed",
            "/health/db/report",
            API,
            LIVE);

    /** So many rows of a table: the page shows no more, and all who look at it are told each second. */
    static final int MOST_SHOWN = 500;

    private final Tables tables;
    private final Health health;
    private final Metrics metrics;
    private final Page page = new Page();

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
     * @param thread for the work that it makes
     */
    CompletionStage<Answer> answer(String path, String accept, Executor thread) {
        return switch (path) {
            case "/metrics" ->
                from(Catalogue.tables(), thread, read -> metrics.scrape(read, health.hindrance() == null, accept));
            case "/metrics/cache" -> from(List.of("cache"), thread, Endpoints::cache);
            case "/health/live" -> health.live();
            case "/health/ready" -> now(health.ready());
            case "/health/db" -> now(health.databases());
            case "/health/db/detailed" ->
                from(List.of("hosts", "replicas", "failover", "breakers"), thread, Health::detailed);
            case "/health/db/report" -> from(Health.REPORTED, thread, health::report);
            case LIVE -> now(new Answer(200, EVENTS, "")); // to HEAD
            case API -> now(Answer.json(200, index()));
            default -> pageOrTable(path, thread);
        };
    }

    private static CompletionStage<Answer> now(Answer answer) {
        return CompletableFuture.completedFuture(answer);
    }

    /** Tables come on the clients' event loops: the answer is made elsewhere. */
    private <T> CompletionStage<T> from(
            List<String> names, Executor thread, Function<Map<String, ConsoleAnswer.Rows>, T> answer) {
        return tables.show(names).thenApplyAsync(answer, thread);
    }

    /** What the page shows, in one line. */
    CompletionStage<String> shown(Executor thread) {
        return from(SHOWN, thread, this::shown);
    }

    private String shown(Map<String, ConsoleAnswer.Rows> read) {
        Json rows = Json.object();
        Json leftOut = Json.object();
        read.forEach((name, table) -> {
            List<List<@Nullable String>> all = table.rows();
            int most = Math.min(all.size(), MOST_SHOWN);
            rows.put(name, Tables.json(new ConsoleAnswer.Rows(table.columns(), all.subList(0, most), table.tag())));
            leftOut.put(name, all.size() - most);
        });
        return Json.object()
                .put("at", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString())
                .put("version", Tables.rows(read, "version").getFirst().text("version"))
                .put("hindrance", health.hindrance())
                .put("tables", rows)
                .put("leftOut", leftOut)
                .toString();
    }

    /** Which tables there are. */
    private Json index() {
        Json paths = Json.array();
        tables.names().forEach(name -> paths.add(API + "/" + name.replace(' ', '/')));
        return Json.object().put("tables", paths);
    }

    private CompletionStage<Answer> pageOrTable(String path, Executor thread) {
        Answer text = page.at(path);
        return text == null ? table(path, thread) : now(text);
    }

    /** {@code /api/cache/misses} is what SHOW CACHE MISSES shows. */
    private CompletionStage<Answer> table(String path, Executor thread) {
        String name = tableOf(path);
        if (name == null) {
            return now(Answer.json(
                    404, Json.object().put("error", "there is no such path").put("paths", paths())));
        }
        return from(
                List.of(name),
                thread,
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
