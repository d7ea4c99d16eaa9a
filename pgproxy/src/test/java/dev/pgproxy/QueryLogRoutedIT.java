package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCluster;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The query log beside the cache, the change feed and replicas, and at the end of a process. */
final class QueryLogRoutedIT {
    private static final String READ = "SELECT sum(a) FROM c";

    @TempDir
    private Path directory;

    private static String value(Endpoint direct, String sql) {
        return String.valueOf(Message.row(direct.run(sql)).getFirst());
    }

    private static String logged(CachingProxy proxy) {
        return value(proxy.routed().direct(), "SELECT count(*) FROM pgproxy.query_log");
    }

    /** Its rows come to the primary as everybody's do, and only what was read from the table itself is out of date. */
    @Test
    void whatIsWrittenToTheTableDisturbsNeitherHitsNorTheFeed() {
        try (CachingProxy proxy = CachingProxy.start(
                        "query_log = table\nchange_feed = logical\n",
                        "CREATE TABLE c AS SELECT generate_series(1, 4) AS a");
                RawClient reader = proxy.login()) {
            await().until(() -> Objects.requireNonNull(
                                    Objects.requireNonNull(proxy.state().feed()).decoding())
                            .state()
                    == FeedStatus.State.STREAMING);
            proxy.know(reader, READ);
            String table = "SELECT count(*) > 0 FROM pg_class WHERE relname = 'query_log'";
            await().until(() -> value(proxy.routed().direct(), table).equals("t"));
            await().during(java.time.Duration.ofMillis(500))
                    .until(() -> proxy.isHit(reader, READ)); // definitions are known
            long before = Long.parseLong(logged(proxy));
            long hits = proxy.count(CacheReason.HIT);
            for (int i = 1; i <= 40; i++) {
                assertThat(proxy.isHit(reader, READ)).isTrue();
                reader.query("SELECT " + i + " AS other").readUntilReady();
                if (i % 10 == 0) { // in batches, as they are written
                    long known = before + 2L * i;
                    await().until(() -> Long.parseLong(logged(proxy)) >= known);
                }
            }
            assertThat(proxy.count(CacheReason.HIT)).isEqualTo(hits + 40);
            Map<String, String> routes = new TreeMap<>();
            Message.rows(proxy.routed()
                            .direct()
                            .run("SELECT query || ' ' || route, string_agg(DISTINCT coalesce(cache, '') || ' '"
                                    + " || coalesce(host, ''), ',') FROM pgproxy.query_log WHERE query LIKE '%other'"
                                    + " OR query = '" + READ + "' GROUP BY 1"))
                    .forEach(row -> routes.put(String.valueOf(row.get(0)), String.valueOf(row.get(1))));
            assertThat(routes.get(READ + " cache")).isEqualTo("hit ");
            assertThat(routes.get(READ + " primary")).contains("miss 127.0.0.1:");
            assertThat(routes.get("SELECT ? AS other primary")).startsWith("no_table 127.0.0.1:");
            // a client that reads the log sees what is in it
            await().untilAsserted(() -> assertThat(CachingProxy.value(
                            reader, "SELECT count(*) FROM pgproxy.query_log" + " WHERE query LIKE '%other'"))
                    .isEqualTo("40"));
        }
    }

    @Test
    void readsOfReplicasAreTold() {
        try (RoutedProxy proxy = RoutedProxy.start("query_log = table\n", List.of(1, 1));
                RawClient reader = proxy.proxied().login()) {
            proxy.awaitReplicas();
            String replicas = "SELECT count(DISTINCT host) FROM pgproxy.query_log WHERE route = 'replica'";
            await().until(() -> value(proxy.direct(), "SELECT to_regclass('pgproxy.query_log') IS NOT NULL")
                    .equals("t"));
            await().until(() -> {
                RoutedProxy.whoAnswers(reader, 20);
                return value(proxy.direct(), replicas).equals("2");
            });
            assertThat(value(
                            proxy.direct(),
                            "SELECT count(*) FROM pgproxy.query_log WHERE route = 'replica' AND host LIKE '%:"
                                    + proxy.primaryPort() + "'"))
                    .isEqualTo("0");
        }
    }

    /** The last statement before the end, too. */
    @Test
    void aDrainWritesWhatIsLeft() {
        String database = TestCluster.freshDatabase();
        String settings = ProxyProcess.settings(
                "query_log = table\ncontrol_user = postgres\ncontrol_password = " + TestCluster.PASSWORD + "\n");
        try (ProxyProcess process = ProxyProcess.run(directory.resolve("log.conf"), settings)) {
            try (RawClient client = process.endpoint(database).login()) {
                client.query("SELECT 1 AS early").readUntilReady();
                process.signal("TERM");
                client.readUntil(Message::isClosed);
            }
            assertThat(process.exitCode()).isZero();
        }
        Endpoint direct = new Endpoint(
                TestCluster.primary().host(), TestCluster.primary().port(), database, "postgres", TestCluster.PASSWORD);
        assertThat(value(direct, "SELECT string_agg(query, ',') FROM pgproxy.query_log"))
                .isEqualTo("SELECT ? AS early");
    }
}
