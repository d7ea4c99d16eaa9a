package dev.pgproxy.consistency;

import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.TestCluster;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A database with the tables of every {@link Family} on a primary and two replicas that may be disturbed. Immutable. */
record Arena(EmbeddedCluster cluster, String database) {
    private static final AtomicInteger NAMES = new AtomicInteger();

    private static final class Shared {
        private static final EmbeddedCluster CLUSTER = started();
    }

    /** A new database in the cluster of this JVM, which is on every replica when this returns. */
    static Arena fresh() {
        EmbeddedCluster cluster = Shared.CLUSTER;
        String database = "consistency_" + NAMES.incrementAndGet();
        TestCluster.execute(cluster.primary(), "CREATE DATABASE " + database);
        try (Connection connection = cluster.primary().connect(database);
                Statement statement = connection.createStatement()) {
            for (Family family : Family.values()) {
                statement.execute(family.ddl);
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        cluster.awaitReplicas();
        return new Arena(cluster, database);
    }

    Endpoint primary() {
        return endpoint(cluster.primary());
    }

    List<Endpoint> replicas() {
        return cluster.replicas().stream().map(this::endpoint).toList();
    }

    private Endpoint endpoint(EmbeddedPostgres server) {
        return new Endpoint(
                server.host(), server.port(), database, EmbeddedPostgres.SUPERUSER, server.superuserPassword());
    }

    private static EmbeddedCluster started() {
        EmbeddedCluster cluster = EmbeddedCluster.start(
                ClusterOptions.temporary()
                        .withReplicas(2)
                        .withPassword(TestCluster.PASSWORD)
                        .withSetting("max_standby_streaming_delay", "300ms")
                        .withSetting("deadlock_timeout", "100ms"),
                line -> {});
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "consistency-cluster-close"));
        return cluster;
    }
}
