package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is answered stands in the query log, in a file or a table, with neither values nor any effect on clients. */
final class QueryLogIT {
    private static final String MINE = "SELECT count(*) FROM pgproxy.query_log WHERE query = ";

    private final String database = TestCluster.freshDatabase(TestCluster.primary());

    @TempDir
    private Path directory;

    private TestProxy start(String settings) {
        return TestProxy.start(
                TestCluster.primary(),
                TestProxy.trusting(TestCluster.primary()) + "control_user = postgres\n" + settings);
    }

    private String file(String more) {
        return "query_log = file\nquery_log_file = \"" + directory.resolve("query.log") + "\"\n" + more;
    }

    private Endpoint direct() {
        return new Endpoint(
                TestCluster.primary().host(), TestCluster.primary().port(), database, "postgres", TestCluster.PASSWORD);
    }

    private Endpoint through(TestProxy proxy) {
        return proxy.as("postgres", TestCluster.PASSWORD, database);
    }

    private String direct(String sql) {
        return String.valueOf(Message.row(direct().run(sql)).getFirst());
    }

    /** The row of SHOW QUERY_LOG of this kind, by the names of its columns. */
    private static Map<String, String> shown(TestProxy proxy, String sink) {
        List<Message> answer =
                proxy.as("postgres", TestCluster.PASSWORD, "pgproxy").run("SHOW QUERY_LOG");
        List<String> columns = Message.columns(answer);
        Map<String, String> found = new TreeMap<>();
        for (List<@Nullable String> row : Message.rows(answer)) {
            for (int i = 0; sink.equals(row.getFirst()) && i < columns.size(); i++) {
                found.put(columns.get(i), String.valueOf(row.get(i)));
            }
        }
        return found;
    }

    /** The lines of all its files, the oldest first, read strictly. */
    private List<Config> lines() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(directory)) {
            files = all.sorted((one, other) -> other.toString().compareTo(one.toString()))
                    .toList();
        }
        List<Config> lines = new ArrayList<>();
        for (Path file : files) {
            for (String line : Files.readAllLines(file)) {
                lines.add(ConfigFactory.parseString(
                        line, ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON)));
            }
        }
        return lines;
    }

    /** As PostgreSQL has made it. */
    private static String name(RawClient client) {
        return String.valueOf(Message.row(client.query("SHOW application_name").readUntilReady())
                .getFirst());
    }

    private static void run(RawClient client) {
        client.query("SET application_name = 'app\u001b[2J'").readUntilReady();
        client.query("SELECT 'secret', 17").readUntilReady();
        client.batch(c -> c.parse("", "SELECT $1::text")
                        .bind("", "", "secret")
                        .execute("")
                        .sync())
                .readUntilReady();
        client.query("SELECT 1/0").readUntilReady();
        client.query("CREATE ROLE nobody_at_all PASSWORD 'secret' NOPE").readUntilReady();
    }

    @Test
    void everyStatementIsALineOfTheFile() throws IOException {
        Instant before = Instant.now();
        try (TestProxy proxy = start(file("statement_rules { none { pattern = \"^delete\", deny = \"no\" } }\n"));
                RawClient client = through(proxy).login()) {
            run(client);
            try (RawClient other = through(proxy).login()) {
                other.query("DELETE FROM nowhere").readUntilReady();
            }
            await().untilAsserted(() -> assertThat(lines()).hasSize(6));
            List<Config> lines = lines();
            assertThat(lines.stream().map(line -> line.getString("query")))
                    .containsExactly(
                            "SET application_name = ?",
                            "SELECT ?, ?",
                            "SELECT $1::text",
                            "SELECT ?/?",
                            "CREATE ROLE nobody_at_all PASSWORD ? NOPE",
                            "DELETE FROM nowhere");
            assertThat(lines.get(5).getString("sqlstate")).isEqualTo("42501");
            assertThat(lines.stream().map(line -> line.getString("route")))
                    .containsExactly("primary", "primary", "primary", "primary", "primary", "refused");
            Config select = lines.get(1);
            assertThat(select.getString("host"))
                    .isEqualTo(TestCluster.primary().host() + ":"
                            + TestCluster.primary().port());
            assertThat(select.getString("application_name")).isEqualTo(name(client));
            assertThat(select.getString("client_addr")).isEqualTo("127.0.0.1");
            assertThat(select.getString("user")).isEqualTo("postgres");
            assertThat(select.getString("database")).isEqualTo(database);
            assertThat(select.getInt("rows")).isEqualTo(1);
            assertThat(select.getLong("duration_us")).isBetween(1L, 60_000_000L);
            assertThat(Instant.parse(select.getString("time"))).isBetween(before, Instant.now());
            assertThat(select.getIsNull("sqlstate")).isTrue();
            assertThat(select.getIsNull("cache")).isTrue();
            assertThat(lines.get(3).getString("sqlstate")).isEqualTo("22012");
            assertThat(lines.get(5).getString("sqlstate")).isEqualTo("42501");
            assertThat(lines.get(5).getIsNull("host")).isTrue();
            Path log = directory.resolve("query.log");
            assertThat(Files.readString(log)).doesNotContain("secret").doesNotContain("\u001b");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(log)))
                    .isEqualTo("rw-------");
            await().untilAsserted(() -> assertThat(shown(proxy, "file")) // with the question for its name
                    .containsEntry("written", "7")
                    .containsEntry("bytes", Long.toString(Files.size(log)))
                    .containsEntry("dropped", "0")
                    .containsEntry("problem", "null"));
        }
    }

    @Test
    void filesChangeWhenTheyAreLongAndWhatIsLeftIsWrittenAtTheEnd() throws Exception {
        try (TestProxy proxy = start(file("query_log_rotation_size = 1kB\nquery_log_files = 3\n"))) {
            try (RawClient client = through(proxy).login()) {
                for (int i = 0; i < 20; i++) {
                    client.query("SELECT " + i + " AS early").readUntilReady();
                    int already = i + 1;
                    await().until(() ->
                            shown(proxy, "file").getOrDefault("written", "").equals("" + already));
                }
                client.query("SELECT 1 AS late").readUntilReady();
            }
            proxy.close();
            proxy.proxy().stopped().toCompletableFuture().get(20, java.util.concurrent.TimeUnit.SECONDS);
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("query.log", "query.log.1", "query.log.2");
        }
        assertThat(Files.size(directory.resolve("query.log.2"))).isBetween(1L, 1024L);
        assertThat(lines().getLast().getString("query")).isEqualTo("SELECT ? AS late");
        assertThat(lines().size()).isBetween(5, 12); // 21 were written
    }

    @Test
    void aSampleIsAShareAndReloadChangesIt() throws IOException {
        try (TestProxy proxy = start(file("query_log_sample_rate = 0\n"));
                RawClient client = through(proxy).login()) {
            for (int i = 0; i < 300; i++) {
                client.query("SELECT " + i).readUntilReady();
            }
            proxy.reload(TestProxy.trusting(TestCluster.primary()) + "control_user = postgres\n"
                    + file("query_log_sample_rate = 0.5\n"));
            for (int i = 0; i < 1000; i++) {
                client.query("SELECT " + i + " AS half").readUntilReady();
            }
            // 12 standard deviations either way
            await().untilAsserted(() -> assertThat(lines().size()).isBetween(310, 690));
            assertThat(lines()).allMatch(line -> line.getString("query").equals("SELECT ? AS half"));
        }
    }

    @Test
    void withoutALogThereIsNoRow() {
        try (TestProxy proxy = start("")) {
            assertThat(shown(proxy, "loops")).isEmpty();
        }
    }

    @Test
    void aFileThatCannotBeWrittenIsSaidAndStopsNothing() throws IOException {
        Path away = Files.createDirectory(directory.resolve("away"));
        try (TestProxy proxy = start("query_log = file\nquery_log_file = \"" + away.resolve("q") + "\"\n");
                RawClient client = through(proxy).login()) {
            Files.delete(away);
            client.query("SELECT 1 AS lost").readUntilReady();
            await().until(() ->
                    shown(proxy, "file").getOrDefault("dropped_failed", "").equals("1"));
            assertThat(shown(proxy, "file").get("problem")).contains("away");
            assertThat(Message.types(client.query("SELECT 1").readUntilReady())).isEqualTo("TDCZ");
            Files.createDirectory(away);
            await().until(() -> {
                client.query("SELECT 1 AS kept").readUntilReady();
                return shown(proxy, "file").getOrDefault("problem", "").equals("null");
            });
            assertThat(Files.readString(away.resolve("q"))).contains("SELECT ? AS kept");
        }
    }

    @Test
    void everyStatementIsARowOfTheTable() {
        try (TestProxy proxy = start("query_log = table\n");
                RawClient client = through(proxy).login()) {
            run(client);
            await().until(() ->
                    shown(proxy, "table").getOrDefault("written", "").equals("5"));
            assertThat(Message.rows(direct().run("SELECT query, user_name, database, application_name, client_addr,"
                            + " route, host, rows, sqlstate, length(fingerprint), duration_us > 0, ended_at >"
                            + " now() - interval '1 min' FROM pgproxy.query_log ORDER BY ended_at")))
                    .contains(
                            row(name(client), "SELECT ?, ?", 1, null),
                            row(name(client), "SELECT $1::text", 1, null),
                            row(name(client), "SELECT ?/?", 0, "22012"),
                            row(name(client), "CREATE ROLE nobody_at_all PASSWORD ? NOPE", 0, "42601"));
            assertThat(direct("SELECT string_agg(l::text, '') FROM pgproxy.query_log l"))
                    .doesNotContain("secret");
            assertThat(shown(proxy, "table")).containsEntry("errors", "0").containsEntry("dropped", "0");
            // what pgproxy itself has written is no statement of anybody's
            assertThat(direct(MINE + "'x' OR query LIKE '%query_log%'")).isEqualTo("0");
        }
    }

    private List<@Nullable String> row(String name, String query, int rows, @Nullable String sqlState) {
        String host = TestCluster.primary().host() + ":" + TestCluster.primary().port();
        return java.util.Arrays.asList(
                query, "postgres", database, name, "127.0.0.1", "primary", host, "" + rows, sqlState, "32", "t", "t");
    }

    /** The least that a role needs is what the documentation says. */
    @Test
    void whoMayOnlyInsertWritesAndWhoMayNotIsSaid() {
        String role = TestCluster.freshRole("secret");
        String settings = "query_log = table\n" + TestProxy.user(role, "secret");
        try (TestProxy proxy = TestProxy.start(
                        TestCluster.primary(),
                        TestProxy.trusting(TestCluster.primary()) + settings + "control_user = " + role + "\n");
                RawClient client = through(proxy).login()) {
            client.query("SELECT 1 AS early").readUntilReady();
            await().until(() ->
                    String.valueOf(shown(proxy, "table").get("problem")).contains("permission denied"));
            assertThat(Message.types(client.query("SELECT 1").readUntilReady())).isEqualTo("TDCZ");
            direct().run("CREATE SCHEMA pgproxy; CREATE TABLE pgproxy.query_log (ended_at timestamptz NOT NULL,"
                    + " duration_us bigint NOT NULL, queue_us bigint NOT NULL, database text NOT NULL,"
                    + " user_name text NOT NULL, application_name text NOT NULL, client_addr inet, route text NOT NULL,"
                    + " host text, cache text, rows bigint NOT NULL, sqlstate text, fingerprint text NOT NULL,"
                    + " query text NOT NULL) PARTITION BY RANGE (ended_at);"
                    + " CREATE TABLE pgproxy.query_log_all PARTITION OF pgproxy.query_log DEFAULT;"
                    + " GRANT USAGE ON SCHEMA pgproxy TO " + role + "; GRANT INSERT ON pgproxy.query_log TO " + role);
            await().until(() ->
                    shown(proxy, "table").getOrDefault("problem", "").equals("null"));
            // what came before had not been tried
            assertThat(direct(MINE + "'SELECT ? AS early'")).isEqualTo("1");
        }
    }

    @Test
    void aTableThatIsAwayIsMadeAgainAndNothingGrows() {
        try (TestProxy proxy = start("query_log = table\n");
                RawClient client = through(proxy).login()) {
            client.query("SELECT 1 AS first").readUntilReady();
            await().until(() ->
                    shown(proxy, "table").getOrDefault("written", "").equals("1"));
            direct().run("DROP SCHEMA pgproxy CASCADE");
            client.query("SELECT 1 AS lost").readUntilReady();
            await().until(() -> shown(proxy, "table").getOrDefault("errors", "").equals("1"));
            client.query("SELECT 1 AS next").readUntilReady();
            await().until(() ->
                    shown(proxy, "table").getOrDefault("written", "").equals("2"));
            assertThat(direct(MINE + "'SELECT ? AS next'")).isEqualTo("1");
            // somebody holds the table for longer than a batch may take
            try (RawClient holder = direct().login()) {
                holder.query("BEGIN; LOCK pgproxy.query_log").readUntilReady();
                client.batch(c -> {
                    for (int i = 0; i < 30_000; i++) {
                        c.query("SELECT 1 AS flood");
                        c.query("SELECT 1 AS flood");
                    }
                });
                client.readUntilReady(60_000);
                await().until(() -> Long.parseLong(shown(proxy, "table").get("dropped_full")) > 0);
                assertThat(Long.parseLong(shown(proxy, "table").get("queued"))).isLessThanOrEqualTo(8192);
                await().until(() -> Long.parseLong(shown(proxy, "table").get("dropped_failed")) > 0);
            }
            await().until(() -> shown(proxy, "table").getOrDefault("queued", "").equals("0")
                    && shown(proxy, "table").getOrDefault("problem", "").equals("null"));
            Map<String, String> table = shown(proxy, "table");
            long missing = Long.parseLong(table.get("dropped"))
                    + Long.parseLong(shown(proxy, "loops").get("dropped"));
            assertThat(Long.parseLong(table.get("written")) + missing).isEqualTo(60_003);
        }
    }
}
