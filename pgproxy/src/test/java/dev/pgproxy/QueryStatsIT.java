package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** SHOW QUERIES and SHOW SLOW against what the test itself has counted of its statements and their answers. */
final class QueryStatsIT {
    private static final long SEED = Long.getLong("stats.seed", System.nanoTime());
    private static final String INSERT = "INSERT INTO t VALUES (?,?)";

    private static final String RULES = """
            statement_rules {
              none { pattern = "^delete from t$", deny = "not all of it" }
              few { pattern = "generate_series.*few", max_rows = 2 }
            }
            """;

    private final ProxyUnderTest.InThisJvm under = ProxyUnderTest.with(RULES);
    private final Endpoint console = under.proxied().withDatabase("pgproxy");
    private RawClient client;

    /** A row of SHOW QUERIES, by the name of the column. */
    private record Row(Map<String, @Nullable String> values) {
        String get(String column) {
            return Objects.requireNonNullElse(values.get(column), "null");
        }

        long number(String column) {
            return Long.parseLong(get(column));
        }

        /** What the test counts, too. */
        String counts() {
            return get("calls") + " " + get("sqlstates") + " " + get("rows");
        }
    }

    @BeforeEach
    void begin() {
        under.direct().run("CREATE TABLE t (a int PRIMARY KEY, b text)");
        client = under.proxied().login();
    }

    @AfterEach
    void end() {
        client.close();
        under.proxy().close();
    }

    private static List<Row> rows(Endpoint console, String database, String show) {
        return Rows.of(console, show).stream()
                .filter(row -> database.equals(row.values().get("database")))
                .map(row -> new Row(row.values()))
                .toList();
    }

    private List<Row> queries() {
        return rows(console, under.database(), "SHOW QUERIES");
    }

    /** Calls, SQLSTATEs and rows of each text that this test's clients have run. */
    private Map<String, String> counted() {
        Map<String, String> counted = new TreeMap<>();
        for (Row row : queries()) {
            assertThat(counted.put(row.get("query"), row.counts())).isNull();
        }
        return counted;
    }

    private List<Message> query(String sql) {
        return client.query(sql).readUntilReady();
    }

    @Test
    void simpleQueriesAreCountedWithTheirRowsAndErrors() {
        query("INSERT INTO t VALUES (1,'x')");
        query("INSERT  INTO t VALUES ( 2,'y') -- another");
        query("INSERT INTO t VALUES (2,'z')");
        query("SELECT * FROM t WHERE a > 0");
        query("SELECT * FROM t WHERE a > 1");
        query("SELECT 1; SELECT 2");
        query("SELECT * FROM nowhere");
        query("SET work_mem = '5MB'");
        query("");
        assertThat(counted())
                .containsEntry(INSERT, "3 23505:1 2")
                .containsEntry("SELECT * FROM t WHERE a > ?", "2 null 3")
                .containsEntry("SELECT ?; SELECT ?", "1 null 2")
                .containsEntry("SELECT * FROM nowhere", "1 42P01:1 0")
                .containsEntry("SET work_mem = ?", "1 null 0");
        Row reads = queries().stream()
                .filter(row -> row.get("query").contains("WHERE"))
                .findFirst()
                .orElseThrow();
        assertThat(reads.get("user")).isEqualTo("postgres");
        assertThat(reads.get("host")).isEqualTo(under.server().toString());
        assertThat(reads.get("cached")).isEqualTo("0");
        assertThat(reads.number("total_us")).isCloseTo(reads.number("queue_us") + reads.number("server_us"), within());
        assertThat(reads.number("max_us")).isGreaterThanOrEqualTo(reads.number("p50_us"));
        assertThat(reads.number("bytes")).isGreaterThan(100);
        await().untilAsserted(() -> assertThat(queries().stream()
                        .filter(row -> row.get("query").contains("WHERE"))
                        .map(row -> row.get("tables")))
                .containsExactly("t"));
    }

    private static org.assertj.core.data.Offset<Long> within() {
        return org.assertj.core.data.Offset.offset(2L);
    }

    @Test
    void eachExecuteOfAPipelineIsCountedByItself() {
        client.batch(c -> {
                    c.parse("w", "INSERT INTO t VALUES ($1, $2)");
                    for (int i = 0; i < 3; i++) {
                        c.bind("", "w", "" + i, "x").execute("");
                    }
                    c.parse("", "SELECT b FROM t").bind("", "").execute("").sync();
                })
                .readUntilReady();
        assertThat(counted()).containsEntry("INSERT INTO t VALUES ($1, $2)", "3 null 3");
        assertThat(counted()).containsEntry("SELECT b FROM t", "1 null 3");
        // the second fails, the third is not run
        client.batch(c -> c.bind("", "w", "7", "x")
                        .execute("")
                        .bind("", "w", "7", "x")
                        .execute("")
                        .bind("", "w", "8", "x")
                        .execute("")
                        .sync())
                .readUntilReady();
        assertThat(counted()).containsEntry("INSERT INTO t VALUES ($1, $2)", "5 23505:1 4");
        // the first error comes before there is anything to execute
        client.batch(c -> c.parse("", "SELECT nothing FROM t").sync()).readUntilReady();
        client.batch(c -> c.bind("", "w", "text", "x").execute("").sync()).readUntilReady();
        assertThat(counted())
                .containsEntry("SELECT nothing FROM t", "1 42703:1 0")
                .containsEntry("INSERT INTO t VALUES ($1, $2)", "6 23505:1 22P02:1 4");
        query("SELECT 'in step'");
        assertThat(counted()).containsEntry("SELECT ?", "1 null 1");
    }

    @Test
    void severalExchangesOnTheWayAreToldApart() {
        client.batch(c -> {
            for (int i = 0; i < 50; i++) {
                c.query("SELECT generate_series(1, 3)");
                c.parse("", "SELECT $1::int").bind("", "", "1").execute("").sync();
                c.query("SELECT 1/0");
            }
        });
        client.readUntilReady(150);
        assertThat(counted())
                .containsEntry("SELECT generate_series(?, ?)", "50 null 150")
                .containsEntry("SELECT $1::int", "50 null 50")
                .containsEntry("SELECT ?/?", "50 22012:50 0");
    }

    @Test
    void rowsThatAreFetchedInPartsAreCounted() {
        client.batch(c -> c.parse("", "SELECT generate_series(1, 5)")
                        .bind("p", "")
                        .execute("p", 2)
                        .execute("p", 2)
                        .execute("p", 2)
                        .sync())
                .readUntilReady();
        assertThat(counted()).containsEntry("SELECT generate_series(?, ?)", "3 null 5");
    }

    @Test
    void copiedRowsAreCounted() {
        client.query("COPY t FROM STDIN").readUntil('G');
        client.batch(c -> c.copyData("1\ta\n2\tb\n3\tc\n").copyDone()).readUntilReady();
        query("COPY t TO STDOUT");
        client.query("COPY t FROM STDIN").readUntil('G');
        client.copyFail("no").readUntilReady();
        // as tokio-postgres: the first Sync is ignored
        client.batch(c -> c.parse("", "COPY t (a) FROM STDIN")
                        .bind("", "")
                        .execute("")
                        .sync())
                .readUntil('G');
        client.batch(c -> c.copyData("4\n5\n").copyDone().sync()).readUntilReady();
        query("SELECT 'in step'");
        assertThat(counted())
                .containsEntry("COPY t FROM STDIN", "2 57014:1 3")
                .containsEntry("COPY t TO STDOUT", "1 null 3")
                .containsEntry("COPY t (a) FROM STDIN", "1 null 2")
                .containsEntry("SELECT ?", "1 null 1");
    }

    /** The same figures as the test's own, however statements are sent and whatever they do. */
    @Test
    void randomStatementsAreCountedExactly() {
        System.out.println("-Dstats.seed=" + SEED);
        Random random = new Random(SEED);
        Map<String, long[]> model = new TreeMap<>();
        List<String> texts = List.of(
                "SELECT generate_series(1, 7)",
                "SELECT a FROM t",
                "INSERT INTO t SELECT max(a) + 1 FROM (SELECT a FROM t UNION SELECT 0) AS u",
                "UPDATE t SET b = 'x'",
                "SELECT 1/0",
                "SELECT nothing",
                "DELETE FROM t WHERE a % 3 = 0");
        for (int round = 0; round < 100; round++) {
            boolean simple = random.nextBoolean();
            List<String> sent = new ArrayList<>();
            for (int i = simple ? 1 : 1 + random.nextInt(4); i > 0; i--) {
                sent.add(texts.get(random.nextInt(texts.size())));
            }
            List<Message> answer = simple
                    ? query(sent.getFirst())
                    : client.batch(c -> {
                                sent.forEach(
                                        text -> c.parse("", text).bind("", "").execute(""));
                                c.sync();
                            })
                            .readUntilReady();
            model(sent, answer, model);
        }
        Map<String, String> expected = new TreeMap<>();
        model.forEach((text, figures) ->
                expected.put(text.replaceAll("'x'|\\d+", "?"), figures[0] + " " + figures[1] + " " + figures[2]));
        Map<String, String> shown = new TreeMap<>();
        queries()
                .forEach(row -> shown.put(
                        row.get("query"), row.get("calls") + " " + row.get("errors") + " " + row.get("rows")));
        assertThat(shown).as("-Dstats.seed=%s", SEED).isEqualTo(expected);
    }

    /** Adds what an answer says of the statements that were sent: one after another up to the first error. */
    private static void model(List<String> sent, List<Message> answer, Map<String, long[]> model) {
        int at = 0;
        for (Message message : answer) {
            if (message.type() == 'C') {
                String tag = new String(message.body(), java.nio.charset.StandardCharsets.UTF_8).trim();
                long[] figures = model.computeIfAbsent(sent.get(at++), text -> new long[3]);
                figures[0]++;
                figures[2] += Long.parseLong(tag.substring(tag.lastIndexOf(' ') + 1));
            } else if (message.type() == 'E') {
                long[] figures = model.computeIfAbsent(sent.get(at), text -> new long[3]);
                figures[0]++;
                figures[1]++;
            }
        }
    }

    @Test
    void slowStatementsAreRememberedWithoutTheirValues() {
        query("SET application_name = 'a\u001b[2J'");
        query("SELECT pg_sleep(0.15), 'secret'");
        client.batch(c -> c.parse("", "SELECT (pg_sleep(0.15)::text || $1)::int")
                        .bind("", "", "secret")
                        .execute("")
                        .sync())
                .readUntilReady();
        List<Message> answer = console.run("SHOW SLOW");
        assertThat(answer.toString()).doesNotContain("secret").doesNotContain("\u001b");
        List<Row> rows = rows(console, under.database(), "SHOW SLOW");
        assertThat(rows.stream().map(row -> row.get("query")))
                .containsExactly("SELECT (pg_sleep(?)::text || $1)::int", "SELECT pg_sleep(?), ?");
        assertThat(rows.stream().map(row -> row.get("sqlstate"))).containsExactly("22P02", "null");
        assertThat(rows.getLast().number("duration_us")).isBetween(150_000L, 60_000_000L);
        assertThat(rows.getLast().number("rows")).isEqualTo(1);
        assertThat(rows.getLast().get("addr")).isEqualTo("127.0.0.1");
        assertThat(console.run("SHOW QUERIES").toString())
                .doesNotContain("secret")
                .doesNotContain("\u001b");
    }

    @Test
    void rowsAreOrderedLimitedAndForgotten() {
        query("SELECT 1");
        query("SELECT generate_series(1, 10)");
        for (int i = 0; i < 3; i++) {
            query("SELECT 1 AS a");
        }
        assertThat(rows(console, under.database(), "SHOW QUERIES ORDER BY calls LIMIT 1"))
                .extracting(row -> row.get("query"))
                .containsExactly("SELECT ? AS a");
        assertThat(rows(console, under.database(), "SHOW QUERIES ORDER BY rows"))
                .extracting(row -> row.get("rows"))
                .containsExactly("10", "3", "1");
        assertThat(rows(console, under.database(), "show queries order by rows asc limit 2"))
                .extracting(row -> row.get("rows"))
                .containsExactly("1", "3");
        assertThat(errorOf("SHOW QUERIES ORDER BY secrets")).isEqualTo("42601");
        assertThat(errorOf("SHOW QUERIES LIMIT many")).isEqualTo("08P01");
        console.run("RESET QUERIES");
        assertThat(queries()).isEmpty();
        query("SELECT 1");
        assertThat(counted()).isEqualTo(Map.of("SELECT ?", "1 null 1"));
    }

    private String errorOf(String command) {
        try (RawClient admin = console.login()) {
            return admin.query(command).readUntilReady().getFirst().field('C');
        }
    }

    @Test
    void withoutStatisticsTheConsoleSaysSo() {
        try (ProxyWithout without = new ProxyWithout(ProxyUnderTest.with("query_stats = off"));
                RawClient admin =
                        without.under.proxied().withDatabase("pgproxy").login()) {
            for (String command : List.of("SHOW QUERIES", "SHOW SLOW", "RESET QUERIES")) {
                assertThat(admin.query(command).readUntilReady().getFirst().field('C'))
                        .isEqualTo("55000");
            }
        }
    }

    /** Closes it. */
    private record ProxyWithout(ProxyUnderTest.InThisJvm under) implements AutoCloseable {
        @Override
        public void close() {
            under.proxy().close();
        }
    }

    @Test
    void textsWithoutEndAreCountedAndCut() {
        query("SELECT '" + "x".repeat(2 << 20) + "'");
        query("SELECT " + "1 + ".repeat(100_000) + "1");
        query("SELECT 1 AS \"a\u001b[2Jb\"");
        List<Row> rows = queries();
        assertThat(rows).extracting(row -> row.get("query")).contains("SELECT ?");
        assertThat(rows).allMatch(row -> row.get("query").length() < 1100);
        assertThat(rows).extracting(row -> row.get("query")).contains("SELECT ? AS \"a\\u001b[2Jb\"");
    }

    @Test
    void answersOfTheCacheAreCountedApart() {
        try (CachingProxy proxy = CachingProxy.start("", "CREATE TABLE c AS SELECT generate_series(1, 4) AS a");
                RawClient reader = proxy.login()) {
            proxy.know(reader, "SELECT a FROM c");
            Endpoint admin = proxy.routed().proxied().withDatabase("pgproxy");
            admin.run("RESET QUERIES");
            assertThat(proxy.isHit(reader, "SELECT a FROM c")).isFalse();
            for (int i = 0; i < 3; i++) {
                assertThat(proxy.isHit(reader, "SELECT a FROM c")).isTrue();
            }
            List<Row> rows = rows(admin, proxy.routed().database(), "SHOW QUERIES ORDER BY calls");
            assertThat(rows).extracting(Row::counts).containsExactly("3 null 12", "1 null 4");
            assertThat(rows).extracting(row -> row.get("cached")).containsExactly("3", "0");
            assertThat(rows).extracting(row -> row.get("hit_ratio")).containsOnly("75.00 %");
            assertThat(rows.getFirst().get("host")).isEqualTo("null");
            Row hits = rows.getFirst();
            assertThat(hits.number("max_us")).isBetween(1L, hits.number("total_us"));
            assertThat(hits.number("p50_us")).isLessThanOrEqualTo(hits.number("max_us"));
            assertThat(hits.get("queue_us")).isEqualTo("0");
            assertThat(hits.number("server_us")).isEqualTo(hits.number("total_us"));
        }
    }

    private List<String> counts(String text) {
        return queries().stream()
                .filter(row -> row.get("query").equals(text))
                .map(Row::counts)
                .toList();
    }

    /** One row for what no server has seen, another for what a statement that fails has stood for at the server. */
    @Test
    void whatARuleRefusesIsCountedAlsoInAPipeline() {
        String refused = "DELETE FROM t";
        query(refused);
        assertThat(counts(refused)).containsExactly("1 42501:1 0");
        query("BEGIN; SELECT 1");
        query(refused);
        query("ROLLBACK");
        assertThat(counts(refused)).containsExactly("1 42501:1 0", "1 42501:1 0");
        List<Message> answer = client.batch(c -> c.parse("", "SELECT 7 AS before")
                        .bind("", "")
                        .execute("")
                        .parse("", refused)
                        .bind("", "")
                        .execute("")
                        .parse("", "SELECT 8 AS behind")
                        .bind("", "")
                        .execute("")
                        .sync())
                .readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12DCEZ");
        assertThat(counts(refused)).containsExactlyInAnyOrder("1 42501:1 0", "2 42501:2 0");
        assertThat(counts("SELECT ? AS before")).containsExactly("1 null 1");
        assertThat(counts("SELECT ? AS behind")).isEmpty();
        query("SELECT 'in step'");
        assertThat(counts("SELECT ?")).containsExactly("1 null 1");
    }

    /** The server's own error about the cancel is of the same failure. */
    @Test
    void aResultThatIsCutIsCountedOnce() {
        String few = "SELECT generate_series(1, 1000000) AS few";
        query(few);
        client.batch(c -> c.parse("", few).bind("", "").execute("").sync()).readUntilReady();
        assertThat(queries().stream()
                        .filter(row -> row.get("query").contains("few"))
                        .map(row -> row.get("calls") + " " + row.get("sqlstates")))
                .containsExactly("2 53400:2");
    }

    @Test
    void whatIsRunAgainIsOneCallAndItsRetriesAreTold() {
        under.direct()
                .run("CREATE SEQUENCE tries; CREATE FUNCTION loses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                        + " IF nextval('tries') % 3 <> 0 THEN RAISE 'lost' USING ERRCODE = '40001'; END IF;"
                        + " RETURN new; END $$;"
                        + " CREATE TRIGGER loses BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION loses()");
        assertThat(Message.types(query("INSERT INTO t VALUES (1,'x')"))).isEqualTo("CZ");
        query("SELECT 1");
        assertThat(queries().stream()
                        .filter(row -> row.get("query").startsWith("INSERT"))
                        .map(row -> row.counts() + " " + row.get("retries")))
                .containsExactly("1 null 1 2");
        assertThat(queries().stream()
                        .filter(row -> row.get("query").equals("SELECT ?"))
                        .map(row -> row.counts() + " " + row.get("retries")))
                .containsExactly("1 null 1 0");
    }

    @Test
    void whoseServerIsLostIsCountedWithWhatTheClientIsTold() {
        for (boolean simple : List.of(true, false)) {
            try (RawClient doomed = under.proxied().login()) {
                String text = "SELECT pg_sleep(100) AS doomed";
                if (simple) {
                    doomed.query(text);
                } else {
                    doomed.batch(c -> c.parse("", text).bind("", "").execute("").sync());
                }
                await().until(() -> Message.row(
                                under.direct()
                                        .run(
                                                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                                                        + " WHERE state = 'active' AND query LIKE '%doomed' AND pid <> pg_backend_pid()"))
                        .getFirst()
                        .equals("1"));
                List<Message> answer = doomed.readUntil(Message::isClosed);
                assertThat(answer).anyMatch(m -> m.type() == 'E' && m.field('C').equals("57P01"));
            }
        }
        assertThat(counted()).containsEntry("SELECT pg_sleep(?) AS doomed", "2 57P01:2 0");
    }

    @Test
    void eachHostHasARowOfItsOwn() {
        try (RoutedProxy proxy = RoutedProxy.start("", List.of(1, 1));
                RawClient reader = proxy.proxied().login()) {
            proxy.awaitReplicas();
            Endpoint admin = proxy.proxied().withDatabase("pgproxy");
            admin.run("RESET QUERIES");
            Map<Integer, Integer> answered = RoutedProxy.whoAnswers(reader, 100);
            Map<Integer, Integer> shown = new TreeMap<>();
            for (Row row : rows(admin, proxy.database(), "SHOW QUERIES")) {
                if (row.get("query").equals(RoutedProxy.HERE)) {
                    String host = row.get("host");
                    shown.put(Integer.valueOf(host.substring(host.lastIndexOf(':') + 1)), (int) row.number("calls"));
                }
            }
            assertThat(shown).isEqualTo(answered).hasSize(2);
        }
    }
}
