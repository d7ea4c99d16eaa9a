package dev.pgproxy.corpus;

import dev.pgproxy.demo.EmbeddedPostgres;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.postgresql.PGConnection;

/**
 * Asks the database itself whether a statement is harmless: runs it on a replica and in a transaction on the primary,
 * and looks for any difference and any trace. What leaves a trace is rolled back. Confined to its thread.
 */
final class HarmCheck {
    /** Everything that a statement can change for its session or for others without a transaction id. */
    private static final String STATE = """
            SELECT 'sequence ' || schemaname || '.' || sequencename || ' ' || coalesce(last_value::text, '-') FROM pg_sequences
            UNION ALL SELECT 'setting ' || name || ' ' || coalesce(setting, '-') FROM pg_settings
            UNION ALL SELECT 'advisory lock ' || classid || ' ' || objid || ' ' || mode FROM pg_locks
                WHERE pid = pg_backend_pid() AND locktype = 'advisory'
            UNION ALL SELECT mode || ' on ' || relation FROM pg_locks
                WHERE pid = pg_backend_pid() AND locktype = 'relation'
                AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
            UNION ALL SELECT 'temporary ' || relname FROM pg_class WHERE relpersistence = 't'
            UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements
            UNION ALL SELECT 'cursor ' || name FROM pg_cursors
            UNION ALL SELECT 'listens to ' || pg_listening_channels()
            """;

    private final EmbeddedPostgres primary;
    private final EmbeddedPostgres replica;
    private final String database;

    HarmCheck(EmbeddedPostgres primary, EmbeddedPostgres replica, String database) {
        this.primary = primary;
        this.replica = replica;
        this.database = database;
    }

    /** What a client sees: an SQLSTATE (empty if all went well) and the rows, sorted. */
    record Answer(String sqlState, List<String> rows) {}

    /**
     * What was seen.
     *
     * @param signs a sentence for each sign that the statement must not run on a replica; none if it is harmless
     */
    record Finding(List<String> signs, Answer onReplica) {}

    /** Runs it on both. */
    Finding look(CorpusStatement statement) throws SQLException {
        List<String> signs = new ArrayList<>();
        Answer onReplica;
        try (Connection connection = connect(replica, statement)) {
            onReplica = run(connection, statement);
        }
        try (Connection connection = connect(primary, statement)) {
            Answer onPrimary = watched(connection, statement, signs);
            if (!onReplica.sqlState().equals(onPrimary.sqlState())) {
                signs.add(
                        "the replica says '" + onReplica.sqlState() + "', the primary '" + onPrimary.sqlState() + "'");
            } else if (!statement.is("unstable") && !onReplica.rows().equals(onPrimary.rows())) {
                signs.add("the replica gives " + onReplica.rows() + ", the primary " + onPrimary.rows());
            }
        }
        return new Finding(signs, onReplica);
    }

    private static Answer watched(Connection connection, CorpusStatement statement, List<String> signs)
            throws SQLException {
        connection.setAutoCommit(false);
        Set<String> before = new TreeSet<>(query(connection, STATE));
        Answer answer = run(connection, statement);
        if (!answer.sqlState().isEmpty()) {
            connection.rollback();
        } else {
            List<String> xid = query(connection, "SELECT pg_current_xact_id_if_assigned()::text");
            if (!xid.equals(List.of("null"))) {
                signs.add("it is given a transaction id");
            }
        }
        compare(before, connection, signs);
        if (signs.isEmpty()) {
            connection.commit();
            compare(before, connection, signs);
            connection.commit();
            if (connection.unwrap(PGConnection.class).getNotifications().length > 0) {
                signs.add("it notifies");
            }
        } else {
            connection.rollback();
        }
        return answer;
    }

    private static void compare(Set<String> before, Connection connection, List<String> signs) throws SQLException {
        Set<String> after = new TreeSet<>(query(connection, STATE));
        after.stream().filter(line -> !before.contains(line)).forEach(line -> signs.add("after it: " + line));
        before.stream().filter(line -> !after.contains(line)).forEach(line -> signs.add("before it: " + line));
    }

    /** Simple queries, so that the text goes as it is; its own search_path; it hears of notifications. */
    private Connection connect(EmbeddedPostgres server, CorpusStatement statement) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", EmbeddedPostgres.SUPERUSER);
        properties.setProperty("password", server.superuserPassword());
        properties.setProperty("preferQueryMode", "simple");
        properties.setProperty("options", "-c statement_timeout=10s -c timezone=UTC");
        Connection connection = DriverManager.getConnection(server.jdbcUrl(database), properties);
        try (Statement setting = connection.createStatement()) {
            // each brings settings of its own at its first use
            setting.execute("LOAD 'plpgsql'; LOAD 'pg_trgm'; LOAD 'postgres_fdw'");
            setting.execute("SET search_path = " + statement.pathSetting());
            if (server == primary) {
                setting.execute("LISTEN corpus");
            }
        }
        return connection;
    }

    private static Answer run(Connection connection, CorpusStatement statement) {
        List<String> rows = new ArrayList<>();
        try {
            if (statement.kind().equals("COPY_TO")) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                connection.unwrap(PGConnection.class).getCopyAPI().copyOut(statement.sql(), out);
                rows.addAll(out.toString(StandardCharsets.UTF_8).lines().toList());
            } else {
                rows.addAll(query(connection, statement.sql()));
            }
        } catch (SQLException e) {
            return new Answer(Objects.requireNonNullElse(e.getSQLState(), "none"), List.of());
        } catch (IOException e) {
            throw new AssertionError(statement.toString(), e);
        }
        rows.sort(null);
        return new Answer("", List.copyOf(rows));
    }

    /** Every row of every result, its columns by {@code |}. */
    private static List<String> query(Connection connection, String sql) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            boolean isResult = statement.execute(sql);
            while (isResult || statement.getUpdateCount() != -1) {
                if (isResult) {
                    addRows(statement.getResultSet(), rows);
                }
                isResult = statement.getMoreResults();
            }
        }
        return rows;
    }

    private static void addRows(ResultSet result, List<String> rows) throws SQLException {
        while (result.next()) {
            List<String> columns = new ArrayList<>();
            for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                columns.add(String.valueOf(result.getString(i)));
            }
            rows.add(String.join("|", columns));
        }
    }
}
