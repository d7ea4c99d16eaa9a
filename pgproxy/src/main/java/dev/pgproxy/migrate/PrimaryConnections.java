package dev.pgproxy.migrate;

import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.ControlTarget;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.time.Duration;
import java.util.Map;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** New connections to a primary, for whoever asks for a DataSource. Statements may take as long as they need. Immutable. */
public record PrimaryConnections(ControlTarget target) implements DataSource {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @Override
    public Connection getConnection() throws SQLException {
        return ControlConnections.alone(
                target, PATIENCE, Map.of("socketTimeout", "0", "ApplicationName", "pgproxy migrate"));
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException("the user is known");
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        throw new SQLFeatureNotSupportedException("nothing is logged");
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        throw new SQLFeatureNotSupportedException("the limit is fixed");
    }

    @Override
    public int getLoginTimeout() {
        return (int) PATIENCE.toSeconds();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException("nothing is logged");
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLException("this wraps nothing");
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }
}
