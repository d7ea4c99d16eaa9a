package dev.pgproxy.consistency;

import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.TestCluster;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
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
            statement.execute(Family.SCHEMA);
            for (Family family : Family.values()) {
                statement.execute(family.ddl);
            }
            for (String role : Guise.ROLES) {
                statement.execute("GRANT ALL ON SCHEMA public, elsewhere TO " + role);
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        cluster.awaitReplicas();
        return new Arena(cluster, database);
    }

    /** Prepared transactions that nobody has ended would hold back the slots of the whole cluster. */
    void rollBackPrepared() {
        try (Connection connection = cluster.primary().connect(database);
                Statement statement = connection.createStatement()) {
            List<String> gids = new ArrayList<>();
            try (ResultSet rows =
                    statement.executeQuery("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()")) {
                while (rows.next()) {
                    gids.add(rows.getString(1));
                }
            }
            for (String gid : gids) {
                statement.execute("ROLLBACK PREPARED '" + gid + "'");
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
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
        for (String role : Guise.ROLES) {
            TestCluster.execute(cluster.primary(), "CREATE ROLE " + role);
            TestCluster.execute(cluster.primary(), "GRANT " + EmbeddedPostgres.SUPERUSER + " TO " + role);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(cluster::close, "consistency-cluster-close"));
        return cluster;
    }
}
