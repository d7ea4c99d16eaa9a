package dev.pgproxy.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import java.sql.Connection;
import org.junit.jupiter.api.Test;

class SharedClusterIT {
    @Test
    void freshRolesLogInToFreshDatabasesOfTheSharedServer() throws Exception {
        EmbeddedPostgres server = TestCluster.primary();
        String role = TestCluster.freshRole("it's");
        String database = TestCluster.freshDatabase();

        try (Connection connection = server.connect(role, "it's", database)) {
            assertThat(connection.getCatalog()).isEqualTo(database);
        }
        assertThat(TestCluster.freshDatabase()).isNotEqualTo(database);
        assertThat(TestCluster.primary()).isSameAs(server);
    }
}
