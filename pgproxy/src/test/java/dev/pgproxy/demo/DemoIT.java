package dev.pgproxy.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoIT {
    private static final String COUNTS = """
            SELECT concat_ws(' ', (SELECT count(*) FROM users), (SELECT count(*) FROM notes),
                (SELECT count(*) FROM note_statistics), (SELECT count(*) FROM note_media),
                (SELECT count(*) FROM comments), (SELECT count(*) FROM comments WHERE parent_id IS NOT NULL),
                (SELECT count(*) FROM crawler_jobs), (SELECT count(*) FROM query_log))
            """;

    @TempDir
    private Path temp;

    private final List<String> lines = new ArrayList<>();
    private final List<String> events = new ArrayList<>();

    @BeforeEach
    void letTheServersAccountThrough() throws Exception {
        Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwx--x--x"));
    }

    @Test
    void itPrintsAnAddressPerServerAndReadyLastAndTheyHoldTheNotes() throws Exception {
        int port = freePort();
        try (Demo demo = Demo.start(new DemoOptions(port, 0, null, 1, false), this::proxy, lines::add)) {
            assertThat(demo).isNotNull();
            List<String> addresses = lines.stream()
                    .filter(line -> line.matches("\\w+: postgres://.*"))
                    .toList();
            assertThat(addresses).hasSize(4);
            assertThat(addresses.get(0)).matches("primary: postgres://demo:demo@127\\.0\\.0\\.1:\\d+/demo");
            assertThat(addresses.get(1)).matches("replica: postgres://demo:demo@127\\.0\\.0\\.1:\\d+/demo");
            assertThat(addresses.get(2)).isEqualTo("console: postgres://demo:demo@127.0.0.1:" + port + "/pgproxy");
            assertThat(addresses.get(3)).isEqualTo("ready: postgres://demo:demo@127.0.0.1:" + port + "/demo");
            assertThat(lines).endsWith(addresses.get(3));
            for (String line : addresses.subList(0, 2)) {
                assertThat(query(line, COUNTS)).isEqualTo("200 2000 2000 1500 5000 3000 500 3000");
            }
        }
        assertThat(events).containsExactly("started", "closed");
    }

    @Test
    void theCommentsAnswerCommentsOnTheSameNoteAndTheOwnerMayCreateTables() throws Exception {
        DemoOptions options = new DemoOptions(freePort(), 0, null, 0, false);
        try (Demo demo = Demo.start(options, this::proxy, lines::add)) {
            assertThat(demo).isNotNull();
            String primary = primaryLine();
            assertThat(
                            query(
                                    primary,
                                    "SELECT count(*) FROM comments c JOIN comments p ON p.id = c.parent_id WHERE p.note_id <> c.note_id"))
                    .isEqualTo("0");
            assertThat(query(
                            primary,
                            "SELECT rolpassword ~ '^SCRAM' OR rolpassword LIKE '***%' FROM pg_roles"
                                    + " WHERE rolname = 'demo'"))
                    .isEqualTo("t");
            assertThat(query(
                            primary,
                            "CREATE TABLE mine (a int); SELECT tableowner FROM pg_tables"
                                    + " WHERE tablename = 'users'"))
                    .isEqualTo("demo");
        }
    }

    @Test
    void keptDataIsThereAtTheNextStart() throws Exception {
        Path directory = temp.resolve("data");
        DemoOptions options = new DemoOptions(freePort(), 0, directory, 0, true);
        try (Demo demo = Demo.start(options, this::proxy, lines::add)) {
            assertThat(demo).isNotNull();
            query(primaryLine(), "DELETE FROM users WHERE id = 1 RETURNING id");
        }
        lines.clear();
        try (Demo demo = Demo.start(options, this::proxy, lines::add)) {
            assertThat(demo).isNotNull();
            assertThat(query(primaryLine(), "SELECT count(*) FROM users")).isEqualTo("199");
        }
    }

    @Test
    void aPortInUseIsSaidBeforeAnythingStarts() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            DemoOptions options = new DemoOptions(taken.getLocalPort(), 0, temp.resolve("data"), 0, false);
            assertThatThrownBy(() -> Demo.start(options, this::proxy, lines::add))
                    .isInstanceOf(ClusterException.class)
                    .hasMessageContaining("Port " + taken.getLocalPort() + " on 127.0.0.1 cannot be used")
                    .hasMessageContaining("--port");
        }
        assertThat(lines).isEmpty();
        assertThat(temp.resolve("data")).doesNotExist();
    }

    @Test
    void aProxyThatCannotStartTakesTheServersWithIt() throws Exception {
        DemoOptions options = new DemoOptions(freePort(), 0, temp.resolve("data"), 0, false);
        assertThatThrownBy(() -> Demo.start(
                        options,
                        (host, given, cluster, redis) -> {
                            throw new IllegalStateException("no proxy today");
                        },
                        lines::add))
                .hasMessage("no proxy today");
        assertThat(temp.resolve("data")).doesNotExist();
    }

    @Test
    void aTerminatedJvmLeavesNothingBehindWhetherItWasReadyOrStarting() throws Exception {
        for (String lastLine : List.of("ready:", "starting")) {
            Path data = temp.resolve("data");
            Process jvm = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            Terminated.class.getName(),
                            Integer.toString(freePort()),
                            data.toString())
                    .redirectErrorStream(true)
                    .start();
            try (BufferedReader out = jvm.inputReader()) {
                assertThat(Stream.generate(() -> readLine(out))
                                .takeWhile(line -> !line.isEmpty())
                                .anyMatch(line -> line.startsWith(lastLine)))
                        .isTrue();
                assertThat(data).exists();

                jvm.destroy();

                assertThat(jvm.waitFor(30, TimeUnit.SECONDS)).isTrue();
                assertThat(data).doesNotExist();
            } finally {
                jvm.destroyForcibly();
            }
        }
    }

    /** The JVM that gets SIGTERM. */
    static final class Terminated {
        private Terminated() {}

        public static void main(String[] args) throws Exception {
            DemoOptions options = new DemoOptions(Integer.parseInt(args[0]), 0, Path.of(args[1]), 1, false);
            Demo.start(options, (host, given, cluster, redis) -> () -> {}, System.out::println)
                    .awaitClosed();
        }
    }

    private static String readLine(BufferedReader in) {
        try {
            String line = in.readLine();
            return line == null ? "" : line;
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private AutoCloseable proxy(
            String host, DemoOptions options, EmbeddedCluster cluster, @Nullable EmbeddedRedis redis) {
        assertThat(host).isEqualTo("127.0.0.1");
        assertThat(options.port()).isPositive();
        assertThat(cluster.primary().isRunning()).isTrue();
        events.add("started");
        return () -> {
            assertThat(cluster.primary().isRunning()).isTrue();
            events.add("closed");
        };
    }

    private String primaryLine() {
        return lines.stream()
                .filter(line -> line.startsWith("primary: "))
                .findFirst()
                .orElseThrow();
    }

    private static String query(String line, String sql) throws SQLException {
        String address = line.substring(line.indexOf('@') + 1);
        try (Connection connection = DriverManager.getConnection("jdbc:postgresql://" + address, "demo", "demo");
                Statement statement = connection.createStatement()) {
            boolean rows = statement.execute(sql);
            while (!rows) {
                rows = statement.getMoreResults();
            }
            try (ResultSet result = statement.getResultSet()) {
                result.next();
                return result.getString(1);
            }
        }
    }

    private static int freePort() throws java.io.IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
