package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Browser;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Exposition;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How long statements take, as Prometheus and SHOW LATENCIES have it, against what the test itself has run. */
final class LatencyIT {
    private static final String STATEMENTS = "pgproxy_statement_duration_seconds";
    private static final String MINE = "{database=mine}";

    private final String database = TestCluster.freshDatabase(TestCluster.primary());
    private final String place =
            TestCluster.primary().host() + ":" + TestCluster.primary().port();
    private TestProxy proxy;
    private Browser browser;

    @BeforeEach
    void begin() {
        proxy = TestProxy.start(TestCluster.primary(), settings("mine"));
        browser = new Browser(proxy.proxy().httpPort());
        direct().run("CREATE TABLE t AS SELECT generate_series(1, 5) AS a");
    }

    @AfterEach
    void end() {
        proxy.close();
    }

    /** Every database that is asked for is the same one, and these are named. */
    private String settings(String... named) {
        String one = "{ primary = \"" + place + "\", dbname = " + database + " }\n";
        StringBuilder blocks = new StringBuilder("databases { \"*\" " + one);
        for (String name : named) {
            blocks.append(name).append(' ').append(one);
        }
        return TestProxy.trusting(TestCluster.primary()) + blocks + "}\nhttp_addr = [127.0.0.1]\nhttp_port = 0\n"
                + "cache_mode = on\nchange_feed = off\ncache_ttl = 1h\ncontrol_user = postgres\n";
    }

    private Endpoint direct() {
        return new Endpoint(
                TestCluster.primary().host(), TestCluster.primary().port(), database, "postgres", TestCluster.PASSWORD);
    }

    private Endpoint as(String name) {
        return proxy.as("postgres", TestCluster.PASSWORD, name);
    }

    /** The rows of SHOW LATENCIES by what they are of and their name. */
    private Map<String, List<@Nullable String>> shown() {
        Map<String, List<@Nullable String>> rows = new TreeMap<>();
        Message.rows(as("pgproxy").run("SHOW LATENCIES")).forEach(row -> rows.put(row.get(0) + " " + row.get(1), row));
        return rows;
    }

    private long calls(String of) {
        return number(of, 2);
    }

    private long number(String of, int column) {
        return Long.parseLong(
                String.valueOf(Objects.requireNonNull(shown().get(of)).get(column)));
    }

    /** Until the definitions are known, and so what may be kept. */
    private void awaitCache() {
        try (RawClient client = as("other").login()) {
            await().until(() -> {
                client.query("SELECT max(a) FROM t").readUntilReady();
                return calls("cache *") > 0;
            });
        }
    }

    @Test
    void everyStatementIsInItsBucketAndTheConsoleSaysTheSame() {
        awaitCache();
        try (RawClient client = as("mine").login()) {
            for (int i = 0; i < 40; i++) {
                client.query("SELECT a FROM t WHERE a = " + i % 4).readUntilReady();
            }
            for (int i = 0; i < 3; i++) {
                client.query("SELECT pg_sleep(0.3)").readUntilReady();
            }
            client.batch(c -> {
                        for (int i = 0; i < 5; i++) {
                            c.parse("", "SELECT 1").bind("", "").execute("");
                        }
                        c.sync();
                    })
                    .readUntilReady();
            client.query("SELECT nothing").readUntilReady();
            Exposition found = browser.metrics();
            assertThat(found.types().get(STATEMENTS)).isEqualTo("histogram");
            assertThat(found.of(STATEMENTS + "_count" + MINE)).isEqualTo(49);
            assertThat(found.of(STATEMENTS + "_sum" + MINE)).isBetween(0.9, 60.0);
            assertThat(found.of(STATEMENTS + "_bucket{database=mine,le=0.25}")).isEqualTo(46);
            assertThat(found.of(STATEMENTS + "_bucket{database=mine,le=100.0}")).isEqualTo(49);
            double hits = found.of("pgproxy_cache_hit_duration_seconds_count" + MINE);
            assertThat(hits).isEqualTo(36);
            assertThat(found.of("pgproxy_statement_queue_seconds_count" + MINE)).isEqualTo(49 - hits);
            double elsewhere = found.of("pgproxy_statement_duration_seconds_count{database=*}")
                    - found.of("pgproxy_cache_hit_duration_seconds_count{database=*}");
            assertThat(found.of("pgproxy_host_duration_seconds_count{host=" + place + "}"))
                    .isEqualTo(49 - hits + elsewhere);
            assertThat(calls("statements mine")).isEqualTo(49);
            assertThat(calls("cache mine")).isEqualTo((long) hits);
            assertThat(calls("host " + place)).isEqualTo((long) (49 - hits + elsewhere));
            long p99 = number("statements mine", 6);
            assertThat(p99).isBetween(250_000L, 60_000_000L);
            long counted = Message.rows(as("pgproxy").run("SHOW QUERIES")).stream()
                    .filter(row -> "mine".equals(row.get(1)))
                    .mapToLong(row -> Long.parseLong(String.valueOf(row.get(5))))
                    .sum();
            assertThat(counted).isEqualTo(49);
        }
    }

    /** Simple queries are what all of them count: the histogram, the counter, and the console. */
    @Test
    void whatIsCountedBetweenTwoScrapesIsWhatWasAsked() {
        try (RawClient client = as("mine").login()) {
            client.query("SELECT 0").readUntilReady();
            Exposition before = browser.metrics();
            long shownBefore = queries();
            for (int i = 0; i < 500; i++) {
                client.query("SELECT " + i).readUntilReady();
            }
            Exposition after = browser.metrics();
            assertThat(after.of(STATEMENTS + "_count" + MINE) - before.of(STATEMENTS + "_count" + MINE))
                    .isEqualTo(500);
            assertThat(after.of("pgproxy_queries_total" + MINE) - before.of("pgproxy_queries_total" + MINE))
                    .isEqualTo(500);
            assertThat(queries() - shownBefore).isEqualTo(500);
            as("pgproxy").run("RESET QUERIES");
            assertThat(browser.metrics().of(STATEMENTS + "_count" + MINE)).isEqualTo(501);
        }
    }

    private long queries() {
        return Message.rows(as("pgproxy").run("SHOW STATS_TOTALS")).stream()
                .filter(row -> "mine".equals(row.getFirst()))
                .mapToLong(row -> Long.parseLong(String.valueOf(row.get(3))))
                .sum();
    }

    /** Names of databases are the clients' own words where there is a wildcard, and so are texts and applications. */
    @Test
    void namesThatClientsMakeUpMakeNoSeries() {
        try (RawClient client = as("mine").login()) {
            client.query("SELECT 1").readUntilReady();
        }
        try (RawClient client = as("other").login()) {
            client.query("SELECT 1").readUntilReady();
        }
        var before = new TreeSet<>(latencies());
        assertThat(before).hasSize((4 + 3) * 25);
        for (int i = 0; i < 60; i++) {
            try (RawClient client = as("made up " + i).login()) {
                client.query("SET application_name = 'lie " + i + "'").readUntilReady();
                for (int k = 0; k < 30; k++) {
                    client.query("SELECT 1 AS c" + i + "_" + k).readUntilReady();
                }
            }
        }
        assertThat(latencies()).isEqualTo(before);
        assertThat(browser.metrics().of(STATEMENTS + "_count{database=*}")).isEqualTo(1 + 60 * 31);
    }

    private Set<String> latencies() {
        return browser.metrics().samples().keySet().stream()
                .filter(name ->
                        name.matches("pgproxy_(statement_duration|statement_queue|cache_hit_duration|host_duration).*"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void aDatabaseThatReloadNamesIsCountedByItsNameFromThenOn() {
        try (RawClient client = as("later").login()) {
            client.query("SELECT 1").readUntilReady();
            proxy.reload(settings("mine", "later"));
            client.query("SELECT 1").readUntilReady();
            client.query("SELECT 1").readUntilReady();
        }
        assertThat(calls("statements *")).isEqualTo(1);
        assertThat(calls("statements later")).isEqualTo(2);
    }

    @Test
    void withoutStatisticsThereAreNone() {
        try (TestProxy without = TestProxy.start(TestCluster.primary(), settings("mine") + "query_stats = off\n");
                RawClient client =
                        without.as("postgres", TestCluster.PASSWORD, "mine").login()) {
            client.query("SELECT 1").readUntilReady();
            Browser other = new Browser(without.proxy().httpPort());
            List<String> found = new ArrayList<>(other.metrics().samples().keySet());
            assertThat(found).noneMatch(name -> name.startsWith(STATEMENTS)).contains("pgproxy_ready");
        }
    }
}
