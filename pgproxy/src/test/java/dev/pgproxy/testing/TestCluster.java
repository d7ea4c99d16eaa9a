package dev.pgproxy.testing;

import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.health.breaker.BreakerRules;
import dev.pgproxy.health.breaker.MonotonicClock;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The embedded PostgreSQL servers of a test run: one cluster per JVM, started by the first test that asks, stopped when the JVM ends. Tests
 * share it and keep apart by databases and roles of their own; a test that stops or reconfigures a server starts its own
 * {@link EmbeddedCluster}. Thread-safe.
 */
public final class TestCluster {
    private static final String PAUSE_STATE = "SELECT pg_get_wal_replay_pause_state()";

    /** The superuser's password, no secret here. */
    public static final String PASSWORD = "postgres";

    private static final int REPLICAS = Integer.getInteger("proxy.replicas", 0);

    private static final AtomicInteger NAMES = new AtomicInteger();

    private TestCluster() {}

    /** Without replicas, which is what most tests need, unless {@code -Dproxy.replicas=2} puts some behind every proxy. */
    private static final class Single {
        static final EmbeddedCluster CLUSTER = started(REPLICAS);
    }

    private static final class Replicated {
        static final EmbeddedCluster CLUSTER = started(2);
    }

    /** The server of the scenarios: {@link #primary}, or a container of the image that {@code -Dpostgres.image} names. */
    public static ServerAddress server() {
        return PostgresContainer.isWanted()
                ? PostgresContainer.shared()
                : new ServerAddress(primary().host(), primary().port());
    }

    /** The shared server. */
    public static EmbeddedPostgres primary() {
        return Single.CLUSTER.primary();
    }

    /** The entry {@code replicas = […]} for a proxy before a cluster, and the user that watches it; nothing without any. */
    public static String replicasOf(EmbeddedCluster cluster) {
        return cluster.replicas().stream()
                .map(replica -> "\"" + replica.host() + ":" + replica.port() + "\"")
                .collect(Collectors.joining(", ", "replicas = [", "]"));
    }

    /** The settings with which the proxy watches a cluster. */
    public static String watching(EmbeddedCluster cluster) {
        return "control_user = " + EmbeddedPostgres.SUPERUSER + "\ncontrol_password = \""
                + cluster.primary().superuserPassword() + "\"\n";
    }

    /** For hosts of which a test does not say that logins fail. */
    public static List<Breaker> closedBreakers(int hosts) {
        BreakerRules rules = new BreakerRules(50, Duration.ofSeconds(60), 5, Duration.ofSeconds(30), 2);
        return IntStream.range(0, hosts)
                .mapToObj(i -> new Breaker("host " + i, rules, new MonotonicClock(), new SplittableRandom()))
                .toList();
    }

    /** The cluster of {@link #primary}. */
    static EmbeddedCluster single() {
        return Single.CLUSTER;
    }

    /** Whether there are replicas behind {@link #primary}. */
    static boolean hasReplicas() {
        return REPLICAS > 0;
    }

    /** A second shared cluster, with two replicas. */
    public static EmbeddedCluster replicated() {
        return Replicated.CLUSTER;
    }

    /** Creates an empty database on {@link #primary} and returns its name. */
    public static String freshDatabase() {
        return freshDatabase(primary());
    }

    /** Creates an empty database on {@link #server} and returns its name. */
    public static String freshDatabase(ServerAddress server) {
        String name = "db_" + NAMES.incrementAndGet();
        server.execute("CREATE DATABASE " + name);
        return name;
    }

    /** Creates an empty database and returns its name. */
    public static String freshDatabase(EmbeddedPostgres server) {
        String name = "db_" + NAMES.incrementAndGet();
        execute(server, "CREATE DATABASE " + name + " STRATEGY file_copy");
        return name;
    }

    /** Creates a role on {@link #primary} that may log in with this password, and returns its name. */
    public static String freshRole(String password) {
        return freshRole(primary(), password, "");
    }

    /** Creates a role that may log in, with further options of CREATE ROLE, and returns its name. */
    public static String freshRole(EmbeddedPostgres server, String password, String options) {
        String name = "role_" + NAMES.incrementAndGet();
        execute(server, "CREATE ROLE " + name + " LOGIN PASSWORD '" + password.replace("'", "''") + "' " + options);
        return name;
    }

    /** Runs a statement as the superuser in database postgres. */
    public static void execute(EmbeddedPostgres server, String sql) {
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new AssertionError(sql, e);
        }
    }

    /** No replica of the cluster replays anything from when this returns: the function alone only asks for it. */
    public static void pauseReplay(EmbeddedCluster cluster) {
        cluster.replicas().forEach(each -> execute(each, "SELECT pg_wal_replay_pause()"));
        cluster.replicas().forEach(each -> await().until(() -> "paused".equals(value(each, PAUSE_STATE))));
    }

    /** They replay again. */
    public static void resumeReplay(EmbeddedCluster cluster) {
        cluster.replicas().forEach(each -> execute(each, "SELECT pg_wal_replay_resume()"));
    }

    private static String value(EmbeddedPostgres server, String sql) throws SQLException {
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static EmbeddedCluster started(int replicas) {
        EmbeddedCluster cluster = EmbeddedCluster.start(
                ClusterOptions.temporary().withReplicas(replicas).withPassword(PASSWORD), line -> {});
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "test-cluster-close"));
        return cluster;
    }
}
