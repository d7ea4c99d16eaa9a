package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.health.ClusterMonitor;
import dev.pgproxy.health.MonitorSettings;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.health.probe.HostVitals;
import dev.pgproxy.health.probe.MachineLoad;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.ResponseTimes;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.testing.Signals;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How hosts say they are, on a real cluster with two replicas. */
@Timeout(120)
final class HostVitalsIT {
    private static final String PASSWORD = "of the monitor";
    private static final MonitorSettings SETTINGS = new MonitorSettings(
            Duration.ofMillis(100), Duration.ofMillis(100), Duration.ofSeconds(1), false, Duration.ZERO);

    private static EmbeddedCluster cluster;

    @BeforeAll
    static void start() throws SQLException {
        cluster = EmbeddedCluster.start(
                ClusterOptions.temporary().withReplicas(2).withSetting("deadlock_timeout", "100ms"), line -> {});
        try (Connection connection = cluster.primary().connect("postgres");
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE ROLE monitor LOGIN PASSWORD '" + PASSWORD + "' IN ROLE pg_monitor");
            statement.execute("CREATE ROLE nobody LOGIN PASSWORD '" + PASSWORD + "'");
            statement.execute(
                    "CREATE ROLE reader LOGIN PASSWORD '" + PASSWORD + "' IN ROLE pg_monitor, pg_read_server_files");
            statement.execute("GRANT EXECUTE ON FUNCTION pg_read_file(text, bigint, bigint, boolean) TO reader");
            statement.execute("CREATE TABLE t (id int PRIMARY KEY, n int)");
            statement.execute("INSERT INTO t SELECT g, 0 FROM generate_series(1, 10) g");
        }
        cluster.awaitReplicas();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static ClusterMonitor monitor(String user) {
        return monitor(user, 1);
    }

    /** @param times each replica is there */
    private static ClusterMonitor monitor(String user, int times) {
        List<EmbeddedPostgres> servers = new ArrayList<>(List.of(cluster.primary()));
        for (int i = 0; i < times; i++) {
            servers.addAll(cluster.replicas());
        }
        List<ControlTarget> targets = new ArrayList<>();
        for (EmbeddedPostgres server : servers) {
            targets.add(new ControlTarget(
                    new Host(targets.size(), server.name(), 1),
                    server.host(),
                    server.port(),
                    "postgres",
                    user,
                    () -> PASSWORD,
                    Map.of("sslmode", "disable"),
                    null));
        }
        return ClusterMonitor.start(
                targets,
                SETTINGS,
                new ResponseTimes(1, targets.size()),
                TestCluster.closedBreakers(targets.size()),
                null,
                topology -> {});
    }

    private static Host host(ClusterMonitor monitor, int index) {
        return monitor.topology().hosts().get(index).host();
    }

    private static HostVitals awaitVitals(ClusterMonitor monitor, int index, Predicate<HostVitals> wanted) {
        AtomicReference<@Nullable HostVitals> found = new AtomicReference<>();
        await().pollInterval(Duration.ofMillis(20)).until(() -> {
            HostVitals vitals = monitor.vitals(host(monitor, index));
            found.set(vitals);
            return vitals != null && wanted.test(vitals);
        });
        return Objects.requireNonNull(found.get());
    }

    /** Neither more nor less than anything if it is not known. */
    private static double value(@Nullable Number known) {
        return known == null ? Double.NaN : known.doubleValue();
    }

    @Test
    void openTransactionsAndWhetherTheirClientsSayNothingAreSeen() throws Exception {
        try (ClusterMonitor monitor = monitor("monitor")) {
            HostVitals before = awaitVitals(monitor, 0, vitals -> value(vitals.oldestTransaction()) == 0);
            assertThat(before.oldestIdleTransaction()).isZero();
            assertThat(before.maxConnections()).isEqualTo(Integer.parseInt(shown("max_connections")));
            assertThat(before.reserved()).isEqualTo(Integer.parseInt(shown("superuser_reserved_connections")));
            try (Connection idle = cluster.primary().connect("postgres");
                    Connection busy = cluster.primary().connect("postgres");
                    Statement inIdle = idle.createStatement();
                    Statement inBusy = busy.createStatement()) {
                busy.setAutoCommit(false);
                inBusy.execute("SELECT");
                await().until(() -> value(awaitVitals(monitor, 0, any -> true).oldestIdleTransaction()) > 0.5);
                idle.setAutoCommit(false);
                inIdle.execute("SELECT");
                Thread sleeper = Thread.ofPlatform().start(() -> {
                    try {
                        inBusy.execute("SELECT pg_sleep(60)");
                    } catch (SQLException e) {
                        assertThat(e.getSQLState()).isEqualTo("57014");
                    }
                });
                // the one that runs is the older one, and is idle no more
                HostVitals vitals = awaitVitals(
                        monitor,
                        0,
                        now -> value(now.oldestIdleTransaction()) > 0.1
                                && value(now.oldestTransaction()) > value(now.oldestIdleTransaction()) + 0.4);
                assertThat(vitals.waitingLocks()).isZero();
                awaitVitals(monitor, 0, now -> value(now.connections()) == 4); // two of the monitor
                inBusy.cancel();
                sleeper.join();
            }
            awaitVitals(monitor, 0, vitals -> value(vitals.oldestTransaction()) == 0);
        }
    }

    private static String shown(String setting) throws SQLException {
        try (Connection connection = cluster.primary().connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SHOW " + setting)) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void whoWaitsForALockAndDeadlocksAreSeen() throws Exception {
        try (ClusterMonitor monitor = monitor("monitor");
                Connection first = cluster.primary().connect("postgres");
                Connection second = cluster.primary().connect("postgres");
                Statement inFirst = first.createStatement();
                Statement inSecond = second.createStatement()) {
            double before = value(awaitVitals(monitor, 0, vitals -> value(vitals.waitingLocks()) == 0)
                    .deadlocks());
            first.setAutoCommit(false);
            second.setAutoCommit(false);
            inFirst.execute("UPDATE t SET n = 1 WHERE id = 1");
            inSecond.execute("UPDATE t SET n = 1 WHERE id = 2");
            AtomicReference<String> state = new AtomicReference<>("");
            Thread waiter = Thread.ofPlatform().start(() -> state.set(lock(inSecond, 1)));
            HostVitals waiting = awaitVitals(monitor, 0, vitals -> value(vitals.longestLockWait()) > 0.3);
            assertThat(waiting.waitingLocks()).isEqualTo(1);
            String other = lock(inFirst, 2);
            waiter.join();
            first.rollback();
            second.rollback(); // who failed tells it once it is outside of its transaction
            assertThat(List.of(other, state.get())).containsExactlyInAnyOrder("", "40P01");
            awaitVitals(
                    monitor, 0, vitals -> value(vitals.deadlocks()) == before + 1 && value(vitals.waitingLocks()) == 0);
            assertThat(awaitVitals(monitor, 0, any -> true).longestLockWait()).isZero();
        }
    }

    /** The SQLSTATE with which it fails; empty if it does not. */
    private static String lock(Statement statement, int id) {
        try {
            statement.execute("UPDATE t SET n = 2 WHERE id = " + id);
            return "";
        } catch (SQLException e) {
            return e.getSQLState();
        }
    }

    @Test
    void aReplicaIsAsManySecondsBehindAsItHasNotReplayed() throws Exception {
        try (ClusterMonitor monitor = monitor("monitor");
                Connection primary = cluster.primary().connect("postgres");
                Connection replica = cluster.replicas().getFirst().connect("postgres");
                Statement onPrimary = primary.createStatement();
                Statement onReplica = replica.createStatement()) {
            onPrimary.execute("UPDATE t SET n = 3 WHERE id = 3");
            awaitVitals(monitor, 1, vitals -> value(vitals.lag()) == 0);
            assertThat(awaitVitals(monitor, 0, any -> true).lag()).isNull();
            onReplica.execute("SELECT pg_wal_replay_pause()");
            try {
                onPrimary.execute("UPDATE t SET n = 4 WHERE id = 3");
                awaitVitals(monitor, 1, vitals -> value(vitals.lag()) > 0.5);
                awaitVitals(monitor, 2, vitals -> value(vitals.lag()) == 0);
            } finally {
                onReplica.execute("SELECT pg_wal_replay_resume()");
            }
            awaitVitals(monitor, 1, vitals -> value(vitals.lag()) == 0);
        }
    }

    @Test
    void theShareOfBlocksThatWereInBuffersIsOfTheTimeSinceTheLastQuestion() throws Exception {
        try (ClusterMonitor monitor = monitor("monitor");
                Connection connection = cluster.primary().connect("postgres");
                Statement statement = connection.createStatement()) {
            await().untilAsserted(() -> {
                statement.execute("SELECT count(*) FROM t, pg_class");
                Double ratio = awaitVitals(monitor, 0, vitals -> vitals.bufferHitRatio() != null)
                        .bufferHitRatio();
                assertThat(ratio).isBetween(0.9, 1.0);
            });
        }
    }

    @Test
    void aHostThatHangsIsNotKnownAndDelaysNoOther() throws Exception {
        try (ClusterMonitor monitor = monitor("monitor")) {
            awaitVitals(monitor, 1, any -> true);
            List<Long> processes = Signals.processesOf(cluster.replicas().getFirst());
            Signals.send("STOP", processes);
            Set<Long> others = new HashSet<>();
            try {
                while (monitor.vitals(host(monitor, 1)) != null) { // until its time is over, a second at least
                    others.add(awaitVitals(monitor, 2, any -> true).asked());
                }
                assertThat(others).hasSizeGreaterThan(2);
            } finally {
                Signals.send("CONT", processes);
            }
            awaitVitals(monitor, 1, any -> true);
        }
    }

    /** Two servers play them. */
    @Test
    void sixteenReplicasAreWatchedAsOneIs() {
        try (ClusterMonitor monitor = monitor("monitor", 8)) {
            for (int i = 1; i <= 16; i++) {
                awaitVitals(monitor, i, vitals -> value(vitals.lag()) == 0);
            }
            long asOf = Monotonic.now();
            await().untilAsserted(() -> {
                monitor.needed();
                assertThat(monitor.topology().replicas()).hasSize(16).allMatch(replica -> replica.freshAsOf() > asOf);
            });
        }
    }

    @Test
    void whoHasNoPrivilegesIsToldWhatEverybodyIsAndTheServersLogStaysQuiet() throws Exception {
        String logged = log();
        try (ClusterMonitor monitor = monitor("nobody")) {
            HostVitals vitals = awaitVitals(monitor, 0, any -> true);
            long first = vitals.asked();
            assertThat(vitals.connections()).isNull();
            assertThat(vitals.oldestTransaction()).isNull();
            assertThat(vitals.oldestIdleTransaction()).isNull();
            assertThat(vitals.waitingLocks()).isNull();
            assertThat(vitals.longestLockWait()).isNull();
            assertThat(vitals.machine()).isNull();
            assertThat(vitals.maxConnections()).isPositive();
            assertThat(vitals.deadlocks()).isNotNull();
            Set<Long> asked = new HashSet<>();
            await().until(() -> {
                asked.add(
                        awaitVitals(monitor, 0, later -> later.asked() > first).asked());
                return asked.size() > 5;
            });
        }
        assertThat(log().substring(logged.length())).doesNotContain("ERROR");
    }

    private static String log() throws IOException {
        Path directory = cluster.primary().dataDirectory();
        return Files.readString(directory.resolveSibling(directory.getFileName() + ".log"));
    }

    @Test
    void whoMayReadFilesIsToldHowBusyTheMachineIs() {
        try (ClusterMonitor monitor = monitor("monitor")) {
            assertThat(awaitVitals(monitor, 0, any -> true).machine()).isNull();
            assertThat(monitor.machine(host(monitor, 0))).isEqualTo(MachineLoad.UNKNOWN);
        }
        try (ClusterMonitor monitor = monitor("reader")) {
            awaitVitals(
                    monitor,
                    0,
                    vitals -> vitals.machine() != null && vitals.machine().cpu() != null);
            MachineLoad load = monitor.machine(host(monitor, 0));
            assertThat(load.cpu()).isBetween(0.0, 1.0);
            assertThat(load.memory()).isBetween(0.01, 1.0);
            assertThat(load.disk()).isNull();
            assertThat(monitor.cpu(host(monitor, 0)))
                    .as("old values steer nothing")
                    .isNegative();
        }
    }
}
