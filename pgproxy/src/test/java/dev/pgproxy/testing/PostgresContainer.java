package dev.pgproxy.testing;

import dev.pgproxy.demo.EmbeddedPostgres;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.postgresql.PostgreSQLContainer;

/**
 * PostgreSQL in a container, for {@code mvn verify -Pdocker}: one per JVM, started by the first test that asks, removed by
 * Testcontainers when the JVM ends. Thread-safe.
 */
final class PostgresContainer {
    private static final String IMAGE = System.getProperty("postgres.image", "");

    private static final class Holder {
        static final ServerAddress ADDRESS = started();
    }

    private PostgresContainer() {}

    static boolean isWanted() {
        return !IMAGE.isEmpty();
    }

    static ServerAddress shared() {
        if (!DockerClientFactory.instance().isDockerAvailable()) {
            throw new IllegalStateException("There is no Docker for " + IMAGE
                    + ": -Pdocker needs a running Docker that this user may use; without one, run mvn verify.");
        }
        return Holder.ADDRESS;
    }

    private static ServerAddress started() {
        PostgreSQLContainer container = new PostgreSQLContainer(IMAGE)
                .withUsername(EmbeddedPostgres.SUPERUSER)
                .withPassword(TestCluster.PASSWORD)
                .withCommand(
                        "postgres",
                        "-c",
                        "fsync=off",
                        "-c",
                        "max_connections=400",
                        "-c",
                        "max_prepared_transactions=20",
                        "-c",
                        "wal_level=logical");
        container.start();
        return new ServerAddress(container.getHost(), container.getMappedPort(PostgreSQLContainer.POSTGRESQL_PORT));
    }
}
