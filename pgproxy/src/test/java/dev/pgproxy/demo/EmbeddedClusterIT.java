package dev.pgproxy.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedClusterIT {
    private static final ClusterOptions TEMPORARY = ClusterOptions.temporary();

    @TempDir
    private Path temp;

    @Test
    void aRowOnThePrimaryArrivesOnBothReplicasWhichRefuseWrites() throws Exception {
        try (EmbeddedCluster cluster = EmbeddedCluster.start(TEMPORARY.withReplicas(2), line -> {})) {
            execute(cluster.primary(), "CREATE TABLE t (a int)", "INSERT INTO t VALUES (42)");
            cluster.awaitReplicas();

            assertThat(cluster.replicas()).hasSize(2).allSatisfy(replica -> {
                assertThat(query(replica, "SELECT a FROM t")).isEqualTo("42");
                assertThatThrownBy(() -> execute(replica, "INSERT INTO t VALUES (43)"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                e -> assertThat(e.getSQLState()).isEqualTo("25006"));
            });
        }
    }

    @Test
    void closingATemporaryClusterLeavesNoProcessAndNoFile() {
        EmbeddedCluster cluster = EmbeddedCluster.start(TEMPORARY.withReplicas(1), line -> {});
        List<Long> pids = pids(cluster);

        cluster.close();

        assertThat(pids).hasSize(2).noneMatch(EmbeddedClusterIT::isAlive);
        assertThat(cluster.directory()).doesNotExist();
    }

    @Test
    void aKeptClusterStartsAgainWithItsRowsEvenAfterACrash() throws Exception {
        Path directory = open(temp).resolve("kept");
        ClusterOptions options = TEMPORARY.withDirectory(directory, true).withReplicas(1);
        try (EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {})) {
            execute(cluster.primary(), "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)");
        }
        try (EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {})) {
            execute(cluster.primary(), "INSERT INTO t VALUES (2)");
            cluster.primary().kill9();
            cluster.replicas().getFirst().kill9();
            assertThat(directory.resolve("primary/postmaster.pid")).exists();
        }

        List<String> progress = new ArrayList<>();
        try (EmbeddedCluster cluster = EmbeddedCluster.start(options.withReplicas(2), progress::add)) {
            cluster.awaitReplicas();
            assertThat(cluster.replicas())
                    .hasSize(2)
                    .allSatisfy(replica ->
                            assertThat(query(replica, "SELECT sum(a) FROM t")).isEqualTo("3"));
        }
        assertThat(progress).noneMatch(line -> line.contains("initialising"));
        assertThat(directory.resolve("primary")).exists();
    }

    @Test
    void aReplicaThatWasPromotedIsThePrimaryOfTheNextStart() throws Exception {
        ClusterOptions options =
                TEMPORARY.withDirectory(open(temp).resolve("promoted"), true).withReplicas(2);
        try (EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {})) {
            execute(cluster.primary(), "CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)");
            cluster.awaitReplicas();
            cluster.primary().kill9();
            execute(cluster.replicas().get(1), "SELECT pg_promote()", "INSERT INTO t VALUES (2)");
        }
        try (EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {})) {
            execute(cluster.primary(), "INSERT INTO t VALUES (3)");
            cluster.awaitReplicas();
            for (EmbeddedPostgres replica : cluster.replicas()) {
                assertThat(query(replica, "SELECT sum(id) FROM t")).isEqualTo("6");
            }
        }
    }

    @Test
    void aReplicaThatIsNotWantedAnyMoreGoesAndItsSlotToo() throws Exception {
        Path directory = open(temp).resolve("kept");
        ClusterOptions options = TEMPORARY.withDirectory(directory, true);
        EmbeddedCluster.start(options.withReplicas(1), line -> {}).close();

        try (EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {})) {
            assertThat(query(cluster.primary(), "SELECT count(*) FROM pg_replication_slots"))
                    .isEqualTo("0");
            assertThat(directory.resolve("replica_1")).doesNotExist();
        }
    }

    @Test
    void serversStopCrashRestartAndReloadOneByOne() throws Exception {
        try (EmbeddedCluster cluster = EmbeddedCluster.start(TEMPORARY.withReplicas(1), line -> {})) {
            EmbeddedPostgres primary = cluster.primary();
            int port = primary.port();

            primary.kill9();
            assertThat(primary.isRunning()).isFalse();
            primary.start();
            primary.stopImmediately();
            primary.start();
            primary.restart();

            assertThat(primary.port()).isEqualTo(port);
            cluster.awaitReplicas();
            execute(primary, "ALTER SYSTEM SET work_mem = '7MB'");
            primary.reload();
            await().untilAsserted(
                            () -> assertThat(query(primary, "SHOW work_mem")).isEqualTo("7MB"));
        }
    }

    @Test
    void settingsAndPasswordAreTheOnesGiven() throws Exception {
        ClusterOptions options =
                TEMPORARY.withSetting("application_name", "it's").withPassword("p w");
        try (EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {})) {
            EmbeddedPostgres primary = cluster.primary();
            assertThat(query(primary, "SELECT reset_val FROM pg_settings WHERE name = 'wal_level'"))
                    .isEqualTo("logical");
            assertThat(Files.readString(primary.dataDirectory().resolve("pgproxy.conf")))
                    .contains("application_name = 'it''s'");
            assertThatThrownBy(() -> primary.connect("postgres", "wrong", "postgres"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
            assertThat(options).asString().doesNotContain("p w");
        }
    }

    @Test
    void aPortInUseIsSaidInASentenceAndNothingIsLeftBehind() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            ClusterOptions options =
                    TEMPORARY.withDirectory(open(temp).resolve("new"), false).withPort(taken.getLocalPort());
            assertThatThrownBy(() -> EmbeddedCluster.start(options, line -> {}))
                    .isInstanceOf(ClusterException.class)
                    .hasMessage("Port %d on 127.0.0.1 is already in use; choose another.", taken.getLocalPort());
            assertThat(temp.resolve("new")).doesNotExist();
        }
    }

    @Test
    void aSettingThatPostgresRefusesIsShownFromItsLog() {
        assertThatThrownBy(() -> EmbeddedCluster.start(TEMPORARY.withSetting("work_mem", "much"), line -> {}))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("ended while it started")
                .hasMessageContaining("work_mem");
    }

    @Test
    void aDirectoryWithOtherFilesIsRefused() throws Exception {
        Files.writeString(temp.resolve("thesis.txt"), "precious");
        assertThatThrownBy(() -> EmbeddedCluster.start(TEMPORARY.withDirectory(temp, false), line -> {}))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("is not empty and holds no cluster of pgproxy");
        assertThat(temp.resolve("thesis.txt")).exists();
    }

    @Test
    void anEmptyDirectoryOfTheUserIsEmptyAgainAfterwards() throws Exception {
        Path mine = open(Files.createDirectory(open(temp).resolve("mine")));
        EmbeddedCluster.start(TEMPORARY.withDirectory(mine, false), line -> {}).close();
        assertThat(mine).isEmptyDirectory();
    }

    @Test
    void aDirectoryThatCannotBeMadeIsSaidInASentence() throws Exception {
        Path file = Files.createFile(temp.resolve("file"));
        assertThatThrownBy(() -> EmbeddedCluster.start(TEMPORARY.withDirectory(file.resolve("x"), false), line -> {}))
                .isInstanceOf(ClusterException.class)
                .hasMessageStartingWith("The data directory cannot be used: " + file);
    }

    @Test
    void aDirectoryInUseIsRefusedWithItsProcess() throws Exception {
        ClusterOptions options = TEMPORARY.withDirectory(open(temp).resolve("one"), false);
        try (EmbeddedCluster cluster = EmbeddedCluster.start(options, line -> {})) {
            assertThatThrownBy(() -> EmbeddedCluster.start(options, line -> {}))
                    .isInstanceOf(ClusterException.class)
                    .hasMessageContaining(
                            "is in use by process " + cluster.primary().pid().orElseThrow());
            assertThat(query(cluster.primary(), "SELECT 1")).isEqualTo("1");
        }
        assertThat(temp.resolve("one")).doesNotExist();
    }

    @Test
    void noServerOutlivesAJvmThatIsKilled() throws Exception {
        Process jvm = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Orphan.class.getName(),
                        open(temp).resolve("orphan").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader out = jvm.inputReader()) {
            List<Long> pids =
                    Stream.of(out.readLine().split(" ")).map(Long::valueOf).toList();
            assertThat(pids).hasSize(2).allMatch(EmbeddedClusterIT::isAlive);

            jvm.destroyForcibly().waitFor();

            await().untilAsserted(() -> assertThat(pids).noneMatch(EmbeddedClusterIT::isAlive));
        } finally {
            jvm.destroyForcibly();
        }
    }

    /** The JVM to be killed: starts a cluster, prints the servers' process ids and stays. */
    static final class Orphan {
        private Orphan() {}

        public static void main(String[] args) throws IOException {
            EmbeddedCluster cluster = EmbeddedCluster.start(
                    TEMPORARY.withDirectory(Path.of(args[0]), true).withReplicas(1), line -> {});
            System.out.println(
                    String.join(" ", pids(cluster).stream().map(String::valueOf).toList()));
            System.out.flush();
            while (System.in.read() >= 0) {
                // until killed
            }
        }
    }

    private static List<Long> pids(EmbeddedCluster cluster) {
        return Stream.concat(Stream.of(cluster.primary()), cluster.replicas().stream())
                .map(server -> server.pid().orElseThrow())
                .toList();
    }

    private static boolean isAlive(long pid) {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    /** JUnit's temporary directory is closed to other accounts, of which one runs the servers when the tests run as root. */
    private static Path open(Path directory) throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        return directory;
    }

    private static void execute(EmbeddedPostgres server, String... statements) throws SQLException {
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static String query(EmbeddedPostgres server, String sql) throws SQLException {
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }
}
