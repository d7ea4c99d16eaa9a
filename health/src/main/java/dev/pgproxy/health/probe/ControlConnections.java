package dev.pgproxy.health.probe;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.util.Credentials;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;

/**
 * At most two connections to one host: one that polls, one for rarer questions. None is opened before it is asked for, and
 * none waits longer than it may. Thread-safe.
 */
public final class ControlConnections implements AutoCloseable {
    private static final int MOST = 2;
    private static final Duration IDLE = Duration.ofMinutes(1);

    private final HikariDataSource pool;

    /** With a limit for logging in and for every answer, rounded up to whole seconds where pgjdbc counts in them. */
    public ControlConnections(ControlTarget target, Duration timeout) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("control " + target.host().name());
        config.setJdbcUrl(url(target));
        config.setCredentialsProvider(
                () -> new Credentials(target.user(), target.password().get()));
        String seconds = Long.toString(Math.max(1, timeout.plusMillis(999).toSeconds()));
        config.addDataSourceProperty("connectTimeout", seconds);
        config.addDataSourceProperty("socketTimeout", seconds);
        config.addDataSourceProperty("tcpKeepAlive", "true");
        config.addDataSourceProperty("ApplicationName", "pgproxy");
        target.properties().forEach(config::addDataSourceProperty);
        config.setMaximumPoolSize(MOST);
        config.setMinimumIdle(0);
        config.setIdleTimeout(IDLE.toMillis());
        config.setConnectionTimeout(Math.max(250, timeout.toMillis()));
        config.setValidationTimeout(Math.max(250, timeout.toMillis()));
        config.setInitializationFailTimeout(-1);
        pool = new HikariDataSource(config);
    }

    /**
     * One that is nobody else's, with further properties of pgjdbc, which win; to be closed by the caller. Waits as long as the
     * limit for logging in and, unless the properties say otherwise, for every answer.
     */
    public static Connection alone(ControlTarget target, Duration timeout, Map<String, String> more)
            throws SQLException {
        Properties properties = new Properties();
        String seconds = Long.toString(Math.max(1, timeout.plusMillis(999).toSeconds()));
        properties.put("user", target.user());
        properties.put("password", target.password().get());
        properties.put("connectTimeout", seconds);
        properties.put("loginTimeout", seconds);
        properties.put("socketTimeout", seconds);
        properties.put("tcpKeepAlive", "true");
        properties.put("ApplicationName", "pgproxy");
        properties.putAll(target.properties());
        properties.putAll(more);
        return DriverManager.getConnection(url(target), properties);
    }

    private static String url(ControlTarget target) {
        boolean isIpv6 = target.hostName().indexOf(':') >= 0;
        String name = isIpv6 ? "[" + target.hostName() + "]" : target.hostName();
        return "jdbc:postgresql://" + name + ":" + target.port() + "/"
                + URLEncoder.encode(target.database(), StandardCharsets.UTF_8);
    }

    /** One of them, to be closed soon or kept for polling; waits as long as the limit. */
    public Connection connection() throws SQLException {
        return pool.getConnection();
    }

    /** Closes a connection that is not to be trusted any more. */
    public void discard(Connection connection) {
        pool.evictConnection(connection);
    }

    @Override
    public void close() {
        pool.close();
    }
}
