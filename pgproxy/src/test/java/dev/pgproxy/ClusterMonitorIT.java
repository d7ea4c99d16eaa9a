package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.health.ClusterMonitor;
import dev.pgproxy.health.MonitorSettings;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.ResponseTimes;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.testing.Signals;
import dev.pgproxy.testing.TestCluster;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The monitor on a real cluster with two replicas, as a role that has nothing but pg_monitor. */
@Timeout(120)
final class ClusterMonitorIT {
    private static final String PASSWORD = "of the monitor";
    private static final MonitorSettings SETTINGS = new MonitorSettings(
            Duration.ofSeconds(10), Duration.ofMillis(100), Duration.ofSeconds(1), false, Duration.ZERO);

    private static EmbeddedCluster cluster;

    @BeforeAll
    static void start() {
        cluster = EmbeddedCluster.start(
                ClusterOptions.temporary().withReplicas(2).withSetting("wal_receiver_status_interval", "1s"),
                line -> {});
        execute(
                cluster.primary(),
                "CREATE ROLE monitor LOGIN PASSWORD '" + PASSWORD + "' IN ROLE pg_monitor",
                "CREATE TABLE versions (session int PRIMARY KEY, version bigint)",
                "INSERT INTO versions SELECT g, 0 FROM generate_series(0, 3) g");
        cluster.awaitReplicas();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static List<EmbeddedPostgres> servers() {
        List<EmbeddedPostgres> servers = new ArrayList<>(cluster.replicas());
        servers.addFirst(cluster.primary());
        return servers;
    }

    private static ClusterMonitor monitor() {
        List<ControlTarget> targets = new ArrayList<>();
        for (EmbeddedPostgres server : servers()) {
            targets.add(new ControlTarget(
                    new Host(targets.size(), server.name(), 1),
                    server.host(),
                    server.port(),
                    "postgres",
                    "monitor",
                    () -> PASSWORD,
                    Map.of("sslmode", "disable"),
                    null));
        }
        ClusterMonitor monitor = ClusterMonitor.start(
                targets,
                SETTINGS,
                new ResponseTimes(1, targets.size()),
                TestCluster.closedBreakers(targets.size()),
                null,
                topology -> {});
        awaitFresh(monitor);
        return monitor;
    }

    private static void awaitFresh(ClusterMonitor monitor) {
        long asOf = Monotonic.now();
        await().pollInterval(Duration.ofMillis(5)).untilAsserted(() -> {
            monitor.needed();
            assertThat(monitor.topology().primary()).isNotNull();
            assertThat(monitor.topology().replicas()).hasSize(2).allMatch(replica -> replica.freshAsOf() > asOf);
        });
    }

    private static HostState host(ClusterMonitor monitor, int index) {
        return monitor.topology().hosts().get(index);
    }

    private static void execute(EmbeddedPostgres server, String... statements) {
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void rolesAreFoundAndIdleReplicasAreFreshAlsoBehindSegmentSwitches() {
        try (ClusterMonitor monitor = monitor()) {
            assertThat(host(monitor, 0).role()).isEqualTo(HostRole.PRIMARY);
            for (int i = 0; i < 3; i++) {
                awaitFresh(monitor);
                execute(cluster.primary(), "SELECT pg_switch_wal()");
                awaitFresh(monitor);
                execute(cluster.primary(), "CHECKPOINT");
                awaitFresh(monitor);
                assertThat(host(monitor, 1).lagBytes()).isZero();
            }
        }
    }

    /** What has been written and not committed is flushed by nobody for up to 15 s. */
    @Test
    void replicasAreFreshBesideATransactionThatHasWrittenAndWaits() throws Exception {
        try (ClusterMonitor monitor = monitor();
                Connection connection = cluster.primary().connect("postgres");
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            for (int i = 0; i < 4; i++) {
                long before = Monotonic.now();
                statement.execute("UPDATE versions SET version = version WHERE session = " + i);
                awaitFresh(monitor);
                assertThat(Duration.ofNanos(Monotonic.now() - before)).isLessThan(Duration.ofSeconds(10));
            }
            connection.rollback();
        }
    }

    /** Wherever within a page or segment the last record ends. */
    @Test
    void idleReplicasAreFreshWhereverTheLastRecordEnds() throws Exception {
        try (ClusterMonitor monitor = monitor();
                Connection connection = cluster.primary().connect("postgres");
                Statement statement = connection.createStatement()) {
            int behindHeader = 0;
            for (int i = 0; i < 3_000 && behindHeader < 2; i++) {
                // short of the end of the page by what one message of this length takes up exactly
                try (ResultSet left = statement.executeQuery("""
                        SELECT 8192 - (pg_current_wal_insert_lsn() - '0/0') % 8192
                        """)) {
                    left.next();
                    int room = left.getInt(1);
                    int length = room < 400 ? Math.max(1, room - 51 - i % 8) : Math.min(room - 200, 4_000);
                    statement.execute("SELECT pg_logical_emit_message(false, '', repeat('x', " + length + "))");
                }
                try (ResultSet offset = statement.executeQuery("""
                        SELECT (pg_current_wal_insert_lsn() - '0/0') % 8192, pg_current_wal_insert_lsn()
                        """)) {
                    offset.next();
                    if (offset.getInt(1) == 24) {
                        behindHeader++;
                        awaitFresh(monitor);
                    }
                }
            }
            assertThat(behindHeader).isEqualTo(2);
        }
    }

    @Test
    void aReplicaThatPausesFallsBehindAloneAndCatchesUp() {
        try (ClusterMonitor monitor = monitor()) {
            execute(cluster.replicas().getFirst(), "SELECT pg_wal_replay_pause()");
            long paused = Monotonic.now();
            execute(cluster.primary(), "UPDATE versions SET version = version WHERE session = 3");
            long written = Monotonic.now();

            await().untilAsserted(() -> {
                monitor.needed();
                assertThat(host(monitor, 2).freshAsOf()).isGreaterThan(written + TimeUnit.SECONDS.toNanos(1));
            });
            assertThat(host(monitor, 1).role()).isEqualTo(HostRole.REPLICA);
            assertThat(host(monitor, 1).freshAsOf()).isLessThan(written);
            assertThat(host(monitor, 1).freshAsOf()).isGreaterThan(paused - TimeUnit.SECONDS.toNanos(1));
            assertThat(host(monitor, 1).lagBytes()).isPositive();

            execute(cluster.replicas().getFirst(), "SELECT pg_wal_replay_resume()");
            awaitFresh(monitor);
        }
    }

    /** The claim that consistency rests on: what was acknowledged before freshAsOf is visible. */
    @Test
    void whatWasAcknowledgedBeforeAReplicasFreshnessIsVisibleThere() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        AtomicLong checks = new AtomicLong();
        AtomicLong fresh = new AtomicLong();
        long seed = System.nanoTime();
        List<Thread> threads = new ArrayList<>();
        execute(cluster.replicas().get(1), "ALTER SYSTEM SET recovery_min_apply_delay = '150ms'");
        cluster.replicas().get(1).reload();
        try (ClusterMonitor monitor = monitor()) {
            for (int i = 0; i < 3; i++) {
                int session = i;
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        writeAndRead(monitor, session, new SplittableRandom(seed + session), done, checks, fresh);
                    } catch (Throwable e) {
                        failures.add(e);
                    }
                }));
            }
            threads.add(Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    execute(cluster.primary(), "SELECT pg_switch_wal()", "CHECKPOINT", "SELECT pg_sleep(0.3)");
                }
            }));
            await().untilAsserted(() -> {
                if (failures.isEmpty()) {
                    assertThat(checks).hasValueGreaterThan(5_000);
                    assertThat(fresh).hasValueGreaterThan(1_000);
                }
            });
            done.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
        } finally {
            execute(cluster.replicas().get(1), "ALTER SYSTEM RESET recovery_min_apply_delay");
            cluster.replicas().get(1).reload();
        }
        assertThat(failures).as("seed %d", seed).isEmpty();
    }

    /** Bursts of writes, each followed by reads until the replicas are known to have it, or until the next write. */
    private static void writeAndRead(
            ClusterMonitor monitor,
            int session,
            SplittableRandom random,
            AtomicBoolean done,
            AtomicLong checks,
            AtomicLong fresh)
            throws SQLException {
        try (Connection primary = cluster.primary().connect("postgres");
                Connection first = cluster.replicas().get(0).connect("postgres");
                Connection second = cluster.replicas().get(1).connect("postgres");
                PreparedStatement write =
                        primary.prepareStatement("UPDATE versions SET version = ? WHERE session = " + session);
                PreparedStatement readFirst = reading(first, session);
                PreparedStatement readSecond = reading(second, session)) {
            long version;
            try (ResultSet row = reading(primary, session).executeQuery()) {
                row.next();
                version = row.getLong(1);
            }
            while (!done.get()) {
                write.setLong(1, ++version);
                write.execute();
                long written = Monotonic.now();
                monitor.needed();
                long next = written + random.nextLong(TimeUnit.MILLISECONDS.toNanos(600));
                while (Monotonic.now() < next) {
                    int replica = random.nextInt(1, 3);
                    boolean promised = host(monitor, replica).freshAsOf() >= written;
                    try (ResultSet row = (replica == 1 ? readFirst : readSecond).executeQuery()) {
                        row.next();
                        checks.incrementAndGet();
                        if (promised) {
                            fresh.incrementAndGet();
                            assertThat(row.getLong(1)).isEqualTo(version);
                        }
                    } catch (SQLException e) {
                        if (!"40001".equals(e.getSQLState())) { // a conflict with recovery is no answer
                            throw e;
                        }
                    }
                }
            }
        }
    }

    private static PreparedStatement reading(Connection connection, int session) throws SQLException {
        return connection.prepareStatement("SELECT version FROM versions WHERE session = " + session);
    }

    @Test
    void aReplicaThatReplaysLaterIsFreshThatMuchLater() {
        EmbeddedPostgres delayed = cluster.replicas().getFirst();
        execute(delayed, "ALTER SYSTEM SET recovery_min_apply_delay = '2s'");
        delayed.reload();
        try (ClusterMonitor monitor = monitor()) {
            execute(cluster.primary(), "UPDATE versions SET version = version WHERE session = 3");
            long written = Monotonic.now();
            await().pollInterval(Duration.ofMillis(5)).until(() -> {
                monitor.needed();
                return host(monitor, 1).freshAsOf() > written;
            });
            assertThat(Monotonic.now() - written).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(1_900));
        } finally {
            execute(delayed, "ALTER SYSTEM RESET recovery_min_apply_delay");
            delayed.reload();
        }
    }

    @Test
    void aHostThatHangsIsUnknownAndTheOthersAreUnaffected() throws Exception {
        EmbeddedPostgres hanging = cluster.replicas().getFirst();
        try (ClusterMonitor monitor = monitor()) {
            List<Long> processes = Signals.processesOf(hanging);
            Signals.send("STOP", processes);
            Set<Long> othersPolls = new HashSet<>();
            try {
                await().pollInterval(Duration.ofMillis(5)).until(() -> {
                    monitor.needed();
                    othersPolls.add(host(monitor, 2).polledAt());
                    return host(monitor, 1).role() == HostRole.UNKNOWN;
                });
                assertThat(othersPolls).hasSizeGreaterThan(3);
                assertThat(host(monitor, 1).polledAt()).isEqualTo(HostState.NEVER);
            } finally {
                Signals.send("CONT", processes);
            }
            awaitFresh(monitor);
        }
    }

    @Test
    void theEndOfALostServerProcessIsSeenOnceItIsGone() throws Exception {
        try (ClusterMonitor monitor = monitor();
                Connection connection = cluster.primary().connect("postgres")) {
            int pid = connection.unwrap(org.postgresql.PGConnection.class).getBackendPID();
            AtomicBoolean gone = new AtomicBoolean();
            AtomicBoolean never = new AtomicBoolean();
            monitor.whenGone(pid, () -> gone.set(true));
            monitor.whenGone(Integer.MAX_VALUE, () -> never.set(true));

            await().untilTrue(never);
            assertThat(gone).isFalse();
            connection.close();
            await().untilTrue(gone);
        }
    }

    @Test
    void aReplicaThatIsDownAtTheStartIsFoundWhenItComes() {
        EmbeddedPostgres replica = cluster.replicas().getFirst();
        replica.stop();
        List<ClusterMonitor> opened = new ArrayList<>();
        try {
            Thread starter = Thread.ofPlatform().start(() -> opened.add(monitor()));
            await().pollDelay(Duration.ofMillis(1_500)).until(starter::isAlive);
            replica.start();
            await().until(() -> !starter.isAlive());
            assertThat(opened).hasSize(1);
        } finally {
            if (!replica.isRunning()) {
                replica.start();
            }
            opened.forEach(ClusterMonitor::close);
        }
    }
}
