package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValueType;
import dev.pgproxy.console.ShutdownMode;
import dev.pgproxy.testing.Browser;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Exposition;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.PageText;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCertificates;
import dev.pgproxy.testing.TestCertificates.Issued;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import dev.pgproxy.testing.TrustingTls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Metrics and health of a proxy that works, and that they are what the console says. */
final class HttpIT {
    private static final String HTTP = "http_addr = [127.0.0.1]\nhttp_port = 0\n";
    private static final String SECRET = "0123456789-secret-token";

    @TempDir
    private Path directory;

    private static RoutedProxy routed() {
        RoutedProxy routed = RoutedProxy.start(
                HTTP + "cache_mode = on\nchange_feed = off\ncache_ttl = 1h\n",
                List.of(1, 1),
                "CREATE TABLE t (id int PRIMARY KEY, v int)",
                "INSERT INTO t SELECT i, i FROM generate_series(1, 9) i");
        routed.awaitReplicas();
        return routed;
    }

    /** The rows of a SHOW by the names of their columns. */
    private static List<Map<String, @Nullable String>> show(PgProxy proxy, String what) {
        Endpoint console = new Endpoint("127.0.0.1", proxy.port(), "pgproxy", "postgres", TestCluster.PASSWORD);
        List<Message> answer = console.run("SHOW " + what);
        List<String> columns = Message.columns(answer);
        List<Map<String, @Nullable String>> rows = new ArrayList<>();
        for (List<@Nullable String> values : Message.rows(answer)) {
            Map<String, @Nullable String> row = new LinkedHashMap<>();
            for (int i = 0; i < columns.size(); i++) {
                row.put(columns.get(i), values.get(i));
            }
            rows.add(row);
        }
        return rows;
    }

    private static void assertSame(
            Exposition found, List<Map<String, @Nullable String>> rows, String series, String column, double factor) {
        assertThat(rows).isNotEmpty();
        for (Map<String, @Nullable String> row : rows) {
            String filled = series;
            for (Map.Entry<String, @Nullable String> value : row.entrySet()) {
                filled = filled.replace("<" + value.getKey() + ">", String.valueOf(value.getValue()));
            }
            String shown = row.get(column);
            if (shown == null) {
                assertThat(found.samples()).doesNotContainKey(filled);
            } else {
                assertThat(found.of(filled)).as(filled).isEqualTo(factor * Double.parseDouble(shown.replace(" %", "")));
            }
        }
    }

    @Test
    void whatPrometheusReadsIsWhatTheConsoleShows() {
        try (RoutedProxy routed = routed();
                RawClient client = routed.proxied().login()) {
            PgProxy proxy = routed.proxy();
            for (int i = 0; i < 20; i++) {
                client.query("SELECT v FROM t WHERE id = " + i % 3).readUntilReady();
            }
            client.query("UPDATE t SET v = 1").readUntilReady();
            client.query("SELECT nonsense").readUntilReady();
            client.query("BEGIN; SELECT 1").readUntilReady();
            Browser browser = new Browser(proxy.httpPort());
            await().untilAsserted(() -> {
                Exposition found = browser.metrics();
                String pool = "{database=<database>,user=<user>}";
                assertSame(found, show(proxy, "POOLS"), "pgproxy_pool_clients_active" + pool, "cl_active", 1);
                assertSame(found, show(proxy, "POOLS"), "pgproxy_pool_clients_waiting" + pool, "cl_waiting", 1);
                assertSame(found, show(proxy, "POOLS"), "pgproxy_pool_servers_active" + pool, "sv_active", 1);
                assertSame(found, show(proxy, "POOLS"), "pgproxy_pool_servers_idle" + pool, "sv_idle", 1);
                String database = "{database=<database>}";
                List<Map<String, @Nullable String>> totals = show(proxy, "STATS_TOTALS");
                assertSame(found, totals, "pgproxy_queries_total" + database, "query_count", 1);
                assertSame(found, totals, "pgproxy_sent_bytes_total" + database, "bytes_sent", 1);
                assertSame(
                        found,
                        show(proxy, "ROUTES"),
                        "pgproxy_routes_total{database=<database>,reason=<reason>,target=<target>}",
                        "count",
                        1);
                assertSame(
                        found,
                        show(proxy, "CACHE MISSES"),
                        "pgproxy_cache_reads_total{database=<database>,reason=<reason>}",
                        "count",
                        1);
                assertSame(found, show(proxy, "CACHE"), "pgproxy_cache_hits_total", "hits", 1);
                assertSame(found, show(proxy, "CACHE"), "pgproxy_cache_bytes", "bytes", 1);
                assertSame(
                        found,
                        show(proxy, "REPLICAS"),
                        "pgproxy_reads_total{database=<database>,host=<host>}",
                        "reads",
                        1);
                assertSame(
                        found,
                        show(proxy, "HOSTS"),
                        "pgproxy_host_connections_limit{cluster=<cluster>,host=<host>:<port>}",
                        "max_connections",
                        1);
                assertSame(found, show(proxy, "BREAKERS"), "pgproxy_breaker_calls_total{host=<host>}", "calls", 1);
            });
            assertStates(browser.metrics(), routed);
        }
    }

    /** What can only be so, with a cluster that is well and a client inside a transaction. */
    private static void assertStates(Exposition found, RoutedProxy routed) {
        assertThat(found.of("pgproxy_cache_hits_total")).isPositive();
        assertThat(found.of("pgproxy_pool_servers_active{database=" + routed.database() + ",user=postgres}"))
                .isEqualTo(1);
        String primary = "127.0.0.1:" + routed.primaryPort();
        assertThat(found.of("pgproxy_host_up{cluster=" + primary + ",host=" + primary + "}"))
                .isEqualTo(1);
        assertThat(found.of("pgproxy_host_role{cluster=" + primary + ",host=127.0.0.1:" + routed.replicaPort(0)
                        + ",role=replica}"))
                .isEqualTo(1);
        assertThat(found.of("pgproxy_breaker_state{host=" + primary + ",state=closed}"))
                .isEqualTo(1);
        assertThat(found.of("pgproxy_cluster_has_primary{cluster=" + primary + "}"))
                .isEqualTo(1);
        assertThat(found.of("pgproxy_ready")).isEqualTo(1);
        assertThat(found.of("jvm_memory_used_bytes{area=nonheap,id=Metaspace}")).isPositive();
    }

    @Test
    void openMetricsIsSpokenToWhoAsksForIt() {
        try (RoutedProxy routed = routed()) {
            Browser browser = new Browser(routed.proxy().httpPort());
            HttpResponse<String> plain = browser.get("/metrics");
            assertThat(plain.headers().firstValue("Content-Type")).hasValue("text/plain; version=0.0.4; charset=utf-8");
            HttpResponse<String> open = browser.get(
                    "/metrics",
                    "Accept",
                    "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5");
            assertThat(open.headers().firstValue("Content-Type").orElse(""))
                    .startsWith("application/openmetrics-text; version=1.0.0");
            assertThat(open.body()).endsWith("# EOF\n");
        }
    }

    @Test
    void statementsMakeNoSeries() {
        try (RoutedProxy routed = routed();
                RawClient client = routed.proxied().login()) {
            Browser browser = new Browser(routed.proxy().httpPort());
            client.query("SELECT v AS first FROM t").readUntilReady();
            client.query("SELECT v AS first FROM t").readUntilReady();
            int known = routed.proxy().services().routes().shapes().all().size();
            await().until(() -> ours(browser.metrics()).stream() // what hosts say of themselves comes in its time
                            .filter(name -> name.startsWith("pgproxy_host_connections{"))
                            .count()
                    == 3);
            var before = new TreeSet<>(ours(browser.metrics()));
            for (int i = 0; i < 2000; i++) {
                client.query("SELECT v AS c" + i + " FROM t").readUntilReady();
            }
            await().until(() ->
                    routed.proxy().services().routes().shapes().all().size() > known + 500);
            var after = new TreeSet<>(ours(browser.metrics()));
            after.removeAll(before);
            assertThat(after).hasSizeLessThan(10); // a reason that had not occurred
        }
    }

    private static List<String> ours(Exposition found) {
        return found.samples().keySet().stream()
                .filter(name -> name.startsWith("pgproxy_"))
                .toList();
    }

    @Test
    void everyTableOfTheConsoleIsThereAsJson() {
        try (RoutedProxy routed = routed();
                RawClient client = routed.proxied().login()) {
            client.query("SELECT v FROM t WHERE id = 1").readUntilReady();
            Browser browser = new Browser(routed.proxy().httpPort());
            List<String> paths = browser.json("/api").getStringList("all.tables");
            assertThat(paths).contains("/api/pools", "/api/hosts", "/api/cache/misses", "/api/config");
            for (String path : paths) {
                String name = path.substring("/api/".length()).replace('/', ' ');
                List<? extends Config> rows = browser.json(path).getConfigList("all");
                List<Map<String, @Nullable String>> shown = show(routed.proxy(), name);
                if (!rows.isEmpty() && !shown.isEmpty()) {
                    assertThat(rows.getFirst().root().keySet())
                            .as(path)
                            .isEqualTo(shown.getFirst().keySet());
                }
            }
            Config pool = browser.json("/api/pools").getConfigList("all").stream()
                    .filter(row -> row.getString("database").equals(routed.database()))
                    .findFirst()
                    .orElseThrow();
            assertThat(pool.getValue("cl_active").valueType()).isEqualTo(ConfigValueType.NUMBER);
            assertThat(pool.getInt("cl_active")).isEqualTo(1);
            assertThat(pool.getString("user")).isEqualTo("postgres");
            assertThat(pool.getIsNull("load_balance_hosts")).isTrue();
            assertThat(browser.get("/api/config").body()).doesNotContain(TestCluster.PASSWORD + "\"}");
        }
    }

    /** What the page shows: each table is there, has these columns, and is told live as the console shows it. */
    @Test
    void thePageShowsWhatTheConsoleDoes() throws IOException {
        try (RoutedProxy routed = routed();
                RawClient client = routed.proxied().login()) {
            client.query("SELECT v FROM t WHERE id = 1").readUntilReady();
            Browser browser = new Browser(routed.proxy().httpPort());
            for (String text : List.of("/", "/page.css", "/page.js")) {
                assertThat(browser.get(text)
                                .headers()
                                .firstValue("Content-Security-Policy")
                                .orElse(""))
                        .startsWith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
                        .doesNotContain("unsafe", "*");
            }
            assertThat(browser.get("/").headers().firstValue("Content-Type")).hasValue("text/html; charset=utf-8");
            PageText page = PageText.read(browser.get("/page.js").body());
            Config event = browser.event("/api/live");
            Endpoint console =
                    new Endpoint("127.0.0.1", routed.proxy().port(), "pgproxy", "postgres", TestCluster.PASSWORD);
            page.columns().forEach((name, columns) -> {
                assertThat(browser.status("/api/" + name.replace(' ', '/')))
                        .as(name)
                        .isEqualTo(200);
                assertThat(Message.columns(console.run("SHOW " + name)))
                        .as(name)
                        .containsAll(columns);
                if (!page.asked().contains(name)) {
                    event.getConfigList("tables." + ConfigUtil.quoteString(name))
                            .forEach(row ->
                                    assertThat(row.root().keySet()).as(name).containsAll(columns));
                }
            });
            assertThat(event.getConfigList("tables.totals").stream().map(row -> row.getString("name")))
                    .containsAll(page.totals());
            assertThat(event.getConfigList("tables.hosts").stream().map(row -> row.getString("role")))
                    .containsExactlyInAnyOrder("primary", "replica", "replica");
            assertThat(event.getConfigList("tables.pools").stream().map(row -> row.getString("database")))
                    .contains(routed.database());
        }
    }

    @Test
    void theCacheAndTheDatabasesInAFewWords() {
        try (RoutedProxy routed = routed();
                RawClient client = routed.proxied().login()) {
            Browser browser = new Browser(routed.proxy().httpPort());
            await().until(() -> {
                client.query("SELECT v FROM t WHERE id = 1").readUntilReady();
                return browser.json("/metrics/cache").getLong("all.hits") > 2;
            });
            Config cache = browser.json("/metrics/cache").getConfig("all");
            assertThat(cache.getDouble("hitRate"))
                    .isBetween(0.0, 1.0)
                    .isCloseTo(
                            (double) cache.getLong("hits") / (cache.getLong("hits") + cache.getLong("misses")),
                            org.assertj.core.data.Offset.offset(0.001));
            assertThat(cache.getLong("operations.stores")).isPositive();
            Config database =
                    browser.json("/health/db").getConfigList("all.databases").getFirst();
            assertThat(database.getString("name")).isEqualTo("*");
            assertThat(database.getBoolean("up")).isTrue();
            assertThat(database.getString("primary")).isEqualTo("127.0.0.1:" + routed.primaryPort());
            assertThat(database.getStringList("replicas")).hasSize(2);
            assertThat(browser.json("/health/db/detailed").getConfigList("all.hosts"))
                    .hasSize(3);
            assertThat(browser.get("/health/db/report").body())
                    .contains(
                            ": ready\n",
                            "database *: up, primary 127.0.0.1:" + routed.primaryPort(),
                            "\nhost 127.0.0.1:");
        }
    }

    @Test
    void itIsNotReadyWhileItDrainsButLives() throws IOException {
        TestProxy started =
                TestProxy.start(TestCluster.primary(), HTTP + TestProxy.user("postgres", TestCluster.PASSWORD));
        try (started;
                RawClient busy = started.as("postgres", TestCluster.PASSWORD, TestCluster.freshDatabase())
                        .login()) {
            Browser browser = new Browser(started.proxy().httpPort());
            busy.query("BEGIN; SELECT 1").readUntilReady();
            assertThat(browser.get("/health/ready").body()).isEqualTo("ready\n");
            started.proxy().shutdown(ShutdownMode.WAIT_FOR_CLIENTS);
            HttpResponse<String> ready = browser.get("/health/ready");
            assertThat(ready.statusCode()).isEqualTo(503);
            assertThat(ready.body()).isEqualTo("draining\n");
            assertThat(browser.get("/health/live").body()).isEqualTo("live\n");
            assertThat(browser.metrics().of("pgproxy_ready")).isZero();
            busy.query("COMMIT").readUntilReady();
            started.proxy().stopped().toCompletableFuture().join();
            await().untilAsserted(() ->
                    assertThatThrownBy(() -> browser.connect().close()).isInstanceOf(IOException.class));
        }
    }

    @Test
    void secretsAreAskedForAndNotTold() {
        String settings = HTTP + "http_token = \"" + SECRET + "\"\n";
        try (TestProxy started = TestProxy.start(TestCluster.primary(), settings)) {
            Browser browser = new Browser(started.proxy().httpPort());
            assertThat(browser.status("/metrics")).isEqualTo(401);
            assertThat(browser.status("/api/config", "Authorization", "Bearer " + SECRET + "x"))
                    .isEqualTo(401);
            HttpResponse<String> config = browser.get("/api/config", "Authorization", "Bearer " + SECRET);
            assertThat(config.statusCode()).isEqualTo(200);
            assertThat(config.body()).contains("http_token").doesNotContain(SECRET);
        }
    }

    @Test
    void itSpeaksTls() throws Exception {
        Issued own = TestCertificates.shared().issue("http", "dns:localhost,ip:127.0.0.1");
        String settings = HTTP + "http_tls = on\nclient_tls_sslmode = require\nclient_tls_cert_file = \""
                + own.certificate() + "\"\nclient_tls_key_file = \"" + own.key() + "\"\n";
        try (TestProxy started = TestProxy.start(TestCluster.primary(), settings);
                HttpClient client = HttpClient.newBuilder()
                        .sslContext(TrustingTls.context())
                        .build()) {
            int port = started.proxy().httpPort();
            HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + port + "/health/live"))
                    .build();
            assertThat(client.send(request, HttpResponse.BodyHandlers.ofString())
                            .body())
                    .isEqualTo("live\n");
            assertThat(new Browser(port).raw("GET /health/live HTTP/1.0\r\n\r\n"))
                    .doesNotContain("live");
        }
    }

    @Test
    void theNextProcessTakesItsAddressOver() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        String settings = "http_addr = [127.0.0.1]\nhttp_port = " + port + "\nhandover_socket = handover.sock\n";
        Path file = directory.resolve("pgproxy.conf");
        try (ProxyProcess first = ProxyProcess.run(file, settings)) {
            first.awaitLine("metrics and health at");
            try (ProxyProcess second = ProxyProcess.run(file, settings)) {
                second.awaitLine("metrics and health at");
                assertThat(first.exitCode()).isZero();
                assertThat(new Browser(port).status("/health/ready")).isEqualTo(200);
            }
        }
    }
}
