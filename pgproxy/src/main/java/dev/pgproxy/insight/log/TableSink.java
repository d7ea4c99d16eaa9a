package dev.pgproxy.insight.log;

import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.ControlTarget;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * The table {@code pgproxy.query_log} of one database, on whichever host is its primary. It is made if it is not there; who has
 * made it before needs to grant no more than USAGE on the schema and INSERT. Confined to one thread, which may wait.
 */
final class TableSink implements LogSink {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** Nobody's functions but PostgreSQL's; and a table that somebody has locked is waited for no longer than this. */
    private static final Map<String, String> PROPERTIES = Map.of(
            "ApplicationName",
            "pgproxy query log",
            "options",
            "-c search_path=pg_catalog -c statement_timeout=4s -c lock_timeout=2s -c default_transaction_read_only=off");

    private static final String TABLE = """
            CREATE TABLE IF NOT EXISTS pgproxy.query_log (ended_at timestamptz NOT NULL, duration_us bigint NOT NULL,
              queue_us bigint NOT NULL, database text NOT NULL, user_name text NOT NULL, application_name text NOT NULL,
              client_addr inet, route text NOT NULL, host text, cache text, rows bigint NOT NULL, sqlstate text,
              fingerprint text NOT NULL, query text NOT NULL)""";

    private final LogPlaces places;
    private final LogPlaces.Place place;
    private @Nullable Connection connection;
    private @Nullable ControlTarget target;
    private boolean ascii;

    TableSink(LogPlaces places, LogPlaces.Place place) {
        this.places = places;
        this.place = place;
    }

    @Override
    public void open() throws SQLException {
        opened();
    }

    private Connection opened() throws SQLException {
        ControlTarget now = places.target(place);
        if (now == null) {
            throw new SQLException("no primary is known, or no control_user, or it is a unix socket");
        }
        ControlTarget before = target;
        boolean same = before != null
                && before.hostName().equals(now.hostName())
                && before.port() == now.port()
                && before.user().equals(now.user());
        Connection open = connection;
        if (open != null && same) {
            return open;
        }
        close();
        Connection made = ControlConnections.alone(now, PATIENCE, PROPERTIES);
        connection = made;
        target = now;
        try (Statement statement = made.createStatement()) {
            prepare(statement);
        } catch (SQLException e) {
            close();
            throw e;
        }
        return made;
    }

    /** IF NOT EXISTS alone would need the right to create, even where there is nothing to. */
    private void prepare(Statement statement) throws SQLException {
        ascii = !"UTF8".equals(value(statement, "SHOW server_encoding"));
        if (value(statement, "SELECT to_regnamespace('pgproxy')::text") == null) {
            statement.execute("CREATE SCHEMA IF NOT EXISTS pgproxy");
        }
        if (value(statement, "SELECT to_regclass('pgproxy.query_log')::text") == null) {
            statement.execute(TABLE);
        }
    }

    private static @Nullable String value(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            return row.next() ? row.getString(1) : null;
        }
    }

    @Override
    public long write(List<LogRow> rows) throws IOException, SQLException {
        StringBuilder lines = new StringBuilder(rows.size() * 400);
        rows.forEach(row -> lines.append(row.copy(ascii)));
        byte[] bytes = lines.toString().getBytes(StandardCharsets.UTF_8);
        opened().unwrap(PGConnection.class)
                .getCopyAPI()
                .copyIn(
                        "COPY pgproxy.query_log (" + LogRow.COLUMNS + ") FROM STDIN",
                        new java.io.ByteArrayInputStream(bytes));
        return bytes.length;
    }

    @Override
    public void close() {
        Connection open = connection;
        connection = null;
        target = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                return; // it is gone
            }
        }
    }
}
