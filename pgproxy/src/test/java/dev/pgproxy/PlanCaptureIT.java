package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** SHOW PLANS: plans of slow statements, as PostgreSQL tells them to their own users. */
final class PlanCaptureIT {
    /** Everything is slow, and every plan is asked for again at once. */
    private static final String ALL = """
            slow_query_threshold = 1us
            plan_capture = on
            plan_interval = 200ms
            """;

    /** A row by the names of its columns; NULL is empty. */
    private static List<Map<String, String>> rows(Endpoint console, String database, String show) {
        List<Message> answer = console.run(show);
        List<String> columns = Message.columns(answer);
        List<Map<String, String>> rows = new ArrayList<>();
        for (List<@Nullable String> values : Message.rows(answer)) {
            Map<String, String> row = new TreeMap<>();
            for (int i = 0; i < columns.size(); i++) {
                String value = values.get(i);
                row.put(columns.get(i), value == null ? "" : value);
            }
            if (row.getOrDefault("database", database).equals(database)) {
                rows.add(row);
            }
        }
        return rows;
    }

    private static Map<String, String> plan(Endpoint console, String database, String query) {
        return rows(console, database, "SHOW PLANS").stream()
                .filter(row -> row.getOrDefault("query", "").contains(query))
                .findFirst()
                .orElse(Map.of());
    }

    /** Runs a text again and again until its plan, or the reason for none, is there. */
    private static Map<String, String> captured(
            ProxyUnderTest.InThisJvm under, Endpoint as, String sql, String masked) {
        try (RawClient client = as.login()) {
            return captured(under, client, sql, masked);
        }
    }

    private static Map<String, String> captured(
            ProxyUnderTest.InThisJvm under, RawClient client, String sql, String masked) {
        Endpoint console = under.proxied().withDatabase("pgproxy");
        return await().atMost(Duration.ofSeconds(20))
                .until(
                        () -> {
                            client.query(sql).readUntilReady();
                            return plan(console, under.database(), masked);
                        },
                        row -> !row.getOrDefault("captured_at", "").isEmpty());
    }

    @Test
    void aPlanIsAskedForAsTheStatementsOwnUserWithItsRoleAndSearchPath() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with(ALL);
        try (var proxy = under.proxy()) {
            String alice = TestCluster.freshRole("pw");
            String group = TestCluster.freshRole("pw");
            Endpoint direct = under.direct();
            direct.run("GRANT " + group + " TO " + alice);
            direct.run("CREATE SCHEMA s; CREATE TABLE s.hidden (a int); GRANT USAGE ON SCHEMA s TO PUBLIC;"
                    + " GRANT SELECT ON s.hidden TO " + group);
            // evaluated by the planner: the scan is only in the plan if it was the right one who planned
            direct.run("CREATE FUNCTION who() RETURNS text IMMUTABLE LANGUAGE plpgsql AS"
                    + " $$ BEGIN RETURN session_user || '/' || current_user; END $$");
            Endpoint as = new Endpoint(under.host(), under.port(), under.database(), alice, "pw");
            try (RawClient client = as.login()) {
                client.query("SET search_path = s, public").readUntilReady();
                client.query("SET ROLE " + group).readUntilReady();
                Map<String, String> plan = captured(
                        under,
                        client,
                        "SELECT a FROM hidden WHERE who() = '" + alice + "/" + group + "' AND a > 5",
                        "FROM hidden WHERE who()");
                assertThat(plan).containsEntry("reason", "").containsEntry("user", alice);
                assertThat(plan.get("plan")).startsWith("Seq Scan on hidden").contains("Filter: (a > ?)");
                assertThat(plan)
                        .containsEntry("host", under.server().toString())
                        .containsEntry("how", "sampled");
                // and whoever else would have planned it is told apart
                Map<String, String> other = captured(
                        under, client, "SELECT a, a FROM hidden WHERE who() = 'postgres/postgres'", "SELECT a, a FROM");
                assertThat(other.get("plan")).startsWith("Result");
            }
        }
    }

    @Test
    void literalsAreNowhereInWhatIsShown() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with(ALL);
        try (var proxy = under.proxy()) {
            under.direct().run("CREATE TABLE t (a int, b text, c jsonb, d date)");
            String sql = "SELECT * FROM t WHERE b = 's3cret''x' AND a IN (47110815, 47110816) AND b LIKE E'se\\\\%cr3t'"
                    + " AND c @> '{\"hush\": 1}' AND d > '1987-06-05' AND lower(b) = $q$dollars$q$ ORDER BY b || 'tail'";
            Map<String, String> plan = captured(under, under.proxied(), sql, "FROM t WHERE b");
            assertThat(plan.get("plan")).contains("Seq Scan on t", "Filter:", "?");
            for (String show : List.of("SHOW PLANS", "SHOW SLOW", "SHOW SLOW TOTALS")) {
                assertThat(rows(under.proxied().withDatabase("pgproxy"), under.database(), show)
                                .toString())
                        .doesNotContain("s3cret", "4711081", "cr3t", "hush", "1987", "dollars", "tail");
            }
        }
    }

    @Test
    void anotherPlanIsFoundWhenAnIndexIsMade() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with(ALL);
        try (var proxy = under.proxy();
                RawClient client = under.proxied().login()) {
            under.direct().run("CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 20000) g; ANALYZE t");
            String sql = "SELECT a FROM t WHERE a = 77";
            Map<String, String> before = captured(under, client, sql, "WHERE a =");
            assertThat(before).containsEntry("changes", "0").containsEntry("hash_before", "");
            under.direct().run("CREATE INDEX by_a ON t (a)");
            Endpoint console = under.proxied().withDatabase("pgproxy");
            Map<String, String> after = await().atMost(Duration.ofSeconds(20))
                    .until(
                            () -> {
                                client.query(sql).readUntilReady();
                                return plan(console, under.database(), "WHERE a =");
                            },
                            row -> "1".equals(row.get("changes")));
            assertThat(after.get("plan")).contains("using by_a on t");
            assertThat(after.get("plan_before")).contains("Seq Scan on t");
            assertThat(after.get("hash_before")).isEqualTo(before.get("hash")).isNotEqualTo(after.get("hash"));
            assertThat(rows(console, under.database(), "SHOW SLOW TOTALS").getFirst())
                    .containsEntry("plans_changed", "1");
            String subject = under.database() + "/postgres " + after.get("fingerprint");
            Map<String, String> alert = await().until(
                            () -> rows(console, under.database(), "SHOW ALERTS").stream()
                                    .filter(row -> subject.equals(row.get("subject")))
                                    .findFirst()
                                    .orElse(Map.of()),
                            row -> !row.isEmpty());
            assertThat(alert).containsEntry("alert", "plan_changed").containsEntry("severity", "warning");
            assertThat(alert.get("text")).contains(after.get("hash"), before.get("hash"));
        }
    }

    @Test
    void aStatementWithParametersHasThePlanForAnyValues() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with(ALL);
        try (var proxy = under.proxy();
                RawClient client = under.proxied().login()) {
            under.direct().run("CREATE TABLE t (a int PRIMARY KEY, b text)");
            Endpoint console = under.proxied().withDatabase("pgproxy");
            for (String name : List.of("", "named")) {
                String sql = "SELECT b FROM t WHERE a = $1 AND b <> $2 " + (name.isEmpty() ? "" : "LIMIT 3");
                if (!name.isEmpty()) {
                    client.batch(b -> b.parse(name, sql, 23, 0).sync()).readUntilReady();
                }
                Map<String, String> plan = await().atMost(Duration.ofSeconds(20))
                        .until(
                                () -> {
                                    client.batch(b -> (name.isEmpty() ? b.parse(name, sql, 23, 0) : b)
                                                    .bind("", name, "1", "hush")
                                                    .execute("")
                                                    .sync())
                                            .readUntilReady();
                                    return plan(console, under.database(), name.isEmpty() ? "b <> $2" : "LIMIT");
                                },
                                row -> !row.getOrDefault("captured_at", "").isEmpty());
                assertThat(plan).containsEntry("reason", "").containsEntry("how", "generic");
                assertThat(plan.get("plan")).contains("using t_pkey on t", "Index Cond: (a = $1)", "(b <> $2)");
            }
        }
    }

    @Test
    void onlyWhatIsKnownToReadIsExecutedOnceMore() {
        try (RoutedProxy routed = RoutedProxy.start(
                        ALL + "plan_analyze = on\n", List.of(1), "CREATE TABLE t (a int)", "CREATE SEQUENCE s");
                RawClient client = routed.proxied().login()) {
            Endpoint console = routed.proxied().withDatabase("pgproxy");
            Map<String, String> read = await().atMost(Duration.ofSeconds(30))
                    .until(
                            () -> {
                                client.query("SELECT count(*) FROM t").readUntilReady();
                                return plan(console, routed.database(), "SELECT count(*)");
                            },
                            row -> "analyzed".equals(row.get("how")));
            assertThat(read.get("plan")).contains("actual rows", "loops 1");
            // what a function does is not known to be a read: it is run as often as the client asks for it, and no more
            assertThat(runUntilCaptured(routed, client, "SELECT nextval('s')", "SELECT nextval"))
                    .isEqualTo(Integer.parseInt(value(routed, "SELECT last_value FROM s")));
            assertThat(runUntilCaptured(routed, client, "INSERT INTO t VALUES (1)", "INSERT INTO t"))
                    .isEqualTo(Integer.parseInt(value(routed, "SELECT count(*) FROM t")));
        }
    }

    private static String value(RoutedProxy routed, String sql) {
        return String.valueOf(Message.row(routed.direct().run(sql)).getFirst());
    }

    /** Returns how often; it is planned and not executed. */
    private static int runUntilCaptured(RoutedProxy routed, RawClient client, String sql, String masked) {
        Endpoint console = routed.proxied().withDatabase("pgproxy");
        int runs = 0;
        Map<String, String> plan = Map.of();
        while (plan.getOrDefault("captured_at", "").isEmpty()) {
            assertThat(runs).isLessThan(100_000);
            client.query(sql).readUntilReady();
            runs++;
            plan = plan(console, routed.database(), masked);
        }
        assertThat(plan).containsEntry("how", "sampled").containsEntry("reason", "");
        return runs;
    }

    @Test
    void planningIsGivenUpAfterPlanTimeout() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with(ALL + "plan_timeout = 100ms\n");
        try (var proxy = under.proxy()) {
            under.direct().run("CREATE TABLE t (a int)");
            under.direct()
                    .run("CREATE FUNCTION long() RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
                            + " $$ BEGIN PERFORM pg_sleep(0.4); RETURN 1; END $$");
            Map<String, String> none =
                    captured(under, under.proxied(), "SELECT a FROM t WHERE a = long()", "WHERE a = long()");
            assertThat(none).containsEntry("reason", "57014").containsEntry("plan", "");
        }
    }

    @Test
    void whatCannotBePlannedSaysWhy() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with(ALL);
        try (var proxy = under.proxy();
                RawClient client = under.proxied().login()) {
            under.direct().run("CREATE TABLE t (a int)");
            client.query("CREATE TEMP TABLE own (a int)").readUntilReady();
            assertThat(captured(under, client, "SELECT a FROM own", "FROM own")).containsEntry("reason", "42P01");
            assertThat(captured(under, client, "SELECT 1; SELECT 2", "SELECT ?; SELECT ?"))
                    .containsEntry("reason", "several statements in one text");
            assertThat(captured(under, client, "VACUUM t", "VACUUM t"))
                    .containsEntry("reason", "such a statement has no plan");
        }
    }

    @Test
    void aReplicaIsAsked() {
        try (RoutedProxy routed = RoutedProxy.start(ALL, List.of(1), "CREATE TABLE t (a int PRIMARY KEY)");
                RawClient client = routed.proxied().login()) {
            Endpoint console = routed.proxied().withDatabase("pgproxy");
            for (String sql : List.of("SELECT a FROM t WHERE a = 4", "DELETE FROM t WHERE a = 5")) {
                String masked = sql.substring(0, sql.indexOf('=') + 1);
                Map<String, String> plan = await().atMost(Duration.ofSeconds(30))
                        .until(
                                () -> {
                                    client.query(sql).readUntilReady();
                                    return plan(console, routed.database(), masked);
                                },
                                row -> row.getOrDefault("host", "").endsWith(":" + routed.replicaPort(0)));
                assertThat(plan).containsEntry("reason", "");
                assertThat(plan.get("plan")).contains("t_pkey");
            }
        }
    }

    @Test
    void withoutPlanCaptureNothingIsAsked() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("slow_query_threshold = 1us\n");
        try (var proxy = under.proxy();
                RawClient client = under.proxied().login()) {
            for (int i = 0; i < 20; i++) {
                client.query("SELECT " + i).readUntilReady();
            }
            assertThat(rows(under.proxied().withDatabase("pgproxy"), under.database(), "SHOW SLOW"))
                    .isNotEmpty();
            assertThat(rows(under.proxied().withDatabase("pgproxy"), under.database(), "SHOW PLANS"))
                    .isEmpty();
        }
    }

    @Test
    void whatRunsAndWhatWaitsIsShown() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1\ncontrol_user = postgres\n"
                + "control_password = \"" + TestCluster.PASSWORD + "\"\n");
        Endpoint console = under.proxied().withDatabase("pgproxy");
        try (var proxy = under.proxy();
                RawClient first = under.proxied().login();
                RawClient second = under.proxied().login()) {
            try (RawClient holder = under.direct().login()) {
                holder.query("SELECT pg_advisory_lock(815)").readUntilReady();
                first.query("SELECT 'hush', pg_advisory_xact_lock(815)");
                await().until(() ->
                        rows(console, under.database(), "SHOW ACTIVE").size() == 1);
                second.query("SELECT 'hush' AS b");
                await().untilAsserted(() -> {
                    List<Map<String, String>> active = rows(console, under.database(), "SHOW ACTIVE");
                    assertThat(active).hasSize(2);
                    assertThat(active.get(0))
                            .containsEntry("state", "running")
                            .containsEntry("user", "postgres")
                            .containsEntry("host", under.server().toString())
                            .containsEntry("wait_event_type", "Lock")
                            .containsEntry("wait_event", "advisory")
                            .containsEntry("query", "SELECT ?, pg_advisory_xact_lock(?)");
                    assertThat(active.get(1))
                            .containsEntry("state", "waiting")
                            .containsEntry("wait_event", "")
                            .containsEntry("host", "")
                            .containsEntry("query", "SELECT ? AS b");
                    assertThat(Long.parseLong(active.get(0).getOrDefault("duration_us", "")))
                            .isGreaterThan(Long.parseLong(active.get(1).getOrDefault("duration_us", "")));
                });
                holder.query("SELECT pg_advisory_unlock(815)").readUntilReady();
            }
            first.readUntilReady();
            second.readUntilReady();
            assertThat(rows(console, under.database(), "SHOW ACTIVE")).isEmpty();
        }
    }

    @Test
    void whatServersWaitForIsNotSaidToWhoMayNotSeeIt() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("control_user = nobody_there\n");
        Endpoint console = under.proxied().withDatabase("pgproxy");
        try (var proxy = under.proxy();
                RawClient client = under.proxied().login();
                RawClient holder = under.direct().login()) {
            holder.query("SELECT pg_advisory_lock(816)").readUntilReady();
            client.query("SELECT pg_advisory_xact_lock(816)");
            await().untilAsserted(() -> assertThat(rows(console, under.database(), "SHOW ACTIVE"))
                    .singleElement()
                    .satisfies(row -> assertThat(row)
                            .containsEntry("state", "running")
                            .containsEntry("wait_event_type", "")
                            .containsEntry("wait_event", "")));
            holder.query("SELECT pg_advisory_unlock(816)").readUntilReady();
            client.readUntilReady();
        }
    }
}
