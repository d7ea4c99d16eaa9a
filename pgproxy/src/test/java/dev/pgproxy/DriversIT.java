package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.ProxyUnderTest;
import io.r2dbc.postgresql.PostgresqlConnectionConfiguration;
import io.r2dbc.postgresql.PostgresqlConnectionFactory;
import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Cursor;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Three drivers that share no code do the same directly and through pgproxy, and see the same. */
class DriversIT {
    private static Vertx vertx;

    /** What a driver is made to do; it notes what it sees. */
    private interface Scenario {
        void run(Endpoint endpoint, List<String> seen) throws Exception;
    }

    @BeforeAll
    static void startVertx() {
        vertx = Vertx.vertx();
    }

    @AfterAll
    static void stopVertx() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private static void assertSame(Scenario scenario) throws Exception {
        List<String> direct = new ArrayList<>();
        scenario.run(ProxyUnderTest.shared().direct(), direct);
        List<String> proxied = new ArrayList<>();
        scenario.run(ProxyUnderTest.shared().proxied(), proxied);
        assertThat(direct).isNotEmpty();
        assertThat(proxied).isEqualTo(direct);
    }

    private static Connection jdbc(Endpoint endpoint, String options) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://" + endpoint.host() + ":" + endpoint.port() + "/" + endpoint.database() + options,
                endpoint.user(),
                endpoint.password());
    }

    private static void note(ResultSet rows, List<String> seen) throws SQLException {
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
            StringBuilder line = new StringBuilder();
            for (int i = 1; i <= columns; i++) {
                line.append(rows.getString(i)).append('|');
            }
            seen.add(line.toString());
        }
    }

    // ---- pgjdbc

    private static void statements(Endpoint endpoint, String options, List<String> seen) throws SQLException {
        try (Connection c = jdbc(endpoint, options)) {
            try (PreparedStatement s = c.prepareStatement("SELECT ?::int * 2, ?::text, ?::timestamptz IS NULL")) {
                for (int i = 0; i < 12; i++) { // beyond prepareThreshold
                    s.setInt(1, i);
                    s.setString(2, "text " + i);
                    s.setObject(3, null);
                    note(s.executeQuery(), seen);
                }
            }
            try (Statement s = c.createStatement()) {
                note(s.executeQuery("SELECT current_setting('client_encoding'), 1/3.0, now() IS NOT NULL"), seen);
                s.executeQuery("SELECT * FROM no_such_table");
            } catch (SQLException e) {
                seen.add(e.getSQLState() + " " + e.getMessage());
            }
        }
    }

    @Test
    void jdbcSimpleAndExtendedStatements() throws Exception {
        assertSame((endpoint, seen) -> statements(endpoint, "", seen));
        assertSame((endpoint, seen) -> statements(endpoint, "?preferQueryMode=simple", seen));
        assertSame((endpoint, seen) -> statements(endpoint, "?preferQueryMode=extendedForPrepared", seen));
        assertSame((endpoint, seen) -> statements(endpoint, "?prepareThreshold=1&binaryTransfer=true", seen));
        assertSame((endpoint, seen) -> statements(endpoint, "?prepareThreshold=-1", seen));
    }

    @Test
    void jdbcBatchesTransactionsAndSavepoints() throws Exception {
        assertSame((endpoint, seen) -> {
            try (Connection c = jdbc(endpoint, "?reWriteBatchedInserts=true")) {
                c.setAutoCommit(false);
                try (Statement s = c.createStatement()) {
                    s.execute("CREATE TABLE IF NOT EXISTS jdbc_batch (id int PRIMARY KEY, t text)");
                    s.execute("TRUNCATE jdbc_batch");
                }
                try (PreparedStatement s = c.prepareStatement("INSERT INTO jdbc_batch VALUES (?, ?)")) {
                    for (int i = 0; i < 500; i++) {
                        s.setInt(1, i);
                        s.setString(2, "row " + i);
                        s.addBatch();
                    }
                    seen.add("inserted " + s.executeBatch().length);
                    Savepoint savepoint = c.setSavepoint();
                    s.setInt(1, 7);
                    s.setString(2, "again");
                    s.addBatch();
                    try {
                        s.executeBatch();
                    } catch (SQLException e) {
                        seen.add(e.getSQLState());
                    }
                    c.rollback(savepoint);
                }
                c.commit();
                try (Statement s = c.createStatement()) {
                    note(s.executeQuery("SELECT count(*), sum(id), max(t) FROM jdbc_batch"), seen);
                }
                c.rollback();
            }
        });
    }

    @Test
    void jdbcCursorsFetchInParts() throws Exception {
        assertSame((endpoint, seen) -> {
            try (Connection c = jdbc(endpoint, "")) {
                c.setAutoCommit(false);
                try (PreparedStatement s =
                        c.prepareStatement("SELECT g, repeat('x', g) FROM generate_series(1, 1000) g")) {
                    s.setFetchSize(37);
                    int rows = 0;
                    long length = 0;
                    try (ResultSet r = s.executeQuery()) {
                        while (r.next()) {
                            rows++;
                            length += r.getString(2).length();
                        }
                    }
                    seen.add(rows + " rows, " + length + " characters");
                }
                c.commit();
            }
        });
    }

    @Test
    void jdbcCopiesInAndOut() throws Exception {
        assertSame((endpoint, seen) -> {
            try (Connection c = jdbc(endpoint, "");
                    Statement s = c.createStatement()) {
                s.execute("CREATE TABLE IF NOT EXISTS jdbc_copy (id int, t text)");
                s.execute("TRUNCATE jdbc_copy");
                StringBuilder text = new StringBuilder();
                for (int i = 0; i < 20_000; i++) {
                    text.append(i).append("\tvalue ").append(i).append('\n');
                }
                var copy = c.unwrap(PGConnection.class).getCopyAPI();
                seen.add("in " + copy.copyIn("COPY jdbc_copy FROM STDIN", new StringReader(text.toString())));
                StringWriter out = new StringWriter();
                seen.add("out " + copy.copyOut("COPY (SELECT * FROM jdbc_copy ORDER BY id) TO STDOUT", out));
                seen.add(String.valueOf(out.toString().contentEquals(text)));
                try {
                    copy.copyIn("COPY jdbc_copy FROM STDIN", new StringReader("not a number\tx\n"));
                } catch (SQLException e) {
                    seen.add(e.getSQLState());
                }
                note(s.executeQuery("SELECT count(*) FROM jdbc_copy"), seen);
            }
        });
    }

    @Test
    void jdbcTemporaryTablesAndSettingsStay() throws Exception {
        assertSame((endpoint, seen) -> {
            try (Connection c = jdbc(endpoint, "?ApplicationName=drivers");
                    Statement s = c.createStatement()) {
                s.execute("SET statement_timeout = '77s'");
                s.execute("CREATE TEMP TABLE mine (id int)");
                s.execute("INSERT INTO mine VALUES (1), (2)");
                note(s.executeQuery("SELECT count(*) FROM mine"), seen);
                note(s.executeQuery("SHOW statement_timeout"), seen);
                note(s.executeQuery("SHOW application_name"), seen);
                s.execute("DROP TABLE mine");
                note(s.executeQuery("SHOW statement_timeout"), seen);
            }
        });
    }

    @Test
    void jdbcHearsNotifications() throws Exception {
        assertSame((endpoint, seen) -> {
            try (Connection listener = jdbc(endpoint, "");
                    Connection sender = jdbc(endpoint, "");
                    Statement l = listener.createStatement();
                    Statement s = sender.createStatement()) {
                l.execute("LISTEN drivers");
                s.execute("NOTIFY drivers, 'hello'");
                PGNotification[] heard = listener.unwrap(PGConnection.class).getNotifications(10_000);
                for (PGNotification n : heard) {
                    seen.add(n.getName() + " " + n.getParameter());
                }
            }
        });
    }

    // ---- vertx-pg-client

    private static PgConnection vertx(Endpoint endpoint, boolean cache) throws Exception {
        PgConnectOptions options = new PgConnectOptions()
                .setHost(endpoint.host())
                .setPort(endpoint.port())
                .setDatabase(endpoint.database())
                .setUser(endpoint.user())
                .setPassword(endpoint.password())
                .setCachePreparedStatements(cache)
                .setPipeliningLimit(64);
        return await(PgConnection.connect(vertx, options));
    }

    private static <T> T await(io.vertx.core.Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    private static void pipeline(Endpoint endpoint, boolean cache, List<String> seen) throws Exception {
        PgConnection c = vertx(endpoint, cache);
        List<io.vertx.core.Future<RowSet<Row>>> answers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            int n = i;
            answers.add(
                    i % 10 == 3
                            ? c.query("SELECT 1/" + (i % 3)).execute()
                            : c.preparedQuery("SELECT $1::int8 + " + (i % 4) + ", $2::text")
                                    .execute(Tuple.of((long) n, "p" + n)));
        }
        for (io.vertx.core.Future<RowSet<Row>> answer : answers) {
            try {
                for (Row row : await(answer)) {
                    seen.add(row.deepToString());
                }
            } catch (java.util.concurrent.ExecutionException e) {
                seen.add(String.valueOf(e.getCause()));
            }
        }
        await(c.close());
    }

    @Test
    void vertxPipelinesWithErrorsInBetween() throws Exception {
        assertSame((endpoint, seen) -> pipeline(endpoint, false, seen));
        assertSame((endpoint, seen) -> pipeline(endpoint, true, seen));
    }

    @Test
    void vertxReadsBinaryValuesAndCursors() throws Exception {
        assertSame((endpoint, seen) -> {
            PgConnection c = vertx(endpoint, true);
            for (Row row : await(c.preparedQuery(
                            "SELECT 1.5::float8, '2026-01-02'::date, decode('00ff', 'hex'), ARRAY[1,2], $1::jsonb, 12.34::numeric")
                    .execute(Tuple.of(new io.vertx.core.json.JsonObject().put("a", 1))))) {
                seen.add(row.getDouble(0) + " " + row.getLocalDate(1) + " " + row.getBuffer(2) + " "
                        + List.of(row.getArrayOfIntegers(3)) + " " + row.getJson(4) + " " + row.getNumeric(5));
            }
            var transaction = await(c.begin());
            var statement = await(c.prepare("SELECT g FROM generate_series(1, $1) g"));
            Cursor cursor = statement.cursor(Tuple.of(100));
            int rows = 0;
            do {
                rows += await(cursor.read(7)).size();
            } while (cursor.hasMore());
            seen.add("cursor " + rows);
            await(cursor.close());
            await(transaction.commit());
            await(c.close());
        });
    }

    @Test
    void vertxHearsNotifications() throws Exception {
        assertSame((endpoint, seen) -> {
            PgConnection c = vertx(endpoint, false);
            List<String> heard = Collections.synchronizedList(new ArrayList<>());
            c.notificationHandler(n -> heard.add(n.getChannel() + " " + n.getPayload()));
            await(c.query("LISTEN vertx_channel").execute());
            await(c.query("SELECT pg_notify('vertx_channel', 'one')").execute());
            await(c.query("SELECT 1").execute());
            org.awaitility.Awaitility.await().until(() -> !heard.isEmpty());
            seen.addAll(heard);
            await(c.close());
        });
    }

    // ---- r2dbc-postgresql

    private static PostgresqlConnection r2dbc(Endpoint endpoint) {
        return java.util.Objects.requireNonNull(
                new PostgresqlConnectionFactory(PostgresqlConnectionConfiguration.builder()
                                .host(endpoint.host())
                                .port(endpoint.port())
                                .database(endpoint.database())
                                .username(endpoint.user())
                                .password(endpoint.password())
                                .build())
                        .create()
                        .block(java.time.Duration.ofSeconds(20)));
    }

    @Test
    void r2dbcStatementsTransactionsAndErrors() throws Exception {
        assertSame((endpoint, seen) -> {
            PostgresqlConnection c = r2dbc(endpoint);
            for (int i = 0; i < 10; i++) {
                seen.addAll(Flux.from(c.createStatement("SELECT $1::int + 1, $2::text")
                                .bind("$1", i)
                                .bind("$2", "r" + i)
                                .execute())
                        .flatMap(result -> result.map((row, meta) -> row.get(0) + " " + row.get(1)))
                        .collectList()
                        .block());
            }
            c.beginTransaction().block();
            String error = Flux.from(c.createStatement("SELECT 1/0").execute())
                    .flatMap(result -> result.map((row, meta) -> "none"))
                    .onErrorResume(e -> Mono.just(e.getMessage()))
                    .blockLast();
            seen.add(error);
            c.rollbackTransaction().block();
            seen.add(String.valueOf(Flux.from(c.createStatement("SELECT count(*) FROM generate_series(1, 5000)")
                            .fetchSize(100)
                            .execute())
                    .flatMap(result -> result.map((row, meta) -> row.get(0, Long.class)))
                    .blockLast()));
            seen.add(String.valueOf(Flux.from(c.createStatement("SELECT g FROM generate_series(1, 500) g")
                            .fetchSize(30)
                            .execute())
                    .flatMap(result -> result.map((row, meta) -> row.get(0, Integer.class)))
                    .count()
                    .block()));
            c.close().block();
        });
    }
}
