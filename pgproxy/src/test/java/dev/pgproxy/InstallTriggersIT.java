package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** {@code pgproxy install-triggers}: what it makes is all there or all gone, and it says what it did not do. */
final class InstallTriggersIT {
    private static final String ANYWAY = "--with-prepared-transactions-failing";
    private static final String[] SCHEMA = {
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
        "INSERT INTO t VALUES (1, 0)",
        "CREATE SCHEMA \"Other one\"",
        "CREATE TABLE \"Other one\".\"My \"\"table\" (v int)",
        "CREATE TABLE parted (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (100)",
        "CREATE MATERIALIZED VIEW kept AS SELECT v FROM t",
        "CREATE VIEW shown AS SELECT v FROM t"
    };

    private record Outcome(int exit, String out, String err) {}

    private static Outcome run(EmbeddedPostgres server, String user, String password, String database, String... more) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> arguments = new ArrayList<>(List.of(
                "--primary",
                "postgres://" + user + ":" + password + "@" + server.host() + ":" + server.port() + "/" + database));
        arguments.addAll(List.of(more));
        int exit = new CommandLine(new InstallTriggers())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments.toArray(new String[0]));
        return new Outcome(exit, out.toString(), err.toString());
    }

    private static Outcome run(String database, String... more) {
        EmbeddedPostgres server = TestCluster.primary();
        return run(server, EmbeddedPostgres.SUPERUSER, server.superuserPassword(), database, more);
    }

    private static String database(EmbeddedPostgres server) throws SQLException {
        String database = TestCluster.freshDatabase(server);
        execute(server, database, SCHEMA);
        return database;
    }

    private static void execute(EmbeddedPostgres server, String database, String... statements) throws SQLException {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static String value(EmbeddedPostgres server, String database, String sql) throws SQLException {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static String triggers(String database) throws SQLException {
        return value(
                TestCluster.primary(),
                database,
                "SELECT coalesce(string_agg(tgrelid::regclass::text || tgenabled::text, ' ' ORDER BY tgrelid::regclass::text), '')"
                        + " FROM pg_trigger WHERE tgname = 'pgproxy_invalidate'");
    }

    private static String left(String database) throws SQLException {
        return value(
                TestCluster.primary(),
                database,
                "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'pgproxy')"
                        + " + (SELECT count(*) FROM pg_proc WHERE proname = 'invalidate')"
                        + " + (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'pgproxy%')");
    }

    @Test
    void itInstallsOnceAndRemovesAll() throws Exception {
        String database = database(TestCluster.primary());
        Outcome first = run(database, ANYWAY);
        assertThat(first.exit()).as("%s", first).isZero();
        assertThat(first.out())
                .contains("-- installed on public.t", "-- installed on \"Other one\".\"My \"\"table\"")
                .contains("-- skipped public.kept: a materialized view has no triggers")
                .contains("-- 4 installed, 0 there already, 1 skipped, 0 failed");
        assertThat(triggers(database)).isEqualTo("\"Other one\".\"My \"\"table\"A partedA parted_lowA tA");

        Outcome again = run(database, ANYWAY);
        assertThat(again.exit()).isZero();
        assertThat(again.out()).contains("-- 0 installed, 4 there already, 1 skipped, 0 failed");

        execute(TestCluster.primary(), database, "ALTER TABLE t DISABLE TRIGGER pgproxy_invalidate");
        assertThat(run(database, ANYWAY).out()).contains("-- 1 installed, 3 there already");
        assertThat(triggers(database)).contains(" tA");

        Outcome some = run(database, "--remove", "--schema", "Other one");
        assertThat(some.out()).contains("-- 1 removed", "function pgproxy.invalidate() is kept");
        Outcome removed = run(database, "--remove");
        assertThat(removed.exit()).isZero();
        assertThat(removed.out()).contains("-- 3 removed");
        assertThat(left(database)).isEqualTo("0");
        assertThat(run(database, "--remove").exit()).isZero();
    }

    @Test
    void aDryRunPrintsWhatWouldBeExecuted() throws Exception {
        String database = database(TestCluster.primary());
        Outcome dry = run(database, ANYWAY, "--dry-run");
        assertThat(dry.exit()).isZero();
        assertThat(left(database)).isEqualTo("0");
        execute(TestCluster.primary(), database, dry.out());
        assertThat(run(database, ANYWAY).out()).contains("-- 0 installed, 4 there already");
        execute(
                TestCluster.primary(),
                database,
                run(database, "--remove", "--dry-run").out());
        assertThat(left(database)).isEqualTo("0");
    }

    @Test
    void itKeepsToTheTablesThatAreAskedFor() throws Exception {
        String database = database(TestCluster.primary());
        Outcome outcome = run(database, ANYWAY, "--table", "t", "--table", "public.parted", "--table", "nowhere");
        assertThat(outcome.exit()).isEqualTo(Main.FAILED);
        assertThat(outcome.out()).contains("-- there is no table nowhere", "-- 2 installed, 0 there already");
        assertThat(triggers(database)).isEqualTo("partedA tA");
    }

    @Test
    void wherePreparingIsPossibleItAsksFirst() throws Exception {
        String database = database(TestCluster.primary());
        Outcome outcome = run(database);
        assertThat(outcome.exit()).isEqualTo(Main.FAILED);
        assertThat(outcome.err()).contains("max_prepared_transactions is 64", ANYWAY);
        assertThat(left(database)).isEqualTo("0");

        run(database, ANYWAY);
        try (Connection connection = TestCluster.primary().connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute("BEGIN; UPDATE t SET v = 1");
            assertThat(failure(statement, "PREPARE TRANSACTION 'install'"))
                    .contains("cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY");
        }
    }

    @Test
    void tablesOfOthersAndLockedOnesAreNamed() throws Exception {
        EmbeddedPostgres server = TestCluster.primary();
        String database = database(server);
        String role = TestCluster.freshRole(server, "word", "");
        execute(
                server,
                database,
                "GRANT CREATE ON DATABASE " + database + " TO " + role,
                "ALTER TABLE t OWNER TO " + role);
        try (Connection writer = server.connect(database);
                Statement statement = writer.createStatement()) {
            statement.execute("BEGIN; UPDATE t SET v = 1");
            Outcome outcome = run(server, role, "word", database, ANYWAY, "--lock-timeout", "1");
            assertThat(outcome.exit()).isEqualTo(Main.FAILED);
            assertThat(outcome.out())
                    .contains("-- skipped public.parted: its owner is another role")
                    .contains("-- failed on public.t: ERROR: canceling statement due to lock timeout");
            statement.execute("COMMIT");
        }
        assertThat(run(server, role, "word", database, ANYWAY).out()).contains("-- installed on public.t");
    }

    @Test
    void aServerThatPreparesNothingNeedsNoConsentAndARestartOfItIsSeen() throws Exception {
        ClusterOptions options = ClusterOptions.temporary().withSetting("max_prepared_transactions", "0");
        try (EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {})) {
            EmbeddedPostgres server = cluster.primary();
            execute(server, "postgres", SCHEMA);
            Outcome outcome = run(server, EmbeddedPostgres.SUPERUSER, server.superuserPassword(), "postgres");
            assertThat(outcome.exit()).as("%s", outcome).isZero();

            String text =
                    "listen_port = 0\nhttp_addr = []\nauth_type = trust\ncache_mode = on\nchange_feed = notify\ncatalog_poll = 200ms\n"
                            + "databases { \"*\" { primary = \"" + server.host() + ":" + server.port() + "\" } }\n"
                            + TestCluster.watching(cluster)
                            + "users { postgres { password = \"" + server.superuserPassword() + "\" } }\n";
            try (PgProxy proxy = PgProxy.start(ConfigLoader.parse(text))) {
                Endpoint proxied = new Endpoint("127.0.0.1", proxy.port(), "postgres", "postgres", "");
                try (RawClient client = proxied.login()) {
                    client.query("SELECT 1").readUntilReady();
                }
                DatabaseState state = proxy.services().routes().all().iterator().next();
                awaitListening(state);
                assertSeen(proxied, server, state);
                server.restart();
                await().until(() -> listening(state).losses() == 1);
                awaitListening(state);
                assertSeen(proxied, server, state);
            }
        }
    }

    @Test
    void whereNotEverybodyMayNotifyItRefuses() throws Exception {
        String database = database(TestCluster.primary());
        execute(TestCluster.primary(), database, "REVOKE EXECUTE ON FUNCTION pg_notify(text, text) FROM PUBLIC");
        Outcome outcome = run(database, ANYWAY);
        assertThat(outcome.exit()).isEqualTo(Main.FAILED);
        assertThat(outcome.err()).contains("not everybody may execute pg_notify");
        assertThat(left(database)).isEqualTo("0");
    }

    /** A session that listens and does not end its transaction keeps what others send. */
    @Test
    void aFullQueueOfNotificationsFailsNoStatement() throws Exception {
        ClusterOptions options = ClusterOptions.temporary()
                .withSetting("max_prepared_transactions", "0")
                .withSetting("max_notify_queue_pages", "64");
        try (EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {});
                Connection listener = cluster.primary().connect("postgres");
                Connection writer = cluster.primary().connect("postgres");
                Statement listens = listener.createStatement();
                Statement writes = writer.createStatement()) {
            EmbeddedPostgres server = cluster.primary();
            execute(server, "postgres", SCHEMA);
            assertThat(run(server, EmbeddedPostgres.SUPERUSER, server.superuserPassword(), "postgres")
                            .exit())
                    .isZero();
            listens.execute("LISTEN something");
            listens.execute("BEGIN");
            String send = "SELECT pg_notify('other', repeat('x', 7900))";
            String full = "";
            for (int i = 0; i < 1000 && full.isEmpty(); i++) {
                full = failure(writes, send);
            }
            assertThat(full).contains("too many notifications in the NOTIFY queue");
            writes.execute("UPDATE t SET v = v + 1");
            assertThat(value(server, "postgres", "SELECT v FROM t")).isEqualTo("1");
        }
    }

    /** What the server says against it; empty if nothing. */
    private static String failure(Statement statement, String sql) {
        try {
            statement.execute(sql);
            return "";
        } catch (SQLException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static void assertSeen(Endpoint proxied, EmbeddedPostgres server, DatabaseState state) throws SQLException {
        try (RawClient client = proxied.login()) {
            String read = "SELECT v FROM t";
            await().until(() -> {
                long hits = state.counts().of(CacheReason.HIT);
                client.query(read).readUntilReady();
                return state.counts().of(CacheReason.HIT) > hits;
            });
            String before = CachingProxy.value(client, read);
            execute(server, "postgres", "UPDATE t SET v = v + 1");
            await().untilAsserted(
                            () -> assertThat(CachingProxy.value(client, read)).isNotEqualTo(before));
        }
    }

    private static void awaitListening(DatabaseState state) {
        await().until(() -> listening(state).state() == FeedStatus.State.LISTENING);
    }

    private static FeedStatus listening(DatabaseState state) {
        return Objects.requireNonNull(state.feed()).listening();
    }
}
