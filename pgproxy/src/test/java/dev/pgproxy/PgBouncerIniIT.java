package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.protocol.startup.InitialMessage;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.SecurePostgres;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Clients of a proxy that was started from a {@code pgbouncer.ini} with its {@code userlist.txt}. */
final class PgBouncerIniIT {
    private static final String SECRET = "s\"ecret";

    @TempDir
    private Path directory;

    private final EmbeddedPostgres server = TestCluster.primary();
    private final String pooled = TestCluster.freshDatabase();
    private final String plain = TestCluster.freshRole(SECRET);
    private final String scram = TestCluster.freshRole(SECRET);
    private final String hashed = TestCluster.freshRole(SECRET);
    private final String unlisted = TestCluster.freshRole(SECRET);
    private Path file;

    @BeforeEach
    void writeUserList() throws IOException {
        file = directory.resolve("pgbouncer.ini");
        Files.writeString(directory.resolve("userlist.txt"), """
                "postgres" "%s"
                "%s" "s""ecret"
                "%s" "%s"
                "%s" "%s" rest of the line
                """.formatted(
                        TestCluster.PASSWORD,
                        plain,
                        scram,
                        SecurePostgres.stored(server, scram),
                        hashed,
                        md5(SECRET + hashed)));
    }

    private static String md5(String text) {
        try {
            MessageDigest digest = MessageDigest.getInstance("MD5");
            return "md5" + HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private String ini(String more) {
        return """
                [databases]
                tx = host=%1$s port=%2$d dbname=%3$s pool_mode=transaction
                forced = host=%1$s port=%2$d dbname=%3$s user=postgres password='%4$s'
                * = host=%1$s port=%2$d
                [users]
                %5$s = idle_transaction_timeout=1
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = 0
                unix_socket_dir =
                auth_file = %6$s/userlist.txt
                admin_users = postgres
                stats_users = %5$s
                default_pool_size = 1
                query_wait_timeout = 1
                pkt_buf = 8192
                server_round_robin = 1
                %7$s
                """.formatted(server.host(), server.port(), pooled, TestCluster.PASSWORD, plain, directory, more);
    }

    private TestProxy start(String more) throws Exception {
        Files.writeString(file, ini(more));
        return new TestProxy(
                PgProxy.start(ConfigLoader.load(file, Map.of()), () -> ConfigLoader.load(file, Map.of())), server);
    }

    @Test
    void everyKindOfSecretOfTheListLetsItsUserIn() throws Exception {
        try (TestProxy proxy = start("")) {
            for (String user : List.of(plain, scram)) {
                assertThat(Message.rows(proxy.as(user, SECRET, "tx").run("SELECT current_user, current_database()")))
                        .containsExactly(List.of(user, pooled));
            }
            assertThat(Message.rows(proxy.as(hashed, SECRET, "forced").run("SELECT current_user")))
                    .containsExactly(List.of("postgres"));
            assertThat(Message.rows(proxy.as(scram, SECRET, pooled).run("SELECT current_database()")))
                    .containsExactly(List.of(pooled));
        }
    }

    @Test
    void refusalsSayWhatToolsLookFor() throws Exception {
        try (TestProxy proxy = start("max_client_conn = 1\nmax_db_client_connections = 9")) {
            for (String user : List.of(plain, scram, "nobody_at_all", unlisted)) {
                Message refused = proxy.attempt(user, "wrong", "tx");
                assertThat(refused.field('C')).isEqualTo("28P01");
                assertThat(refused.field('M')).startsWith("password authentication failed");
            }
            try (RawClient first = proxy.as(plain, SECRET, "tx").login()) {
                assertThat(first.query("SELECT 1").readUntilReady()).isNotEmpty();
                Message refused = proxy.attempt(scram, SECRET, "tx");
                assertThat(refused.field('C')).isEqualTo("53300");
                assertThat(refused.field('M')).isEqualTo("no more connections allowed (max_client_conn)");
            }
        }
    }

    @Test
    void theModeOfADatabaseIsItsOwnAndTheUsualOneIsSession() throws Exception {
        try (TestProxy proxy = start("")) {
            try (RawClient first = proxy.as(plain, SECRET, "tx").login();
                    RawClient second = proxy.as(plain, SECRET, "tx").login()) {
                for (RawClient client : List.of(first, second, first)) {
                    assertThat(Message.types(client.query("SELECT 1").readUntilReady()))
                            .isEqualTo("TDCZ");
                }
            }
            try (RawClient first = proxy.as(scram, SECRET, pooled).login();
                    RawClient second = proxy.as(scram, SECRET, pooled).login()) {
                first.query("SELECT 1").readUntilReady();
                Message late = second.query("SELECT 1").readUntil('E').getLast();
                assertThat(late.field('M')).isEqualTo("query_wait_timeout");
            }
            List<Message> pools = console(proxy, "SHOW POOLS");
            assertThat(Message.columns(pools))
                    .containsExactly(
                            "database",
                            "user",
                            "cl_active",
                            "cl_waiting",
                            "cl_active_cancel_req",
                            "cl_waiting_cancel_req",
                            "sv_active",
                            "sv_active_cancel",
                            "sv_being_canceled",
                            "sv_idle",
                            "sv_used",
                            "sv_tested",
                            "sv_login",
                            "maxwait",
                            "maxwait_us",
                            "pool_mode",
                            "load_balance_hosts");
            assertThat(Message.rows(pools))
                    .anySatisfy(row -> assertThat(row).startsWith("tx", plain).contains("transaction"))
                    .anySatisfy(row -> assertThat(row).startsWith(pooled, scram).contains("session"));
        }
    }

    private static List<Message> console(TestProxy proxy, String command) {
        return proxy.as("postgres", TestCluster.PASSWORD, "pgbouncer").run(command);
    }

    @Test
    void aTimeOutOfAUserHoldsForHimAlone() throws Exception {
        try (TestProxy proxy = start("");
                RawClient hasty = proxy.as(plain, SECRET, "tx").login();
                RawClient patient = proxy.as(scram, SECRET, "tx").login()) {
            patient.query("BEGIN").readUntilReady();
            hasty.query("BEGIN").readUntilReady();
            assertThat(hasty.readUntil('E').getLast().field('M')).isEqualTo("idle_transaction_timeout");
            assertThat(Message.types(patient.query("COMMIT").readUntilReady())).isEqualTo("CZ");
        }
    }

    @Test
    void unlistedUsersAreLookedUp() throws Exception {
        try (TestProxy proxy = start("auth_user = postgres\nauth_dbname = forced")) {
            assertThat(Message.rows(proxy.as(unlisted, SECRET, "tx").run("SELECT current_user")))
                    .containsExactly(List.of(unlisted));
            assertThat(proxy.attempt(unlisted, "wrong", "tx").field('C')).isEqualTo("28P01");
        }
    }

    @Test
    void aDriverPreparesWhateverTheFileSaysOfIt() throws Exception {
        try (TestProxy proxy = start("max_prepared_statements = 0\nignore_startup_parameters = extra_float_digits")) {
            String url = "jdbc:postgresql://127.0.0.1:" + proxy.proxy().port() + "/tx?prepareThreshold=1";
            try (Connection connection = DriverManager.getConnection(url, plain, SECRET);
                    PreparedStatement statement = connection.prepareStatement("SELECT ?::int + 1")) {
                for (int i = 0; i < 5; i++) {
                    assertThat(next(statement, i)).isEqualTo(i + 1);
                }
            }
        }
    }

    private static int next(PreparedStatement statement, int value) throws SQLException {
        statement.setInt(1, value);
        try (ResultSet result = statement.executeQuery()) {
            result.next();
            return result.getInt(1);
        }
    }

    @Test
    void reloadReadsTheFileAgainAndWhatIsWrongChangesNothing() throws Exception {
        try (TestProxy proxy = start("")) {
            Files.writeString(file, ini("max_client_conn = 77"));
            console(proxy, "RELOAD");
            assertThat(proxy.proxy().config().limits().maxClientConn()).isEqualTo(77);
            Files.writeString(file, ini("max_client_conn = 78\nmax_client_con = 79"));
            try (RawClient admin =
                    proxy.as("postgres", TestCluster.PASSWORD, "pgbouncer").login()) {
                Message error = admin.query("RELOAD").readUntilReady().getFirst();
                assertThat(error.field('D'))
                        .contains("pgbouncer.ini:19: unknown setting 'max_client_con' of PgBouncer");
            }
            assertThat(proxy.proxy().config().limits().maxClientConn()).isEqualTo(77);
        }
    }

    @Test
    void theProgramStartsFromItAndListsWhatItHasNot() throws Exception {
        Files.writeString(file, ini(""));
        try (ProxyProcess process = ProxyProcess.start("run", "-v", file.toString())) {
            Endpoint endpoint = process.endpoint("tx");
            endpoint.run("SELECT 1");
            process.awaitLine("no equivalent: " + file + ":17: server_round_robin: ");
            process.awaitLine("not needed: " + file + ":16: pkt_buf: ");
            Files.writeString(file, ini("max_db_connections = 5"));
            process.signal("HUP");
            process.awaitLine("configuration read again");
            await().untilAsserted(() -> assertThat(
                            Message.rows(endpoint.withDatabase("pgbouncer").run("SHOW CONFIG")))
                    .anySatisfy(row -> assertThat(row).startsWith("max_db_connections", "5"))
                    .anySatisfy(row -> assertThat(row).startsWith("log_level", "debug")));
            assertThat(process.lines()).noneMatch(line -> line.contains(TestCluster.PASSWORD + "'"));
        }
    }

    @Test
    void parametersThatPgBouncerDoesNotTrackAreRefusedOrIgnored() throws Exception {
        try (TestProxy proxy = start("ignore_startup_parameters = Extra_Float_Digits, search_path")) {
            assertThat(refusal(proxy, "work_mem", "1MB")).isEqualTo("08P01: unsupported startup parameter: work_mem");
            assertThat(refusal(proxy, "options", "-c search_path=x -c work_mem=1MB"))
                    .isEqualTo("08P01: unsupported startup parameter in options: work_mem");
            try (RawClient client = proxy.connect()) {
                Map<String, String> parameters = RawClient.parameters(
                        "user",
                        plain,
                        "database",
                        "tx",
                        "extra_float_digits",
                        "0",
                        "options",
                        "-c search_path=elsewhere -c TimeZone=Asia/Tokyo -c intervalstyle=iso_8601");
                assertThat(client.login(InitialMessage.VERSION_3_0, SECRET, parameters)
                                .getLast()
                                .isReady())
                        .isTrue();
                assertThat(Message.rows(client.query(
                                        "SELECT current_setting('search_path'), current_setting('TimeZone'),"
                                                + " current_setting('IntervalStyle'), current_setting('extra_float_digits')")
                                .readUntilReady()))
                        .containsExactly(List.of("\"$user\", public", "Asia/Tokyo", "iso_8601", "1"));
            }
        }
        try (TestProxy proxy = start("ignore_startup_parameters = options\ntrack_extra_parameters = work_mem")) {
            assertThat(refusal(proxy, "intervalstyle", "iso_8601"))
                    .isEqualTo("08P01: unsupported startup parameter: intervalstyle");
            try (RawClient client = proxy.connect()) {
                Map<String, String> parameters = RawClient.parameters(
                        "user", plain, "database", "tx", "work_mem", "1MB", "options", "-c nonsense");
                client.login(InitialMessage.VERSION_3_0, SECRET, parameters);
                assertThat(Message.rows(client.query("SHOW work_mem").readUntilReady()))
                        .containsExactly(List.of("1MB"));
            }
        }
    }

    private String refusal(TestProxy proxy, String name, String value) {
        try (RawClient client = proxy.connect()) {
            Message answer = client.startup(
                            InitialMessage.VERSION_3_0,
                            RawClient.parameters("user", plain, "database", "tx", name, value))
                    .readMessage();
            return answer.field('C') + ": " + answer.field('M');
        }
    }

    @Test
    void theLogAndTheIdOfTheProcessAreInItsFiles() throws Exception {
        Path log = directory.resolve("pgbouncer.log");
        Path old = directory.resolve("pgbouncer.log.1");
        Path id = directory.resolve("pgbouncer.pid");
        String files = "logfile = " + log + "\npidfile = " + id;
        Files.writeString(file, ini(files));
        Files.writeString(id, Long.toString(Integer.MAX_VALUE)); // of nobody
        try (ProxyProcess process = ProxyProcess.start("run", file.toString())) {
            process.endpoint("tx").run("SELECT 1");
            assertThat(Files.readString(log)).contains("stale pidfile, removing", "logged in");
            await().until(() -> ProcessHandle.of(
                            Long.parseLong(Files.readString(id).strip()))
                    .isPresent());
            Files.writeString(file, ini(files));
            Outcome second = call("run", file.toString());
            assertThat(second.exit()).isEqualTo(1);
            assertThat(second.err()).contains("pidfile exists, another instance running?");
            Files.move(log, old);
            process.signal("HUP");
            await().until(() -> Files.exists(log) && Files.readString(log).contains("configuration read again"));
            assertThat(Files.readString(old)).contains("logged in").doesNotContain("configuration read again");
            process.signal("TERM");
            assertThat(process.exitCode()).isZero();
            assertThat(id).doesNotExist();
        }
    }

    private record Outcome(int exit, String out, String err) {}

    private static Outcome call(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int exit = new CommandLine(new CommandSpecs())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
        return new Outcome(exit, out.toString(), err.toString());
    }

    /** The commands without what starts servers. */
    @CommandLine.Command(subcommands = {Run.class, Check.class, Convert.class})
    private static final class CommandSpecs {}

    @Test
    void whatItIsConvertedToIsTheSameAndCheckedTheSame() throws Exception {
        Files.writeString(file, ini(""));
        Outcome checked = call("check", file.toString());
        assertThat(checked.out())
                .contains(
                        "is valid",
                        "no equivalent: " + file + ":17: server_round_robin",
                        "database tx:",
                        "ok, PostgreSQL");
        assertThat(checked.exit()).isZero();
        Outcome converted = call("convert", file.toString());
        assertThat(converted.exit()).isZero();
        Path own = Files.writeString(directory.resolve("pgproxy.conf"), converted.out());
        assertThat(ConfigLoader.load(own, Map.of())).isEqualTo(ConfigLoader.load(file, Map.of()));
        Outcome again = call("convert", own.toString());
        assertThat(again.exit()).isEqualTo(78);
        assertThat(again.err()).contains("was read as PgBouncer's pgbouncer.ini");
    }

    @Test
    void optionsThatWouldNotBeObeyedAreRefusedWithWhatToDo() throws Exception {
        Files.writeString(file, ini(""));
        for (List<String> option : List.of(List.of("-d"), List.of("-R"), List.of("-u", "not-me"))) {
            List<String> arguments = new ArrayList<>(List.of("run", file.toString()));
            arguments.addAll(option);
            Outcome outcome = call(arguments.toArray(String[]::new));
            assertThat(outcome.exit()).isEqualTo(2);
            assertThat(outcome.err())
                    .startsWith("pgproxy: " + option.getFirst() + ": ")
                    .containsAnyOf("systemd", "handover_socket");
        }
        assertThat(call("run", "-c", file.toString(), file.toString()).exit()).isEqualTo(2);
    }
}
