package dev.pgproxy.workload;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.RawClient;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/** An application with one connection, as drivers of different languages talk. Confined to one thread. */
public final class App implements AutoCloseable {
    private final Endpoint endpoint;
    private final String name;
    private final Connection connection;
    private final boolean simple;

    /** Connects. */
    App(Endpoint endpoint, String name, Driver driver) throws SQLException {
        this.endpoint = endpoint;
        this.name = name;
        Properties properties = new Properties();
        properties.setProperty("user", endpoint.user());
        properties.setProperty("password", endpoint.password());
        properties.setProperty("ApplicationName", name);
        properties.setProperty("sslmode", "disable");
        properties.setProperty("prepareThreshold", driver == Driver.NAMED ? "1" : "0");
        properties.setProperty("preferQueryMode", driver == Driver.SIMPLE ? "simple" : "extended");
        simple = driver == Driver.SIMPLE;
        connection = DriverManager.getConnection(
                "jdbc:postgresql://%s:%d/%s".formatted(endpoint.host(), endpoint.port(), endpoint.database()),
                properties);
    }

    /** How statements are sent. */
    public enum Driver {
        /** Query with literals in its text, as psycopg2 does. */
        SIMPLE,
        /** The unnamed statement, parsed each time, as node-postgres does. */
        UNNAMED,
        /** Named statements, parsed once, as Hibernate and Rails have it. */
        NAMED
    }

    /** The same application once more, on another connection. */
    App another() throws SQLException {
        return new App(endpoint, name, simple ? Driver.SIMPLE : Driver.UNNAMED);
    }

    /** The first column of what it gives, as numbers. */
    List<Long> ids(String sql, Object... values) throws SQLException {
        List<Long> ids = new ArrayList<>();
        rows(sql, rows -> ids.add(rows.getLong(1)), values);
        return ids;
    }

    /** Reads, whatever it gives. */
    void read(String sql, Object... values) throws SQLException {
        rows(sql, rows -> {}, values);
    }

    @FunctionalInterface
    private interface Row {
        void of(ResultSet rows) throws SQLException;
    }

    private void rows(String sql, Row row, Object... values) throws SQLException {
        try (Statement statement = simple ? connection.createStatement() : prepared(sql, values);
                ResultSet rows = simple
                        ? statement.executeQuery(literal(sql, values))
                        : ((PreparedStatement) statement).executeQuery()) {
            while (rows.next()) {
                row.of(rows);
            }
        }
    }

    void write(String sql, Object... values) throws SQLException {
        if (simple) {
            try (Statement statement = connection.createStatement()) {
                statement.execute(literal(sql, values));
            }
            return;
        }
        try (PreparedStatement statement = prepared(sql, values)) {
            statement.execute();
        }
    }

    private PreparedStatement prepared(String sql, Object... values) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
        return statement;
    }

    private static String literal(String sql, Object... values) {
        String text = sql;
        for (Object value : values) {
            String quoted =
                    value instanceof String string ? "'" + string.replace("'", "''") + "'" : String.valueOf(value);
            text = text.replaceFirst("\\?", java.util.regex.Matcher.quoteReplacement(quoted));
        }
        return text;
    }

    /** One after the other in one batch, as JDBC does it. */
    void batch(String sql, List<Long> values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (Long value : values) {
                statement.setLong(1, value);
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    /** What it gives is read in parts, with something else in between. */
    void streamed(String sql, int part, Each each) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setFetchSize(part);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    each.of(rows.getLong(1));
                }
            }
        }
    }

    /** What is done for each row. */
    @FunctionalInterface
    interface Each {
        void of(long id) throws SQLException;
    }

    void begin() throws SQLException {
        connection.setAutoCommit(false);
    }

    void commit() throws SQLException {
        connection.commit();
        connection.setAutoCommit(true);
    }

    void savepoint(String savepoint) throws SQLException {
        write("SAVEPOINT " + savepoint);
    }

    void release(String savepoint) throws SQLException {
        write("RELEASE SAVEPOINT " + savepoint);
    }

    /** Fails, and the transaction goes on behind a savepoint. */
    void fails(String sql, Object... values) throws SQLException {
        savepoint("try");
        try {
            read(sql, values);
            throw new AssertionError(sql + " has not failed");
        } catch (SQLException e) {
            write("ROLLBACK TO SAVEPOINT try");
        }
    }

    Connection connection() {
        return connection;
    }

    /** A client of the same name that speaks the protocol by itself. */
    RawClient raw() {
        RawClient client = endpoint.login();
        client.query(String.format(Locale.ROOT, "SET application_name = '%s'", name))
                .readUntilReady();
        return client;
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
