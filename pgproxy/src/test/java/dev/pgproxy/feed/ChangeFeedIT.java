package dev.pgproxy.feed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.feed.FeedSettings;
import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.cache.feed.TableName;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.slf4j.LoggerFactory;

/** Whatever is committed past pgproxy is reported, with the tables that it changed. */
class ChangeFeedIT {
    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static EmbeddedCluster cluster;

    @BeforeAll
    static void start() {
        cluster = EmbeddedCluster.start(ClusterOptions.temporary(), line -> {});
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void everyKindOfWriteIsReportedWithItsTable() throws Exception {
        String database = database("CREATE TABLE t (a int PRIMARY KEY, b text)", "CREATE TABLE s (a int)");
        for (String write : List.of(
                "INSERT INTO t SELECT i, 'x' FROM generate_series(1, 10) i",
                "UPDATE t SET b = 'table public.s: INSERT: a[integer]:1' || chr(10) || 'COMMIT 1'",
                "DELETE FROM t WHERE a = 1",
                "MERGE INTO t USING (VALUES (2), (100)) v (x) ON a = x WHEN MATCHED THEN DELETE"
                        + " WHEN NOT MATCHED THEN INSERT VALUES (x, 'new')",
                "INSERT INTO t VALUES (3, 'y') ON CONFLICT (a) DO UPDATE SET b = excluded.b",
                "WITH d AS (DELETE FROM t WHERE a = 4 RETURNING a) SELECT * FROM d",
                "SELECT pg_logical_emit_message(true, 'p', 'table public.s: INSERT:'); DELETE FROM t WHERE a = 5",
                "TRUNCATE t")) {
            try (Watched watched = watch(database)) {
                execute(database, write);
                watched.awaitWritten("t");
                assertThat(watched.toldOf("s")).as(write).isFalse();
            }
        }
    }

    @Test
    void copiedRowsAreReported() throws Exception {
        String database = database("CREATE TABLE t (a int)");
        try (Watched watched = watch(database);
                Connection connection = primary().connect(database)) {
            connection.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY t FROM STDIN", new StringReader("1\n2\n"));
            watched.awaitWritten("t");
            await().untilAsserted(() -> assertThat(watched.status().changes()).isEqualTo(2));
            assertThat(watched.status().transactions()).isEqualTo(1);
        }
    }

    @Test
    void writesThatFollowFromOthersAreReported() throws Exception {
        String database = database(
                "CREATE TABLE parent (a int PRIMARY KEY)",
                "CREATE TABLE child (a int REFERENCES parent ON DELETE CASCADE)",
                "CREATE TABLE log (a int)",
                "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
                        + " 'BEGIN EXECUTE ''INSERT INTO log VALUES (1)''; RETURN NULL; END'",
                "CREATE TRIGGER note AFTER DELETE ON child FOR EACH ROW EXECUTE FUNCTION note()",
                "CREATE TABLE p (a int) PARTITION BY RANGE (a)",
                "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
                "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)",
                "INSERT INTO parent VALUES (1)",
                "INSERT INTO child VALUES (1)");
        try (Watched watched = watch(database)) {
            execute(database, "DELETE FROM parent");
            watched.awaitWritten("parent", "child", "log");

            execute(database, "INSERT INTO p VALUES (1)");
            watched.awaitWritten("p1");
            execute(database, "UPDATE p SET a = 11");
            watched.awaitWritten("p1", "p2");

            execute(database, "TRUNCATE parent CASCADE");
            watched.awaitWritten("parent", "child");
        }
    }

    @Test
    void aTableWithoutAPrimaryKeyStillTakesUpdatesAndDeletes() throws Exception {
        String database = database("CREATE TABLE bare (a int)", "INSERT INTO bare VALUES (1), (2)");
        try (Watched watched = watch(database)) {
            execute(database, "UPDATE bare SET a = a + 1");
            watched.awaitCount("written", 1);
            execute(database, "DELETE FROM bare");
            watched.awaitCount("written", 2);
            assertThat(watched.told())
                    .filteredOn(each -> each.what().equals("written"))
                    .allMatch(each -> each.tables().equals(Set.of(new TableName("public", "bare"))));
        }
    }

    @Test
    void definitionsThatChangeInBetweenDoNotConfuseIt() throws Exception {
        String database = database("CREATE TABLE t (a int)");
        try (Watched watched = watch(database)) {
            execute(
                    database,
                    "BEGIN; INSERT INTO t VALUES (1); ALTER TABLE t ADD b text DEFAULT 'x'; INSERT INTO t VALUES (2);"
                            + " ALTER TABLE t RENAME TO u; INSERT INTO u VALUES (3); COMMIT");
            watched.awaitWritten("t", "u");
            execute(database, "CREATE TABLE made AS SELECT 1 AS a");
            watched.awaitWritten("made");
            execute(
                    database,
                    "DROP TABLE made; CREATE SCHEMA other; ALTER TABLE u SET SCHEMA other",
                    "INSERT INTO other.u VALUES (4)");
            await().untilAsserted(() -> assertThat(watched.told())
                    .anyMatch(each -> each.tables().equals(Set.of(new TableName("other", "u")))));
        }
    }

    @Test
    void whatIsRolledBackOrUnloggedIsNotReported() throws Exception {
        String database = database(
                "CREATE TABLE t (a int)",
                "CREATE UNLOGGED TABLE un (a int)",
                "CREATE TABLE last (a int)",
                "CREATE MATERIALIZED VIEW m AS SELECT * FROM t");
        try (Watched watched = watch(database)) {
            execute(
                    database,
                    "BEGIN; INSERT INTO t VALUES (1); ROLLBACK",
                    "INSERT INTO un VALUES (1)",
                    "REFRESH MATERIALIZED VIEW m",
                    "INSERT INTO last VALUES (1)");
            watched.awaitWritten("last");
            assertThat(watched.count("written")).isEqualTo(1);
            assertThat(watched.count("everything")).isZero();
        }
    }

    @Test
    void aPreparedTransactionIsReportedWhenItCommits() throws Exception {
        String database =
                database("CREATE TABLE t (a int)", "CREATE TABLE marker (a int)", "CREATE TABLE gone (a int)");
        try (Watched watched = watch(database)) {
            execute(
                    database,
                    "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'it''s (1)'",
                    "BEGIN; INSERT INTO gone VALUES (1); PREPARE TRANSACTION 'two'",
                    "INSERT INTO marker VALUES (1)");
            watched.awaitWritten("marker");
            assertThat(watched.toldOf("t")).isFalse();

            execute(database, "ROLLBACK PREPARED 'two'", "COMMIT PREPARED 'it''s (1)'");
            watched.awaitWritten("t");
            assertThat(watched.toldOf("gone")).isFalse();
        }
    }

    @Test
    void aMillionRowsInOneTransactionAreOneReport() throws Exception {
        String database = database("CREATE TABLE t (a int)");
        try (Watched watched = watch(database)) {
            execute(database, "INSERT INTO t SELECT generate_series(1, 1000000)");
            watched.awaitWritten("t");
            assertThat(watched.count("written")).isEqualTo(1);
            await().untilAsserted(() -> assertThat(watched.status().changes()).isEqualTo(1_000_000));
            assertThat(watched.count("lost")).isZero();
        }
    }

    @Test
    void aRowOfManyMegabytesIsReported() throws Exception {
        String database = database("CREATE TABLE t (a text)");
        try (Watched watched = watch(database)) {
            execute(database, "INSERT INTO t VALUES (repeat(': INSERT: \"', 2000000))");
            watched.awaitWritten("t");
        }
    }

    @Test
    void aTransactionOverTooManyTablesCountsAsEverything() throws Exception {
        String database = database();
        FeedSettings few = new FeedSettings(1 << 28, 1 << 30, Duration.ofSeconds(10), 10, Duration.ofSeconds(30));
        try (Watched watched = Watched.start(primary(), database, few).awaitCovering()) {
            execute(
                    database,
                    "DO 'BEGIN FOR i IN 1..11 LOOP EXECUTE format(''CREATE TABLE t%s AS SELECT 1'', i);"
                            + " END LOOP; END'");
            watched.awaitCount("everything", 1);
            assertThat(watched.count("written")).isZero();
        }
    }

    @Test
    void anyNameIsUnderstoodAsTheServerWritesIt() throws Exception {
        long seed = System.nanoTime();
        String database = database();
        SplittableRandom random = new SplittableRandom(seed);
        Set<TableName> names = new HashSet<>();
        while (names.size() < 60) {
            names.add(new TableName(name(random), name(random)));
        }
        try (Watched watched = watch(database);
                Connection connection = primary().connect(database);
                Statement statement = connection.createStatement()) {
            for (TableName each : names) {
                String table = quoted(each.schema()) + "." + quoted(each.name());
                statement.execute("CREATE SCHEMA IF NOT EXISTS " + quoted(each.schema()));
                statement.execute("CREATE TABLE " + table + " (a text)");
                statement.execute("INSERT INTO " + table + " VALUES ('table a.b: DELETE: \"')");
            }
            String all = names.stream()
                    .map(each -> quoted(each.schema()) + "." + quoted(each.name()))
                    .collect(Collectors.joining(", "));
            statement.execute("TRUNCATE " + all);

            await().untilAsserted(() -> assertThat(watched.told())
                    .as("seed %d", seed)
                    .anyMatch(each -> each.tables().equals(names)));
            for (TableName each : names) {
                assertThat(watched.told())
                        .as("seed %d", seed)
                        .anyMatch(report -> report.tables().equals(Set.of(each)));
            }
            assertThat(watched.count("everything")).as("seed %d", seed).isZero();
        }
    }

    @Test
    void namesInADatabaseOfAnotherEncodingAreUnderstood() throws Exception {
        String database = "latin_" + DATABASES.incrementAndGet();
        execute("postgres", "CREATE DATABASE " + database + " ENCODING LATIN1 LOCALE 'C' TEMPLATE template0");
        execute(database, "CREATE TABLE \"caf\u00e9 \u00df\" (a int)");
        try (Watched watched = watch(database)) {
            execute(database, "INSERT INTO \"caf\u00e9 \u00df\" VALUES (1)");
            watched.awaitWritten("caf\u00e9 \u00df");
        }
    }

    @Test
    void aCommitThatOthersCannotSeeYetIsReportedWhenTheyCan() throws Exception {
        String database = database("CREATE TABLE waiting (a int)", "CREATE TABLE marker (a int)");
        try (Watched watched = watch(database)) {
            execute("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()");
            await().untilAsserted(() -> assertThat(Watched.value(primary(), "SHOW synchronous_standby_names"))
                    .isEqualTo("nobody"));
            Thread writer = Thread.ofPlatform().start(() -> {
                try {
                    execute(database, "INSERT INTO waiting VALUES (1)");
                } catch (SQLException e) {
                    throw new AssertionError(e);
                }
            });
            try {
                await().untilAsserted(() -> assertThat(Watched.value(
                                primary(), "SELECT wait_event FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
                        .isEqualTo("SyncRep"));
                execute(database, "SET synchronous_commit = local; INSERT INTO marker VALUES (1)");
                // it comes later in the stream
                watched.awaitWritten("marker");
                assertThat(watched.toldOf("waiting")).isFalse();
            } finally {
                execute("postgres", "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()");
            }
            watched.awaitWritten("waiting");
            writer.join();
            assertThat(watched.count("lost")).isZero();
        }
    }

    @Test
    void theDelayBetweenCommitAndReportIsShort() throws Exception {
        String database = database("CREATE TABLE t (a int)");
        int commits = 300;
        long[] delays = new long[commits];
        try (Watched watched = watch(database);
                Connection connection = primary().connect(database);
                Statement statement = connection.createStatement()) {
            for (int i = 0; i < commits; i++) {
                statement.execute("INSERT INTO t VALUES (1)");
                long committed = System.nanoTime();
                watched.awaitQuickly(i + 1);
                delays[i] = watched.told().getLast().at() - committed;
            }
            Arrays.sort(delays);
            FeedStatus status = watched.status();
            LoggerFactory.getLogger(ChangeFeedIT.class)
                    .warn(
                            "from the answer to a commit to its report: median {} us, 99% {} us, most {} us; status: {}",
                            TimeUnit.NANOSECONDS.toMicros(delays[commits / 2]),
                            TimeUnit.NANOSECONDS.toMicros(delays[commits * 99 / 100]),
                            TimeUnit.NANOSECONDS.toMicros(delays[commits - 1]),
                            status);
            assertThat(Duration.ofNanos(delays[commits / 2])).isLessThan(Duration.ofMillis(500));
            assertThat(status.delay()).isBetween(Duration.ZERO, Duration.ofSeconds(10));
        }
    }

    @Test
    void walIsReleasedWhileOnlyOtherDatabasesAreWritten() throws Exception {
        String watchedDatabase = database();
        String other = database("CREATE TABLE t (a text)");
        try (Watched watched = watch(watchedDatabase)) {
            String restart = slot("restart_lsn", watchedDatabase);
            execute(other, "INSERT INTO t SELECT repeat('x', 100) FROM generate_series(1, 20000)");
            String written = Watched.value(primary(), "SELECT pg_current_wal_lsn()");
            await().untilAsserted(() -> {
                assertThat(isAtLeast(slot("confirmed_flush_lsn", watchedDatabase), written))
                        .isTrue();
                execute("postgres", "CHECKPOINT");
                assertThat(isAtLeast(slot("restart_lsn", watchedDatabase), written))
                        .as("from %s", restart)
                        .isTrue();
            });
            assertThat(watched.count("written")).isZero();
            assertThat(watched.count("lost")).isZero();
            await().untilAsserted(() -> assertThat(watched.status().lagBytes()).isLessThan(1 << 20));
        }
    }

    @Test
    void closingLeavesNoSlotAndTellsNothingMore() throws Exception {
        String database = database("CREATE TABLE t (a int)");
        Watched watched = watch(database);
        assertThat(slot("slot_name", database)).matches("pgproxy_[0-9a-f]{32}");
        assertThat(slot("temporary", database)).isEqualTo("t");

        watched.close();
        execute(database, "INSERT INTO t VALUES (1)");

        await().untilAsserted(() -> assertThat(slot("slot_name", database)).isEqualTo("none"));
        assertThat(watched.told()).hasSize(1);
        assertThat(watched.status().state()).isEqualTo(FeedStatus.State.OFF);
    }

    @Test
    void aTransactionThatWritesHoldsUpTheSlotAndIsNamedAsTheReason() throws Exception {
        String database = database("CREATE TABLE t (a int)");
        try (Connection connection = primary().connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute("BEGIN; INSERT INTO t VALUES (1)");
            try (Watched watched = Watched.start(primary(), database)) {
                watched.awaitState(FeedStatus.State.CONNECTING, "waits for the end of transactions");
                assertThat(watched.told()).isEmpty();
                statement.execute("COMMIT");
                watched.awaitCovering();
            }
        }
    }

    @Test
    void nothingIsMissedWhileManyWriteAtOnce() throws Exception {
        String database = database();
        int writers = 8;
        int commits = 200;
        for (int i = 0; i < writers; i++) {
            execute(database, "CREATE TABLE t" + i + " (a int)");
        }
        try (Watched watched = watch(database)) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < writers; i++) {
                String sql = "INSERT INTO t" + i + " VALUES (1)";
                String[] statements = new String[commits];
                Arrays.fill(statements, sql);
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        execute(database, statements);
                    } catch (SQLException e) {
                        throw new AssertionError(e);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            watched.awaitCount("written", (long) writers * commits);
            assertThat(watched.count("written")).isEqualTo((long) writers * commits);
            assertThat(watched.status().transactions()).isEqualTo((long) writers * commits);
        }
    }

    private static String slot(String column, String database) throws SQLException {
        return Watched.value(
                primary(), "SELECT " + column + " FROM pg_replication_slots WHERE database = '" + database + "'");
    }

    private static boolean isAtLeast(String position, String other) throws SQLException {
        return Watched.value(primary(), "SELECT '" + position + "'::pg_lsn >= '" + other + "'::pg_lsn")
                .equals("t");
    }

    /** Up to 63 bytes. */
    private static String name(SplittableRandom random) {
        String[] letters = {
            "a",
            "Z",
            "0",
            "_",
            " ",
            ".",
            ",",
            ":",
            "\"",
            "'",
            "\n",
            "\\",
            "\u00e9",
            "\ud83d\ude00",
            ": INSERT:",
            ", ",
            "select",
            "\u0001",
            "$",
            "(",
            ")"
        };
        StringBuilder name = new StringBuilder();
        int length = random.nextInt(1, 7);
        for (int i = 0; i < length; i++) {
            name.append(letters[random.nextInt(letters.length)]);
        }
        return name.toString();
    }

    private static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    private static Watched watch(String database) {
        return Watched.start(primary(), database, FeedSettings.DEFAULT.withPatience(Duration.ofSeconds(20)))
                .awaitCovering();
    }

    private static String database(String... statements) throws SQLException {
        String name = "feed_" + DATABASES.incrementAndGet();
        execute("postgres", "CREATE DATABASE " + name);
        execute(name, statements);
        return name;
    }

    private static void execute(String database, String... statements) throws SQLException {
        Watched.execute(primary(), database, statements);
    }

    private static EmbeddedPostgres primary() {
        return cluster.primary();
    }
}
