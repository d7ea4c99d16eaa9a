package dev.pgproxy.testing;

import dev.pgproxy.demo.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/** Where a PostgreSQL is whose superuser is postgres with {@link TestCluster#PASSWORD}. Immutable. */
public record ServerAddress(String host, int port) {

    /** Runs a statement as the superuser in database postgres. */
    public void execute(String sql) {
        String url = "jdbc:postgresql://" + host + ":" + port + "/postgres";
        try (Connection connection =
                        DriverManager.getConnection(url, EmbeddedPostgres.SUPERUSER, TestCluster.PASSWORD);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new AssertionError(sql, e);
        }
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
