package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ColumnType;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.ProxyUnderTest.InThisJvm;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.util.PSQLException;

/** The console, as PgBouncer's users and their tools know it, and what is new in it. */
final class ConsoleIT {
    private static InThisJvm proxy;

    @BeforeAll
    static void start() {
        proxy = ProxyUnderTest.with("""
                stats_period = 200ms
                default_pool_size = 2
                stats_users = [watcher]
                users { watcher { password = w } }
                server_tls_key_password = hush
                """);
    }

    @AfterAll
    static void stop() {
        proxy.proxy().close();
    }

    private static Connection console(String options) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + proxy.port() + "/pgbouncer?" + options,
                proxy.user(),
                proxy.password());
    }

    private static Endpoint as(String database) {
        return new Endpoint(proxy.host(), proxy.port(), database, proxy.user(), proxy.password());
    }

    private static RawClient console() {
        return as("pgproxy").login();
    }

    /** The rows of a SHOW, by column. */
    private static List<Map<String, String>> rows(String command) throws SQLException {
        try (Connection connection = console("preferQueryMode=simple");
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(command)) {
            ResultSetMetaData columns = result.getMetaData();
            List<Map<String, String>> rows = new ArrayList<>();
            while (result.next()) {
                Map<String, String> row = new LinkedHashMap<>();
                for (int i = 1; i <= columns.getColumnCount(); i++) {
                    row.put(columns.getColumnName(i), result.getString(i));
                }
                rows.add(row);
            }
            return rows;
        }
    }

    private static Map<String, String> row(String command, String column, String value) throws SQLException {
        return rows(command).stream()
                .filter(row -> value.equals(row.get(column)))
                .findFirst()
                .orElse(Map.of());
    }

    private static String tag(RawClient client, String command) {
        List<Message> answer = client.query(command).readUntilReady();
        for (Message message : answer) {
            if (message.type() == 'C') {
                return new String(message.body(), 0, message.body().length - 1, StandardCharsets.UTF_8);
            } else if (message.type() == 'E') {
                return message.field('C') + " " + message.field('M');
            }
        }
        return Message.types(answer);
    }

    private static Map<String, String> fixture() throws IOException {
        try (InputStream in = ConsoleIT.class.getResourceAsStream("console/pgbouncer-1.24.1-columns.txt")) {
            Map<String, String> columns = new LinkedHashMap<>();
            new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .forEach(line -> columns.put(line.split(" ", 2)[0], line.split(" ", 2)[1]));
            return columns;
        }
    }

    private static String columns(ResultSetMetaData meta) throws SQLException {
        List<String> columns = new ArrayList<>();
        for (int i = 1; i <= meta.getColumnCount(); i++) {
            columns.add(meta.getColumnName(i) + ":" + meta.getColumnTypeName(i));
        }
        return String.join(" ", columns);
    }

    // ---- SHOW

    @Test
    void everyTableHasPgBouncersColumnsInBothProtocols() throws Exception {
        Map<String, String> expected = fixture();
        // bytes beyond 2 GB do not fit PgBouncer's int4
        expected.put("MEM", "name:text size:int4 used:int8 free:int8 memtotal:int8");
        assertThat(expected).hasSize(19);
        for (String mode : List.of("preferQueryMode=simple", "preferQueryMode=extended", "prepareThreshold=-1")) {
            try (Connection connection = console(mode)) {
                for (Map.Entry<String, String> table : expected.entrySet()) {
                    try (PreparedStatement statement = connection.prepareStatement("SHOW " + table.getKey());
                            ResultSet result = statement.executeQuery()) {
                        assertThat(columns(result.getMetaData()))
                                .as("%s %s", mode, table.getKey())
                                .isEqualTo(table.getValue());
                    }
                }
            }
        }
    }

    @Test
    void numbersAreTheSameInBinaryFormat() throws Exception {
        proxy.proxied().run("SELECT 1");
        try (Connection connection = console("prepareThreshold=-1")) {
            for (int i = 0; i < 3; i++) {
                try (PreparedStatement statement = connection.prepareStatement("SHOW TOTALS");
                        ResultSet result = statement.executeQuery()) {
                    result.next();
                    result.next();
                    assertThat(result.getString(1)).isEqualTo("total_xact_count");
                    assertThat(result.getBigDecimal(2)).isBetween(BigDecimal.ONE, BigDecimal.valueOf(1000));
                }
                try (PreparedStatement statement = connection.prepareStatement("SHOW DATABASES");
                        ResultSet result = statement.executeQuery()) {
                    result.next();
                    assertThat(result.getInt("port")).isEqualTo(proxy.directPort());
                }
            }
        }
    }

    @Test
    void decimalsInBinaryFormatAreAsPostgresqlSendsThem() {
        List<String> values = new ArrayList<>(List.of(
                "0",
                "0.0",
                "1",
                "-1",
                "9999",
                "10000",
                "10001",
                "0.5",
                "-0.25",
                "0.0001",
                "0.00010",
                "0.00001",
                "12.345678",
                "100000000",
                "123456789.000000",
                "-99999999999999999999.9",
                "0.00000000000000012"));
        Random random = new Random(20261122);
        for (int i = 0; i < 200; i++) {
            values.add(new BigDecimal(new BigInteger(random.nextInt(1, 90), random), random.nextInt(12))
                    .multiply(BigDecimal.valueOf(random.nextBoolean() ? 1 : -1))
                    .toPlainString());
        }
        String sql = "SELECT encode(numeric_send(v), 'hex') FROM unnest('{" + String.join(",", values)
                + "}'::numeric[]) WITH ORDINALITY u (v, n) ORDER BY n";
        List<List<@Nullable String>> sent = Message.rows(
                new Endpoint("127.0.0.1", proxy.directPort(), "postgres", "postgres", TestCluster.PASSWORD).run(sql));
        for (int i = 0; i < values.size(); i++) {
            ByteBuf out = Unpooled.buffer();
            BackendWriter.dataRow(out, List.of(values.get(i)), List.of(ColumnType.NUMERIC), new short[] {1});
            assertThat(ByteBufUtil.hexDump(out).substring(22))
                    .as(values.get(i))
                    .isEqualTo(sent.get(i).getFirst());
        }
    }

    @Test
    void helpIsANoticeWithTheCommandsAsItsDetail() {
        try (RawClient client = console()) {
            List<Message> answer = client.query("show help;").readUntilReady();

            assertThat(Message.types(answer)).isEqualTo("NCZ");
            assertThat(answer.get(0).field('M')).isEqualTo("Console usage");
            assertThat(answer.get(0).field('D')).contains("\tSHOW HELP|CONFIG|DATABASES", "\tPAUSE [<db>]");
        }
    }

    @Test
    void configShowsEverySettingAndNoSecret() throws SQLException {
        assertThat(row("SHOW CONFIG", "key", "default_pool_size"))
                .containsEntry("value", "2")
                .containsEntry("default", "20")
                .containsEntry("changeable", "yes");
        assertThat(row("SHOW CONFIG", "key", "listen_port")).containsEntry("changeable", "no");
        assertThat(rows("SHOW CONFIG").toString()).doesNotContain("hush").contains("****");
    }

    @Test
    void aClientInATransactionIsShownWithItsServer() throws SQLException {
        try (RawClient client = as(TestCluster.freshDatabase()).connect()) {
            String database = TestCluster.freshDatabase();
            client.login(
                    196608,
                    proxy.password(),
                    RawClient.parameters("user", proxy.user(), "database", database, "application_name", "seen"));
            List<Message> answer =
                    client.query("BEGIN; SELECT pg_backend_pid()").readUntilReady();
            String pid = answer.get(2).values().get(0);
            Map<String, String> shown = row("SHOW CLIENTS", "database", database);
            Map<String, String> server = row("SHOW SERVERS", "database", database);
            Map<String, String> pool = row("SHOW POOLS", "database", database);

            assertThat(shown)
                    .containsEntry("type", "C")
                    .containsEntry("state", "active")
                    .containsEntry("replication", "none")
                    .containsEntry("application_name", "seen")
                    .containsEntry("addr", "127.0.0.1")
                    .containsEntry("local_port", "" + proxy.port())
                    .containsEntry("link", server.get("ptr"));
            assertThat(server)
                    .containsEntry("state", "active")
                    .containsEntry("remote_pid", pid)
                    .containsEntry("port", "" + proxy.directPort())
                    .containsEntry("application_name", "seen")
                    .containsEntry("link", shown.get("ptr"));
            assertThat(pool)
                    .containsEntry("cl_active", "1")
                    .containsEntry("sv_active", "1")
                    .containsEntry("sv_idle", "0")
                    .containsEntry("pool_mode", "transaction");
            assertThat(row("SHOW DATABASES", "name", database))
                    .containsEntry("current_connections", "1")
                    .containsEntry("current_client_connections", "1")
                    .containsEntry("pool_size", "2");

            client.query("COMMIT").readUntilReady();
            assertThat(row("SHOW POOLS", "database", database))
                    .containsEntry("sv_active", "0")
                    .containsEntry("sv_idle", "1");
            assertThat(rows("SHOW ACTIVE_SOCKETS").toString()).doesNotContain("database=" + database);
            assertThat(row("SHOW SOCKETS", "database", database)).containsEntry("state", "cl_active");
        }
    }

    @Test
    void clientsThatWaitAreShownWithTheirTime() throws Exception {
        Endpoint endpoint = as(TestCluster.freshDatabase());
        try (RawClient first = endpoint.login();
                RawClient second = endpoint.login();
                RawClient third = endpoint.login()) {
            first.query("BEGIN").readUntilReady();
            second.query("BEGIN").readUntilReady();
            third.query("SELECT 1");

            await().untilAsserted(() -> assertThat(row("SHOW POOLS", "database", endpoint.database()))
                    .containsEntry("cl_waiting", "1")
                    .containsEntry("cl_active", "2"));
            Map<String, String> waiting = row("SHOW CLIENTS", "state", "waiting");
            assertThat(Long.parseLong(waiting.get("wait")) * 1_000_000 + Long.parseLong(waiting.get("wait_us")))
                    .isBetween(1L, 20_000_000L);

            first.query("COMMIT").readUntilReady();
            third.readUntilReady();
        }
    }

    @Test
    void totalsCountAndAveragesFollowAfterAPeriod() throws SQLException {
        String database = TestCluster.freshDatabase();
        try (RawClient client = as(database).login()) {
            long before = Long.parseLong(row("SHOW STATS", "database", database).getOrDefault("total_xact_count", "0"));
            await().untilAsserted(() -> {
                client.query("SELECT pg_sleep(0.01)").readUntilReady();
                Map<String, String> stats = row("SHOW STATS", "database", database);
                assertThat(Long.parseLong(stats.get("avg_query_count"))).isPositive();
                assertThat(Long.parseLong(stats.get("avg_query_time"))).isBetween(10_000L, 5_000_000L);
                assertThat(Long.parseLong(stats.get("avg_recv"))).isPositive();
            });
            Map<String, String> stats = row("SHOW STATS_TOTALS", "database", database);
            assertThat(Long.parseLong(stats.get("xact_count"))).isGreaterThan(before);
            assertThat(Long.parseLong(stats.get("query_time"))).isGreaterThan(10_000);
            assertThat(Long.parseLong(stats.get("bytes_sent"))).isPositive();
        }
    }

    @Test
    void preparedStatementsAndCopyAreCounted() throws SQLException {
        String database = TestCluster.freshDatabase();
        try (RawClient client = as(database).login()) {
            client.query("CREATE TABLE t (a text)").readUntilReady();
            client.parse("s", "SELECT 1").sync().readUntilReady();
            client.bind("", "s").execute("").sync().readUntilReady();
            client.bind("", "s").execute("").sync().readUntilReady();
            client.query("COPY t FROM STDIN").readUntil('G');
            client.copyData("x".repeat(100_000) + "\n").copyDone().readUntilReady();

            Map<String, String> totals = row("SHOW STATS_TOTALS", "database", database);
            assertThat(totals)
                    .containsEntry("client_parse_count", "1")
                    .containsEntry("server_parse_count", "1")
                    .containsEntry("bind_count", "2");
            assertThat(Long.parseLong(totals.get("bytes_received"))).isBetween(100_000L, 102_000L);
        }
    }

    @Test
    void pinsSayWhyAndSinceWhen() throws SQLException {
        String database = TestCluster.freshDatabase();
        try (RawClient client = as(database).login()) {
            client.query("CREATE TEMP TABLE t (a int)").readUntilReady();

            await().untilAsserted(() -> assertThat(row("SHOW PINS", "database", database))
                    .containsEntry("reason", "temporary object")
                    .containsEntry("statement", "CREATE TEMP TABLE t (a int)")
                    .containsEntry(
                            "server_pid",
                            row("SHOW SERVERS", "database", database).get("remote_pid")));
        }
    }

    @Test
    void memoryIsMeasured() throws SQLException {
        Map<String, String> direct = row("SHOW MEM", "name", "netty_direct");

        assertThat(Long.parseLong(direct.get("memtotal"))).isPositive();
        assertThat(rows("SHOW MEM"))
                .allSatisfy(row -> assertThat(Long.parseLong(row.get("used")) + Long.parseLong(row.get("free")))
                        .isEqualTo(Long.parseLong(row.get("memtotal"))));
    }

    // ---- who may, and what is refused

    @Test
    void onlyAdminAndStatsUsersGetIn() {
        String role = TestCluster.freshRole("x");
        try (RawClient client = as("pgproxy").connect()) {
            assertThat(client.login(role, "x", "pgproxy").getLast().type()).isEqualTo('E');
        }
        try (RawClient client = as("pgproxy").connect()) {
            assertThat(client.login("watcher", "w", "pgbouncer").getLast().isReady())
                    .isTrue();
            assertThat(tag(client, "SHOW STATE")).isEqualTo("SHOW");
            assertThat(tag(client, "PAUSE")).isEqualTo("42501 admin access needed");
            assertThat(tag(client, "SHUTDOWN")).isEqualTo("42501 admin access needed");
        }
    }

    @Test
    void errorsHavePgBouncersWords() {
        try (RawClient client = console()) {
            assertThat(tag(client, "SHOW FOO")).isEqualTo("08P01 invalid command 'SHOW FOO', use SHOW HELP;");
            assertThat(tag(client, "DROP TABLE x")).isEqualTo("08P01 invalid command 'DROP TABLE x', use SHOW HELP;");
            assertThat(tag(client, "PAUSE 'unfinished")).startsWith("08P01 invalid command");
            assertThat(tag(client, "RESUME")).isEqualTo("08P01 pooler is not paused/suspended");
            assertThat(tag(client, "RESUME nosuch")).isEqualTo("08P01 database nosuch is not paused");
            assertThat(tag(client, "DISABLE")).isEqualTo("08P01 a database is required");
            assertThat(tag(client, "KILL")).isEqualTo("08P01 a database is required");
            assertThat(tag(client, "PAUSE pgbouncer")).isEqualTo("08P01 cannot pause admin db: pgbouncer");
            assertThat(tag(client, "KILL_CLIENT")).isEqualTo("08P01 invalid client pointer supplied");
            assertThat(tag(client, "KILL_CLIENT 999999999")).isEqualTo("08P01 client not found");
            assertThat(tag(client, "SUSPEND")).isEqualTo("0A000 SUSPEND is not supported");
            assertThat(tag(client, "SET nonsense = 1")).isEqualTo("F0000 SET failed");
            assertThat(client.query("FOO").readUntilReady().get(0).field('H')).contains("SHOW HELP");
        }
    }

    @Test
    void toolsThatOnlyLookWhetherAnybodyIsThereAreAnswered() throws SQLException {
        try (RawClient client = console()) {
            assertThat(tag(client, "")).isEqualTo("IZ");
            assertThat(tag(client, " ; ")).isEqualTo("IZ");
            assertThat(tag(client, "SELECT 1")).isEqualTo("SELECT 1");
            assertThat(Message.types(client.query("SHOW VERSION; SHOW STATE").readUntilReady()))
                    .isEqualTo("TDCTDDDCZ");
            assertThat(Message.types(
                            client.query("SHOW VERSION; FOO; SHOW STATE").readUntilReady()))
                    .isEqualTo("TDCEZ");
        }
        try (Connection connection = console("")) {
            assertThat(connection.isValid(5)).isTrue();
        }
    }

    // ---- commands

    @Test
    void settingsChangeAtOnceAndWrongOnesAreExplained() throws SQLException {
        try (RawClient client = console()) {
            assertThat(tag(client, "SET query_wait_timeout = '77s'")).isEqualTo("SET query_wait_timeout=77s");
            assertThat(row("SHOW CONFIG", "key", "query_wait_timeout")).containsEntry("value", "77s");
            assertThat(tag(client, "SET query_wait_timeout TO 120")).isEqualTo("SET query_wait_timeout=120s");
            assertThat(tag(client, "SET application_name = 'psql'")).isEqualTo("SET");
            Message wrong =
                    client.query("SET pool_mode = often").readUntilReady().get(0);
            assertThat(wrong.field('M')).isEqualTo("SET failed");
            assertThat(wrong.field('D')).contains("session, transaction, statement");
            Message fixed = client.query("SET listen_port = 1").readUntilReady().get(0);
            assertThat(fixed.field('D')).contains("restart");
            assertThat(tag(client, "SET server_tls_key_password = 'secret'"))
                    .isEqualTo("SET server_tls_key_password=****");
        }
    }

    @Test
    void pauseWaitsForTransactionsAndHoldsClientsBackUntilResume() throws SQLException {
        Endpoint endpoint = as(TestCluster.freshDatabase());
        try (RawClient admin = console();
                RawClient client = endpoint.login();
                RawClient other = endpoint.login()) {
            client.query("BEGIN").readUntilReady();
            admin.query("PAUSE " + endpoint.database());
            assertThat(admin.poll(300)).isNull();
            client.query("COMMIT").readUntilReady();
            assertThat(Message.types(admin.readUntilReady())).isEqualTo("CZ");
            assertThat(row("SHOW DATABASES", "name", endpoint.database()))
                    .containsEntry("paused", "1")
                    .containsEntry("current_connections", "0");
            other.query("SELECT 1");
            assertThat(other.poll(300)).isNull();
            assertThat(tag(admin, "RESUME \"" + endpoint.database() + "\"")).isEqualTo("RESUME");
            other.readUntilReady();
            assertThat(row("SHOW DATABASES", "name", endpoint.database())).containsEntry("paused", "0");
        }
    }

    @Test
    void pauseOfADatabaseThatNobodyHasUsedHoldsItsFirstClient() {
        Endpoint endpoint = as(TestCluster.freshDatabase());
        try (RawClient admin = console()) {
            assertThat(tag(admin, "PAUSE " + endpoint.database())).isEqualTo("PAUSE");
            CompletableFuture<Void> answered = CompletableFuture.runAsync(() -> endpoint.run("SELECT 1"));
            await().untilAsserted(() -> assertThat(row("SHOW POOLS", "database", endpoint.database()))
                    .containsEntry("cl_waiting", "1")
                    .containsEntry("sv_login", "0"));
            assertThat(answered).isNotDone();
            assertThat(tag(admin, "RESUME " + endpoint.database())).isEqualTo("RESUME");
            await().until(answered::isDone);
            answered.join();
        }
    }

    @Test
    void disabledDatabasesRefuseNewClientsOnly() {
        Endpoint endpoint = as(TestCluster.freshDatabase());
        try (RawClient admin = console();
                RawClient old = endpoint.login()) {
            assertThat(tag(admin, "DISABLE " + endpoint.database())).isEqualTo("DISABLE");
            old.query("SELECT 1").readUntilReady();
            try (RawClient late = endpoint.connect()) {
                Message refusal = late.login(endpoint.user(), endpoint.password(), endpoint.database())
                        .getLast();
                assertThat(refusal.field('M')).isEqualTo("database \"" + endpoint.database() + "\" is disabled");
                assertThat(refusal.field('C')).isEqualTo("55000");
            }
            assertThat(tag(admin, "ENABLE " + endpoint.database())).isEqualTo("ENABLE");
            endpoint.run("SELECT 1");
        }
    }

    @Test
    void reconnectReplacesServersAndWaitCloseTellsWhenItIsDone() {
        Endpoint endpoint = as(TestCluster.freshDatabase());
        try (RawClient admin = console();
                RawClient client = endpoint.login()) {
            String before = pid(client, "BEGIN; SELECT pg_backend_pid()", 2);
            assertThat(tag(admin, "RECONNECT " + endpoint.database())).isEqualTo("RECONNECT");
            admin.query("WAIT_CLOSE " + endpoint.database());
            assertThat(admin.poll(200)).isNull();
            assertThat(pid(client, "SELECT pg_backend_pid()", 1)).isEqualTo(before);
            client.query("COMMIT").readUntilReady();
            assertThat(Message.types(admin.readUntilReady())).isEqualTo("CZ");
            assertThat(pid(client, "SELECT pg_backend_pid()", 1)).isNotEqualTo(before);
        }
    }

    private static String pid(RawClient client, String sql, int row) {
        return client.query(sql).readUntilReady().get(row).values().get(0);
    }

    @Test
    void killClosesClientsAndServersAndHoldsNewClientsUntilResume() throws SQLException {
        Endpoint endpoint = as(TestCluster.freshDatabase());
        try (RawClient admin = console();
                RawClient client = endpoint.login()) {
            client.query("BEGIN").readUntilReady();
            assertThat(tag(admin, "KILL " + endpoint.database())).isEqualTo("KILL");
            assertThat(client.readUntilClosed().get(0).field('C')).isEqualTo("57P01");
            await().untilAsserted(() -> assertThat(row("SHOW DATABASES", "name", endpoint.database()))
                    .containsEntry("current_connections", "0")
                    .containsEntry("paused", "1"));
            assertThat(tag(admin, "RESUME " + endpoint.database())).isEqualTo("RESUME");
            endpoint.run("SELECT 1");
        }
    }

    @Test
    void killClientEndsOneClient() throws SQLException {
        Endpoint endpoint = as(TestCluster.freshDatabase());
        try (RawClient admin = console();
                RawClient client = endpoint.login()) {
            client.query("BEGIN").readUntilReady();
            String id = row("SHOW CLIENTS", "database", endpoint.database()).get("id");
            assertThat(tag(admin, "KILL_CLIENT " + id)).isEqualTo("KILL_CLIENT");
            assertThat(client.readUntilClosed().get(0).field('C')).isEqualTo("57P01");
            endpoint.run("SELECT 1");
        }
    }

    @Test
    void theExtendedProtocolRunsCommandsOnce() throws SQLException {
        String database = TestCluster.freshDatabase();
        try (Connection connection = console("");
                Statement statement = connection.createStatement()) {
            statement.execute("PAUSE " + database);
            assertThat(row("SHOW DATABASES", "name", database)).containsEntry("paused", "1");
            statement.execute("RESUME " + database);
            assertThatThrownBy(() -> statement.execute("RESUME " + database))
                    .isInstanceOf(PSQLException.class)
                    .hasMessageContaining("is not paused");
        }
    }
}
