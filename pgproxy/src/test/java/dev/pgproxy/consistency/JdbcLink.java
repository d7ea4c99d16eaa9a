package dev.pgproxy.consistency;

import dev.pgproxy.testing.Endpoint;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * pgjdbc in one style for all its life. Several statements are joined: a multi-statement query in the simple style, else
 * the driver's pipeline up to one Sync. BEGIN and its end are told through the API or as text.
 */
final class JdbcLink implements Link {
    private final Connection connection;
    private final boolean byApi;
    private final boolean isSimple;
    private volatile @Nullable Statement running;

    JdbcLink(Endpoint endpoint, Style style, boolean byApi) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", endpoint.user());
        properties.setProperty("password", endpoint.password());
        properties.setProperty("preferQueryMode", style == Style.SIMPLE ? "simple" : "extended");
        properties.setProperty("prepareThreshold", style == Style.NAMED ? "1" : "0");
        properties.setProperty("socketTimeout", "20");
        this.byApi = byApi;
        this.isSimple = style == Style.SIMPLE;
        this.connection = DriverManager.getConnection(
                "jdbc:postgresql://" + endpoint.host() + ":" + endpoint.port() + "/" + endpoint.database(), properties);
        for (String sql : Family.PREAMBLE) {
            if (!run(style, List.of(Sql.plain(sql))).isOk()) {
                close();
                throw new SQLException("lost while preparing");
            }
        }
    }

    @Override
    public Answer run(Style style, List<Sql> statements) {
        List<Result> results = new ArrayList<>();
        try {
            Sql first = statements.getFirst();
            if (first.isCopyIn()) {
                byte[] row = (first.key() + "\t" + first.version() + "\n").getBytes(StandardCharsets.UTF_8);
                connection
                        .unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyIn(first.template(), new ByteArrayInputStream(row));
                results.add(new Result(List.of(), 1));
            } else if (first.isCopyOut()) {
                results.add(copyOut(first));
            } else if (!byApi || statements.size() > 1 || !control(first.template(), results)) {
                execute(statements, results);
            }
            return new Answer(results, "", "", false);
        } catch (SQLException | IOException e) {
            String state = e instanceof SQLException sql && sql.getSQLState() != null ? sql.getSQLState() : "";
            String silence = e.getCause() instanceof SocketTimeoutException ? Answer.SILENCE + ": " : "";
            return Answer.of(results, state, silence + e.getMessage(), state.isEmpty() || isClosed());
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) { // the driver reads what it was not told of
            return new Answer(results, "", Answer.GARBLED + ": " + e, true);
        }
    }

    /** True for what starts and ends transactions, if the API can say it. */
    private boolean control(String sql, List<Result> results) throws SQLException {
        switch (sql) {
            case "BEGIN", "BEGIN READ ONLY" -> {
                connection.setReadOnly(sql.endsWith("ONLY"));
                connection.setAutoCommit(false);
            }
            case "COMMIT", "ROLLBACK" -> {
                if (connection.getAutoCommit()) {
                    return false;
                }
                if (sql.equals("COMMIT")) {
                    connection.commit();
                } else {
                    connection.rollback();
                }
                connection.setAutoCommit(true);
                connection.setReadOnly(false);
            }
            default -> {
                return false;
            }
        }
        results.add(new Result(List.of(), 0));
        return true;
    }

    /** A prepared statement in the simple style would be split into queries of their own. */
    private void execute(List<Sql> statements, List<Result> results) throws SQLException {
        if (isSimple && statements.size() > 1) {
            String text = String.join("; ", statements.stream().map(Sql::text).toList());
            try (Statement statement = connection.createStatement()) {
                running = statement;
                collect(statement, statement.execute(text), results);
            } finally {
                running = null;
            }
            return;
        }
        String text = String.join("; ", statements.stream().map(Sql::jdbc).toList());
        try (PreparedStatement statement = connection.prepareStatement(text)) {
            int index = 1;
            for (Sql sql : statements) {
                for (Number value : sql.jdbcValues()) {
                    if (value instanceof Integer key) {
                        statement.setInt(index++, key);
                    } else {
                        statement.setLong(index++, value.longValue());
                    }
                }
            }
            running = statement;
            collect(statement, statement.execute(), results);
        } finally {
            running = null;
        }
    }

    private static void collect(Statement statement, boolean first, List<Result> results) throws SQLException {
        boolean isRows = first;
        int count = isRows ? 0 : statement.getUpdateCount();
        while (isRows || count >= 0) {
            results.add(new Result(isRows ? rows(statement) : List.of(), count));
            isRows = statement.getMoreResults();
            count = isRows ? 0 : statement.getUpdateCount();
        }
    }

    private static List<List<String>> rows(Statement statement) throws SQLException {
        List<List<String>> rows = new ArrayList<>();
        try (ResultSet result = statement.getResultSet()) {
            int columns = result.getMetaData().getColumnCount();
            while (result.next()) {
                List<String> row = new ArrayList<>(columns);
                for (int column = 1; column <= columns; column++) {
                    row.add(Objects.toString(result.getObject(column)));
                }
                rows.add(row);
            }
        }
        return rows;
    }

    private Result copyOut(Sql copy) throws SQLException, IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        connection.unwrap(PGConnection.class).getCopyAPI().copyOut(copy.template(), out);
        List<List<String>> rows = out.toString(StandardCharsets.UTF_8)
                .lines()
                .map(line -> List.of(line.split("\t", -1)))
                .toList();
        return new Result(rows, rows.size());
    }

    private boolean isClosed() {
        try {
            return connection.isClosed();
        } catch (SQLException e) {
            return true;
        }
    }

    @Override
    public void cancel() {
        Statement statement = running;
        try {
            if (statement != null) {
                statement.cancel();
            }
        } catch (SQLException ignored) {
            // cancelling is a wish
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException ignored) {
            // it is gone
        }
    }
}
