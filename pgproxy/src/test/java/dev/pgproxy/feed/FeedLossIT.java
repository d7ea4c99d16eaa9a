package dev.pgproxy.feed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.feed.FeedSettings;
import dev.pgproxy.cache.feed.FeedStatus.State;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Signals;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whenever changes cannot be followed any more, or not at all, the owner knows soon, and a person knows why. */
class FeedLossIT {
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    /** For a machine that is busy with other things. */
    private static final Duration SLACK = Duration.ofSeconds(15);

    private static final FeedSettings QUICK =
            FeedSettings.DEFAULT.withPatience(PATIENCE).withRecheck(Duration.ofMillis(300));
    private static final FeedSettings PATIENT = QUICK.withPatience(Duration.ofMinutes(2));

    private static EmbeddedCluster cluster;

    @BeforeAll
    static void start() {
        cluster = EmbeddedCluster.start(ClusterOptions.temporary().withReplicas(1), line -> {});
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void aTerminatedWalsenderIsLossAtOnceAndCoverageComesBack() throws Exception {
        try (Watched watched = watch(QUICK)) {
            execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name ~ '^pgproxy_'");
            watched.awaitCount("lost", 1).awaitCount("covering", 2);
            assertThat(watched.status().reason()).contains("connection of the stream was lost");
            assertThat(watched.status().losses()).isEqualTo(1);
        }
    }

    @Test
    void aServerThatCrashesIsLossAndIsFollowedAgainWhenItIsBack() throws Exception {
        execute("DROP TABLE IF EXISTS crash", "CREATE TABLE crash (a int)");
        try (Watched watched = watch(QUICK)) {
            primary().stopImmediately();
            watched.awaitCount("lost", 1);
            primary().start();
            watched.awaitCount("covering", 2);
            execute("INSERT INTO crash VALUES (1)");
            watched.awaitWritten("crash");
        }
    }

    @Test
    void aServerThatIsStoppedDoesNotWaitForTheFeed() throws Exception {
        try (Watched watched = watch(PATIENT)) {
            long begun = System.nanoTime();
            primary().stop();
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(15));
            watched.awaitCount("lost", 1);
            primary().start();
            watched.awaitCount("covering", 2);
        }
    }

    @Test
    void aWalsenderThatHangsIsLossWithinThePatience() throws Exception {
        try (Watched watched = watch(QUICK)) {
            long pid = walsender();
            long begun = System.nanoTime();
            Signals.send("STOP", List.of(pid));
            try {
                watched.awaitCount("lost", 1);
                long lost = watched.told().stream()
                        .filter(each -> each.what().equals("lost"))
                        .findFirst()
                        .orElseThrow()
                        .at();
                assertThat(Duration.ofNanos(lost - begun)).isLessThan(PATIENCE.plus(SLACK));
                watched.awaitCount("covering", 2);
            } finally {
                Signals.send("CONT", List.of(pid));
            }
            await().untilAsserted(() -> assertThat(
                            value("SELECT count(*) FROM pg_replication_slots WHERE slot_name ~ '^pgproxy_'"))
                    .isEqualTo("1"));
        }
    }

    @Test
    void anIdleStreamIsNotMistakenForADeadOne() throws Exception {
        try (Watched watched = watch(QUICK.withPatience(Duration.ofSeconds(8)))) {
            await().during(Duration.ofSeconds(9)).until(() -> watched.count("lost") == 0);
            assertThat(watched.status().silence()).isLessThan(Duration.ofSeconds(8));
        }
    }

    @Test
    void aFeedThatFallsBehindGivesUpItsSlotForAMoment() throws Exception {
        execute("DROP TABLE IF EXISTS bulk", "CREATE TABLE bulk (a text)");
        try (Watched watched = watch(PATIENT.withMaxLagBytes(4 << 20))) {
            long pid = walsender();
            Signals.send("STOP", List.of(pid));
            try {
                execute("INSERT INTO bulk SELECT repeat('x', 100) FROM generate_series(1, 60000)");
                watched.awaitCount("lost", 1);
                assertThat(watched.status().reason()).contains("4194304 bytes of WAL behind");
            } finally {
                Signals.send("CONT", List.of(pid));
            }
            watched.awaitCount("covering", 2);
        }
    }

    @Test
    void aSlotThatKeepsTooMuchWalIsGivenUp() throws Exception {
        execute("DROP TABLE IF EXISTS kept", "CREATE TABLE kept (a text)");
        try (Watched watched = watch(PATIENT.withMaxKeptBytes(4 << 20));
                Connection connection = primary().connect("postgres");
                Statement statement = connection.createStatement()) {
            statement.execute("BEGIN; INSERT INTO kept VALUES ('open')");
            execute("INSERT INTO kept SELECT repeat('x', 100) FROM generate_series(1, 60000)");
            watched.awaitCount("lost", 1);
            assertThat(watched.told()).anyMatch(each -> each.what().equals("lost"));
            statement.execute("COMMIT");
            watched.awaitCount("covering", 2);
        }
    }

    @Test
    void aUserWhoMayNotReplicateIsRefusedUntilHeMay() throws Exception {
        execute("CREATE ROLE \"plain user\" LOGIN PASSWORD 'p'");
        try (Watched watched = Watched.start(primary(), "plain user", "p", "postgres", QUICK)) {
            watched.awaitState(State.REFUSED, "\"plain user\" has no REPLICATION attribute");
            assertThat(watched.count("lost")).isEqualTo(1);
            execute(watched.status().hint().substring(0, watched.status().hint().indexOf(';')));
            watched.awaitCovering();
            assertThat(watched.count("lost")).isEqualTo(1);
        }
    }

    @Test
    void aWalLevelThatIsTooLowIsRefused() throws Exception {
        execute("ALTER SYSTEM SET wal_level = replica");
        primary().restart();
        try (Watched watched = Watched.start(primary(), "postgres", QUICK)) {
            watched.awaitState(State.REFUSED, "wal_level is replica");
            assertThat(watched.status().hint()).contains("wal_level = logical");
        } finally {
            execute("ALTER SYSTEM RESET wal_level");
            primary().restart();
        }
    }

    @Test
    void slotsAndWalSendersThatAreUsedUpAreToldApart() throws Exception {
        // one slot and one walsender are the replica's
        execute("ALTER SYSTEM SET max_replication_slots = 2");
        primary().restart();
        try (Watched first = watch(QUICK);
                Watched second = Watched.start(primary(), "postgres", QUICK)) {
            second.awaitState(State.REFUSED, "All 2 replication slots");
            assertThat(first.count("lost")).isZero();
        } finally {
            execute("ALTER SYSTEM RESET max_replication_slots");
        }
        cluster.replicas().getFirst().stop();
        execute("ALTER SYSTEM SET max_wal_senders = 1");
        primary().restart();
        try (Watched first = watch(QUICK);
                Watched second = Watched.start(primary(), "postgres", QUICK)) {
            second.awaitState(State.REFUSED, "All 1 connections that max_wal_senders allows");
            assertThat(first.count("lost")).isZero();
        } finally {
            execute("ALTER SYSTEM RESET max_wal_senders");
            primary().restart();
            cluster.replicas().getFirst().start();
        }
    }

    @Test
    void aPluginThatIsNotThereIsNamed() throws Exception {
        execute("CREATE ROLE nowhere SUPERUSER LOGIN PASSWORD 'p'");
        execute("ALTER ROLE nowhere SET dynamic_library_path = '/nowhere'");
        try (Watched watched = Watched.start(primary(), "nowhere", "p", "postgres", QUICK)) {
            watched.awaitState(State.REFUSED, "test_decoding is not installed");
        }
    }

    @Test
    void aStandbyIsRefused() {
        try (Watched watched = Watched.start(cluster.replicas().getFirst(), "postgres", QUICK)) {
            watched.awaitState(State.REFUSED, "standby");
        }
    }

    @Test
    void connectionsToDifferentServersAreNotUsed() {
        try (Watched watched = Watched.startTorn(primary(), cluster.replicas().getFirst(), QUICK)) {
            watched.awaitState(State.CONNECTING, "different servers");
            assertThat(watched.count("covering")).isZero();
        }
    }

    @Test
    void aFeedNeverCountsAsASynchronousStandby() throws Exception {
        try (Watched watched = watch(QUICK)) {
            execute("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()");
            watched.awaitCount("lost", 1);
            watched.awaitState(State.REFUSED, "synchronous_standby_names contains *");
            execute("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()");
            watched.awaitCount("covering", 2);
        }
    }

    @Test
    void anAddressThatHbaRejectsIsRefused() throws Exception {
        execute("CREATE ROLE kept_out REPLICATION LOGIN PASSWORD 'p'");
        Path hba = primary().dataDirectory().resolve("pg_hba.conf");
        String before = Files.readString(hba);
        Files.writeString(hba, "host all kept_out all reject\n" + before, StandardOpenOption.TRUNCATE_EXISTING);
        primary().reload();
        try (Watched watched = Watched.start(primary(), "kept_out", "p", "postgres", QUICK)) {
            watched.awaitState(State.REFUSED, "does not let the control user in");
            assertThat(watched.status().hint()).contains("pg_hba.conf");
            Files.writeString(hba, before, StandardOpenOption.TRUNCATE_EXISTING);
            primary().reload();
            watched.awaitCovering();
        } finally {
            Files.writeString(hba, before, StandardOpenOption.TRUNCATE_EXISTING);
            primary().reload();
        }
    }

    private static Watched watch(FeedSettings settings) {
        return Watched.start(primary(), "postgres", settings).awaitCovering();
    }

    /** The process that serves the only feed. */
    private static long walsender() throws Exception {
        return Long.parseLong(
                value("SELECT active_pid FROM pg_replication_slots WHERE slot_name ~ '^pgproxy_' AND active"));
    }

    private static String value(String sql) throws Exception {
        return Watched.value(primary(), sql);
    }

    private static void execute(String... statements) throws Exception {
        Watched.execute(primary(), "postgres", statements);
    }

    private static EmbeddedPostgres primary() {
        return cluster.primary();
    }
}
