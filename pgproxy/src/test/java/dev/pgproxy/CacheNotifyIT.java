package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.health.catalog.InvalidationTriggers;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Signals;
import dev.pgproxy.testing.TestCluster;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.slf4j.LoggerFactory;

/** Writes that do not pass through the proxy reach its cache by triggers and by hand, without a replication slot. */
class CacheNotifyIT {
    private static final String[] SCHEMA = {
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "INSERT INTO t VALUES (1, 0)",
        "CREATE TABLE \"Odd.na\"\"me\" (v int)",
        "INSERT INTO \"Odd.na\"\"me\" VALUES (0)",
        "CREATE TABLE parted (id int, v int) PARTITION BY RANGE (id)",
        "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (100)",
        "INSERT INTO parted VALUES (1, 0)",
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (parent int REFERENCES parent ON DELETE CASCADE)",
        "INSERT INTO parent VALUES (1), (2)",
        "INSERT INTO child VALUES (1), (2)",
        "CREATE UNLOGGED TABLE fast (v int)",
        "INSERT INTO fast VALUES (0)",
        "CREATE MATERIALIZED VIEW kept AS SELECT v FROM t",
        "CREATE VIEW shown AS SELECT v FROM t"
    };

    private static final String LISTENER = " FROM pg_stat_activity WHERE datname = current_database()"
            + " AND query LIKE '%pg_notification_queue_usage%' AND pid <> pg_backend_pid()";

    private static final String TERMINATE = "SELECT pg_terminate_backend(pid)" + LISTENER;

    private CachingProxy caching = proxy("notify");

    @AfterEach
    void stop() {
        caching.close();
    }

    private static CachingProxy proxy(String level) {
        return CachingProxy.start("change_feed = " + level + "\ncatalog_poll = 200ms\n", SCHEMA);
    }

    /** A client of a database with triggers on all tables. */
    private RawClient triggered() {
        install(true);
        return login();
    }

    private void install(boolean preparedFailing) {
        try (Connection connection = direct()) {
            for (String sql : InvalidationTriggers.shared(preparedFailing)) {
                run(connection, sql);
            }
            for (InvalidationTriggers.Table table : InvalidationTriggers.tables(connection)) {
                if (table.impossible() == null) {
                    for (String sql : InvalidationTriggers.install(table)) {
                        run(connection, sql);
                    }
                }
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private RawClient login() {
        RawClient client = caching.login();
        await().until(() -> listening().state() == FeedStatus.State.LISTENING);
        return client;
    }

    private FeedStatus listening() {
        return Objects.requireNonNull(caching.state().feed()).listening();
    }

    private Connection direct() throws SQLException {
        return caching.routed().cluster().primary().connect(caching.routed().database());
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private void directly(String sql) {
        caching.routed().direct().run(sql);
    }

    private void assertSeen(RawClient client, String read, String write) {
        await().until(() -> caching.isHit(client, read));
        String before = value(client, read);
        directly(write);
        await().untilAsserted(() -> assertThat(value(client, read)).as(write).isNotEqualTo(before));
    }

    /** The level of each table. */
    private Map<String, String> levels() {
        return coverage().stream()
                .collect(Collectors.toMap(row -> String.valueOf(row.get(1)), row -> String.valueOf(row.get(2))));
    }

    private List<List<String>> coverage() {
        return caching.routed().shown("SHOW CACHE COVERAGE");
    }

    private void awaitLevel(String table, String level) {
        await().untilAsserted(() -> assertThat(levels()).containsEntry(table, level));
    }

    @Test
    void aWriteStraightToThePrimaryIsSeen() throws Exception {
        Map<String, String> writes = new LinkedHashMap<>();
        writes.put("UPDATE t SET v = v + 1", "SELECT sum(v) FROM t");
        writes.put("INSERT INTO t SELECT max(id) + 1, 7 FROM t", "SELECT sum(v) FROM shown");
        writes.put("UPDATE shown SET v = v + 1", "SELECT sum(v + 1) FROM t");
        writes.put("DELETE FROM t WHERE id > 1", "SELECT count(*) FROM t");
        writes.put("UPDATE \"Odd.na\"\"me\" SET v = v + 1", "SELECT v FROM \"Odd.na\"\"me\"");
        writes.put("UPDATE parted SET v = v + 1", "SELECT sum(v) FROM parted_low");
        writes.put("UPDATE parted_low SET v = v + 1", "SELECT sum(v) FROM parted");
        writes.put("DELETE FROM parent WHERE id = 1", "SELECT count(*) FROM child");
        writes.put("SET session_replication_role = replica; UPDATE t SET v = v + 1", "SELECT sum(v + 2) FROM t");
        writes.put("UPDATE fast SET v = v + 1", "SELECT v FROM fast");
        writes.put("TRUNCATE parent CASCADE", "SELECT count(parent) FROM child");
        try (RawClient c = triggered()) {
            awaitLevel("public.t", "notify");
            writes.forEach((write, read) -> assertSeen(c, read, write));

            String read = "SELECT count(id) FROM t";
            await().until(() -> caching.isHit(c, read));
            String before = value(c, read);
            try (Connection connection = direct()) {
                connection
                        .unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyIn("COPY t FROM STDIN", new StringReader("9\t9\n"));
            }
            await().untilAsserted(() -> assertThat(value(c, read)).isNotEqualTo(before));
        }
    }

    @Test
    void whatIsRolledBackForgetsNothingAndOtherTablesAreKept() throws Exception {
        try (RawClient c = triggered()) {
            awaitLevel("public.t", "notify"); // what the triggers change of the definitions is known
            String read = "SELECT v FROM t";
            await().until(() -> caching.isHit(c, read));
            long before = listening().transactions();
            directly("BEGIN; UPDATE t SET v = v + 1; ROLLBACK");
            directly("UPDATE fast SET v = v + 1");
            await().until(() -> listening().transactions() > before);
            assertThat(caching.isHit(c, read)).isTrue();

            c.query("UPDATE fast SET v = v + 1")
                    .readUntilReady(); // through the proxy, where a trigger is no puzzle either
            await().until(() -> listening().transactions() > before + 1);
            assertThat(caching.isHit(c, read)).isTrue();
        }
    }

    @Test
    void whoeverSaysSoByHandIsBelieved() {
        try (RawClient c = login()) {
            awaitLevel("public.t", "ttl");
            String other = "SELECT v FROM fast";
            for (String payload :
                    List.of("table:public.t", "table:t", "table:PUBLIC.\"t\"", "table: public.t", "all")) {
                await().until(() -> caching.isHit(c, other));
                assertSeen(
                        c, "SELECT v FROM t", "UPDATE t SET v = v + 1; NOTIFY pgproxy_invalidate, '" + payload + "'");
                assertThat(caching.isHit(c, other)).as(payload).isEqualTo(!payload.equals("all"));
            }
            for (String spelled : List.of("public.Odd.na\"me", "\"Odd.na\"\"me\"", "public.\"Odd.na\"\"me\"")) {
                await().until(() -> caching.isHit(c, other));
                assertSeen(
                        c,
                        "SELECT v FROM \"Odd.na\"\"me\"",
                        "UPDATE \"Odd.na\"\"me\" SET v = v + 1; NOTIFY pgproxy_invalidate, 'table:" + spelled + "'");
                assertThat(caching.isHit(c, other)).as(spelled).isTrue();
            }
            assertSeen(
                    c,
                    "SELECT count(*) FROM child",
                    "DELETE FROM parent WHERE id = 1; NOTIFY pgproxy_invalidate, 'table:parent'");
            assertSeen(
                    c,
                    "SELECT v FROM kept",
                    "UPDATE t SET v = v + 1; REFRESH MATERIALIZED VIEW kept; NOTIFY pgproxy_invalidate, 'table:kept'");
        }
    }

    @Test
    void whatCannotBeReadCountsAsEverything() {
        try (RawClient c = login()) {
            for (String payload : List.of(
                    "",
                    "orders",
                    "table:",
                    "table:nowhere",
                    "table:a.b.c",
                    "oid:",
                    "oid:x",
                    "oid:4294967295",
                    "oid:-1",
                    "table:\"",
                    "ALL",
                    "x".repeat(7999))) {
                assertSeen(
                        c, "SELECT v FROM t", "UPDATE t SET v = v + 1; NOTIFY pgproxy_invalidate, '" + payload + "'");
            }
            assertThat(listening().state()).isEqualTo(FeedStatus.State.LISTENING);
            assertThat(listening().losses()).isZero();
        }
    }

    @Test
    void byHandWorksBesideTheLogicalFeedAndTriggersCoverWhatThatDoesNot() {
        caching.close();
        caching = proxy("logical");
        try (RawClient c = triggered()) {
            awaitLevel("public.t", "logical");
            awaitLevel("public.fast", "notify");
            awaitLevel("public.kept", "ttl");
            assertSeen(c, "SELECT v FROM fast", "UPDATE fast SET v = v + 1");
            assertSeen(c, "SELECT v FROM t", "UPDATE t SET v = v + 1");
            assertThat(explained(c, "SELECT v FROM t")).contains("logical");
            assertThat(explained(c, "SELECT fast.v FROM t, fast")).contains("notify", "3600 s");
            assertThat(explained(c, "SELECT kept.v FROM t, kept")).contains("ttl", "60 s");
            assertThat(caching.routed().shown("SHOW CACHE FEED"))
                    .extracting(row -> row.get(1) + " " + row.get(2))
                    .containsExactly("logical streaming", "notify listening");
        }
    }

    private static List<String> explained(RawClient client, String sql) {
        return Message.rows(client.query("EXPLAIN (ROUTE) " + sql).readUntilReady()).stream()
                .map(row -> String.valueOf(row.get(1)))
                .toList();
    }

    @Test
    void coverageEndsWhereTriggersDo() {
        try (RawClient c = triggered()) {
            awaitLevel("public.t", "notify");
            awaitLevel("public.parted", "notify");
            awaitLevel("public.parted_low", "notify");
            assertThat(levels()).containsEntry("public.kept", "ttl");
            assertThat(explained(c, "SELECT v FROM t")).contains("notify", "3600 s");

            directly("ALTER TABLE t DISABLE TRIGGER pgproxy_invalidate");
            awaitLevel("public.t", "ttl");
            directly("ALTER TABLE t ENABLE TRIGGER pgproxy_invalidate"); // not ALWAYS
            directly("CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (100) TO (200)");
            awaitLevel("public.parted_high", "ttl");
            assertThat(levels())
                    .containsEntry("public.t", "ttl")
                    .containsEntry("public.parted", "ttl") // what is read of it has a part that is not told
                    .containsEntry("public.parted_low", "notify");
            assertThat(explained(c, "SELECT v FROM parted")).contains("ttl");
            assertThat(coverage())
                    .anyMatch(row -> "public.parted_high".equals(row.get(1))
                            && String.valueOf(row.get(4)).contains("public.parted_high has no triggers in force"));

            directly("DROP TRIGGER pgproxy_invalidate ON parted");
            awaitLevel("public.parted_low", "ttl");

            directly("CREATE OR REPLACE FUNCTION pgproxy.invalidate() RETURNS trigger LANGUAGE plpgsql AS"
                    + " 'BEGIN RETURN NULL; END'");
            awaitLevel("public.fast", "ttl");
        }
    }

    @Test
    void aListenerThatIsLostFlushesAndComesBack() {
        try (RawClient c = triggered()) {
            awaitLevel("public.t", "notify");
            String read = "SELECT v FROM t";
            await().until(() -> caching.isHit(c, read));
            long stale = caching.count(CacheReason.MISS);
            assertThat(caching.isHit(c, read)).isTrue();
            terminateListener();
            await().until(() -> listening().losses() == 1);
            c.query(read).readUntilReady();
            assertThat(caching.count(CacheReason.MISS)).as("flushed").isGreaterThan(stale);
            await().until(() -> listening().state() == FeedStatus.State.LISTENING);
            assertSeen(c, read, "UPDATE t SET v = v + 1");
        }
    }

    @Test
    void whatIsWrittenWhileNobodyListensIsSeenAfterwards() {
        try (RawClient c = triggered();
                RawClient direct = caching.routed().direct().login()) {
            awaitLevel("public.t", "notify");
            String read = "SELECT v FROM t";
            String database = caching.routed().database();
            TestCluster.execute(primary(), "ALTER DATABASE " + database + " ALLOW_CONNECTIONS false");
            try {
                direct.query(TERMINATE).readUntilReady();
                await().until(() -> listening().losses() == 1);
                awaitLevel("public.t", "ttl");
                assertThat(explained(c, read)).contains("ttl", "60 s");
                await().until(() -> caching.isHit(c, read));
                direct.query("UPDATE t SET v = 42").readUntilReady();
                assertThat(value(c, read)).as("nobody has told").isEqualTo("0");
            } finally {
                TestCluster.execute(primary(), "ALTER DATABASE " + database + " ALLOW_CONNECTIONS true");
            }
            await().until(() -> listening().state() == FeedStatus.State.LISTENING);
            assertThat(value(c, read)).isEqualTo("42");
            awaitLevel("public.t", "notify");
        }
    }

    private EmbeddedPostgres primary() {
        return caching.routed().cluster().primary();
    }

    private void terminateListener() {
        directly(TERMINATE);
    }

    @Test
    void aListenerThatHangsIsLost() throws Exception {
        try (RawClient c = triggered()) {
            awaitLevel("public.t", "notify");
            long pid = listener();
            Signals.send("STOP", List.of(pid));
            try {
                await().until(() -> listening().losses() == 1);
                assertThat(listening().reason()).contains("silent");
                await().until(() -> listening().state() == FeedStatus.State.LISTENING);
                assertSeen(c, "SELECT v FROM t", "UPDATE t SET v = v + 1");
            } finally {
                Signals.send("CONT", List.of(pid));
            }
        }
    }

    private long listener() throws SQLException {
        try (Connection connection = direct();
                Statement statement = connection.createStatement();
                var row = statement.executeQuery("SELECT pid" + LISTENER)) {
            assertThat(row.next()).isTrue();
            return row.getLong(1);
        }
    }

    @Test
    void anApplicationsStatementNeverFails() throws Exception {
        install(true);
        String role = TestCluster.freshRole(primary(), "word", "");
        try (RawClient c = login();
                Connection owner = direct()) {
            run(owner, "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON t, parted TO " + role);
            run(owner, "REVOKE ALL ON SCHEMA pgproxy FROM PUBLIC");
            run(owner, "REVOKE ALL ON FUNCTION pgproxy.invalidate() FROM PUBLIC");
            run(owner, "GRANT CREATE ON SCHEMA public TO " + role);
            Endpoint direct = caching.routed().direct();
            Endpoint stranger = new Endpoint(direct.host(), direct.port(), direct.database(), role, "word");
            awaitLevel("public.t", "notify");
            await().until(() -> caching.isHit(c, "SELECT v FROM t"));
            String before = value(c, "SELECT v FROM t");
            stranger.run("UPDATE t SET v = v + 1; INSERT INTO parted VALUES (2, 2); DELETE FROM parted WHERE id = 2");
            await().untilAsserted(() -> assertThat(value(c, "SELECT v FROM t")).isNotEqualTo(before));
            stranger.run("BEGIN READ WRITE; SET CONSTRAINTS ALL DEFERRED; TRUNCATE t; COMMIT");
            await().untilAsserted(
                            () -> assertThat(value(c, "SELECT count(*) FROM t")).isEqualTo("0"));

            // functions and operators of theirs that are found before PostgreSQL's
            stranger.run("CREATE FUNCTION public.concat(text, oid) RETURNS text LANGUAGE plpgsql AS"
                    + " 'BEGIN RAISE EXCEPTION ''no''; END'");
            stranger.run("CREATE FUNCTION public.no(double precision, numeric) RETURNS boolean LANGUAGE plpgsql AS"
                    + " 'BEGIN RAISE EXCEPTION ''no''; END'");
            stranger.run(
                    "CREATE OPERATOR public.< (FUNCTION = public.no, LEFTARG = double precision, RIGHTARG = numeric)");
            long told = listening().transactions();
            stranger.run("SET search_path = public, pg_catalog; INSERT INTO t VALUES (5, 5)");
            await().until(() -> listening().transactions() > told);
        }
    }

    @Test
    void whereTransactionsMayBePreparedTriggersKeepSilent() {
        install(false);
        try (RawClient c = login()) {
            value(c, "SELECT v FROM t");
            assertThat(levels()).containsEntry("public.t", "ttl");
            String gid = "notify_" + caching.routed().database();
            directly("BEGIN; UPDATE t SET v = v + 1; PREPARE TRANSACTION '" + gid + "'");
            directly("COMMIT PREPARED '" + gid + "'");
            install(true);
            awaitLevel("public.t", "notify");
        }
    }

    @Test
    void theDelayIsMeasured() {
        try (RawClient c = triggered()) {
            awaitLevel("public.t", "notify");
            long[] delays = new long[300];
            try (RawClient direct = caching.routed().direct().login()) {
                for (int i = 0; i < delays.length; i++) {
                    long before = listening().transactions();
                    direct.query("UPDATE t SET v = v + 1").readUntilReady();
                    long committed = System.nanoTime();
                    while (listening().transactions() == before) {
                        Thread.onSpinWait();
                    }
                    delays[i] = System.nanoTime() - committed;
                }
            }
            Arrays.sort(delays);
            LoggerFactory.getLogger(CacheNotifyIT.class)
                    .info(
                            "from the answer to a commit to its report: median {} us, 99 % {} us, longest {} us",
                            delays[150] / 1000, delays[297] / 1000, delays[299] / 1000);
            assertThat(delays[150]).isLessThan(Duration.ofSeconds(1).toNanos());
        }
    }
}
