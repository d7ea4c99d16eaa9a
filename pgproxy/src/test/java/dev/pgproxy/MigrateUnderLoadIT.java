package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Clients read and write through a proxy with its cache on while migrations go past it, and cannot tell that they do. */
final class MigrateUnderLoadIT {
    private static final int ROWS = 2;

    /** So many reads, so that most of them are answered by the cache. */
    private static final int BETWEEN_WRITES = 60;

    /** Sessions that do not begin transactions see no error at all; pgjdbc prepares anew what PostgreSQL says is stale. */
    private final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();

    private final AtomicLongArray acknowledged = new AtomicLongArray(ROWS + 1);
    private final AtomicLong reads = new AtomicLong();
    private volatile boolean open = true;

    /** What a read of all columns gives that was sent after this moment. */
    private record Expected(String columns, long from) {}

    private volatile Expected expected = new Expected("", Long.MAX_VALUE);

    @TempDir
    private Path directory;

    private final List<Thread> threads = new ArrayList<>();

    private static Connection connect(Endpoint to, String more) throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://" + to.host() + ":" + to.port() + "/" + to.database()
                + "?user=postgres&password=" + to.password() + "&" + more);
    }

    private String migrate(Endpoint primary, String... command) {
        StringWriter out = new StringWriter();
        List<String> arguments = new ArrayList<>(List.of("migrate"));
        arguments.addAll(List.of(command));
        if (command[0].equals("up")) {
            arguments.addAll(List.of("--baseline", "0")); // the database holds what every test has
        }
        arguments.addAll(List.of("--dir", directory.toString(), "--primary"));
        arguments.add("postgres://postgres:" + primary.password() + "@" + primary.host() + ":" + primary.port() + "/"
                + primary.database());
        int exit = new CommandLine(Main.class)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(out))
                .execute(arguments.toArray(new String[0]));
        assertThat(exit).as(out.toString()).isZero();
        return out.toString();
    }

    private interface Turn {
        void run() throws SQLException;
    }

    private void repeat(String name, Turn turn) {
        threads.add(Thread.ofPlatform().name(name).start(() -> {
            while (open) {
                try {
                    turn.run();
                } catch (SQLException | RuntimeException e) {
                    wrong.add(name + ": " + e);
                    return;
                }
            }
        }));
    }

    private void write(Connection connection, int row) throws SQLException {
        PreparedStatement update =
                connection.prepareStatement("UPDATE items SET version = version + 1 WHERE id = ? RETURNING version");
        update.setInt(1, row);
        repeat("writer " + row, () -> {
            long next = reads.get() + BETWEEN_WRITES;
            await().pollInterval(Duration.ofMillis(2)).until(() -> !open || reads.get() >= next);
            try (ResultSet answer = update.executeQuery()) {
                answer.next();
                acknowledged.set(row, answer.getLong(1));
            }
        });
    }

    private void read(String name, PreparedStatement select, int row) throws SQLException {
        select.setInt(1, row);
        repeat(name, () -> {
            long least = acknowledged.get(row);
            Expected shape = expected;
            boolean checked = System.nanoTime() - shape.from > 0;
            try (ResultSet answer = select.executeQuery()) {
                answer.next();
                if (answer.getLong("version") < least) {
                    wrong.add(name + " read " + answer.getLong("version") + " after " + least);
                }
                if (checked
                        && shape == expected
                        && name.endsWith("*")
                        && !columns(answer).equals(shape.columns)) {
                    wrong.add(name + " read columns " + columns(answer) + " instead of " + shape.columns);
                }
            }
            reads.incrementAndGet();
        });
    }

    private static String columns(ResultSet answer) throws SQLException {
        ResultSetMetaData columns = answer.getMetaData();
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
            names.add(columns.getColumnName(i) + ":" + columns.getColumnTypeName(i));
        }
        return String.join(" ", names);
    }

    /** Everybody goes on for a while, and what was read meanwhile was right. */
    private void goOn(String columns, Duration bound) {
        expected = new Expected(columns, System.nanoTime() + bound.toNanos());
        long before = reads.get();
        await().until(() -> !wrong.isEmpty() || System.nanoTime() - expected.from > 0 && reads.get() > before + 400);
        assertThat(wrong).isEmpty();
        expected = new Expected("", Long.MAX_VALUE);
    }

    /** @param bound in which the level promises that what was changed elsewhere is seen, with room for a busy machine */
    @ParameterizedTest
    @CsvSource({"logical, 1000", "notify, 1000", "off, 4000"})
    void nobodyNotices(String level, int bound) throws Exception {
        file(
                "V1__items.sql",
                "CREATE TABLE items (id int PRIMARY KEY, version bigint, note text);"
                        + " INSERT INTO items VALUES (1, 0, 'a'), (2, 0, 'b')");
        try (CachingProxy caching = CachingProxy.start("change_feed = " + level + "\ncatalog_poll = 1s\n")) {
            Endpoint primary = caching.routed().direct();
            Endpoint proxied = caching.routed().proxied();
            migrate(primary, "up");
            caching.login().close();
            List<Connection> connections = new ArrayList<>();
            try {
                for (String mode : List.of("prepareThreshold=1", "prepareThreshold=0", "preferQueryMode=simple")) {
                    for (int row = 1; row <= ROWS; row++) {
                        for (String what : List.of("version", "*")) {
                            Connection reader = connect(proxied, mode);
                            connections.add(reader);
                            read(
                                    mode + " " + row + " " + what,
                                    reader.prepareStatement("SELECT " + what + " FROM items WHERE id = ?"),
                                    row);
                        }
                    }
                }
                Connection writer = connect(proxied, "prepareThreshold=1");
                connections.add(writer);
                write(writer, 1);
                run(primary, caching, Duration.ofMillis(bound));
            } finally {
                open = false;
                for (Thread thread : threads) {
                    thread.join();
                }
                for (Connection connection : connections) {
                    connection.close();
                }
            }
            assertThat(wrong).isEmpty();
            assertThat(caching.count(CacheReason.HIT)).isPositive();
        }
    }

    private void file(String name, String sql) throws Exception {
        Files.writeString(directory.resolve(name), sql);
    }

    private void run(Endpoint primary, CachingProxy caching, Duration bound) throws Exception {
        goOn("id:int4 version:int8 note:text", bound);
        file("V2__extra.sql", "ALTER TABLE items ADD COLUMN extra text NOT NULL DEFAULT 'x'");
        migrate(primary, "up");
        goOn("id:int4 version:int8 note:text extra:text", bound);
        file("V3__note.sql", "ALTER TABLE items DROP COLUMN note");
        migrate(primary, "up");
        goOn("id:int4 version:int8 extra:text", bound);
        file("V4__type.sql", "ALTER TABLE items ALTER version TYPE numeric");
        migrate(primary, "up");
        goOn("id:int4 version:numeric extra:text", bound);
        file("V5__view.sql", "ALTER TABLE items RENAME TO things; CREATE VIEW items AS SELECT id, version FROM things");
        migrate(primary, "up");
        goOn("id:int4 version:numeric", bound);
        file("V6__index.sql", "CREATE INDEX CONCURRENTLY things_version ON things (version)");
        migrate(primary, "up");
        goOn("id:int4 version:numeric", bound);
        migrate(primary, "rollback");
        goOn("id:int4 version:numeric", bound);
        assertThat(migrate(primary, "rollback", "--to", "4")).contains("1 taken back");
        goOn("id:int4 version:numeric extra:text", bound);
        long hits = caching.count(CacheReason.HIT);
        await().until(() -> caching.count(CacheReason.HIT) > hits);
    }

    /**
     * A statement that another session had prepared before the migration is not given to one that prepares it afterwards:
     * within a transaction nobody could repeat it.
     */
    @Test
    void whatIsPreparedAfterAMigrationIsNeverStale() throws Exception {
        file("V1__items.sql", "CREATE TABLE items (id int); INSERT INTO items VALUES (1)");
        try (CachingProxy caching =
                CachingProxy.start("change_feed = notify\ncatalog_poll = 1h\ndefault_pool_size = 1\n")) {
            Endpoint primary = caching.routed().direct();
            migrate(primary, "up");
            try (RawClient old = caching.login();
                    RawClient fresh = caching.routed().proxied().login()) {
                await().until(() -> "listening"
                        .equalsIgnoreCase(Objects.requireNonNull(caching.state().feed())
                                .listening()
                                .state()
                                .toString()));
                old.query("BEGIN").readUntilReady();
                old.batch(b -> b.parse("s", "SELECT * FROM items")
                        .describeStatement("s")
                        .bind("", "s")
                        .execute("")
                        .sync());
                assertThat(Message.row(old.readUntilReady())).containsExactly("1");
                old.query("COMMIT").readUntilReady();
                long before = caching.state().changes();
                file("V2__extra.sql", "ALTER TABLE items ADD COLUMN extra int DEFAULT 2");
                migrate(primary, "up");
                await().until(() ->
                        caching.state().changes() > before && caching.state().catalog() != null);
                fresh.query("BEGIN").readUntilReady();
                fresh.batch(b -> b.parse("s", "SELECT * FROM items")
                        .describeStatement("s")
                        .bind("", "s")
                        .execute("")
                        .sync());
                assertThat(Message.row(fresh.readUntilReady())).containsExactly("1", "2");
                fresh.query("COMMIT").readUntilReady();
                assertHistory(caching, fresh);
            }
        }
    }

    /** The cache has told the client of columns that no server had described for this statement. */
    @Test
    void whoWasToldColumnsByTheCacheIsNotGivenOthers() {
        try (CachingProxy caching = CachingProxy.start("", "CREATE TABLE items AS SELECT 1::int8 AS a");
                RawClient unnamed = caching.login();
                RawClient named = caching.routed().proxied().login()) {
            String text = "SELECT a FROM items";
            caching.know(unnamed, text);
            await().until(() -> caching.why(
                            client -> client.parse("", text)
                                    .bind("", "")
                                    .describePortal("")
                                    .execute("")
                                    .sync(),
                            unnamed)
                    == CacheReason.HIT);
            assertThat(caching.why(
                            client -> client.parse("s", text)
                                    .bind("", "s")
                                    .describePortal("")
                                    .execute("")
                                    .sync(),
                            named))
                    .isEqualTo(CacheReason.HIT);
            caching.routed().direct().run("ALTER TABLE items ALTER a TYPE numeric");
            unnamed.query("UPDATE items SET a = 2").readUntilReady();
            List<Message> answer =
                    named.batch(b -> b.bind("", "s").execute("").sync()).readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("EZ");
            assertThat(answer.getFirst().field('C')).isEqualTo("0A000");
            assertThat(answer.getFirst().field('R')).isEqualTo("RevalidateCachedQuery");
        }
    }

    /** What passes through, with what became of it, and what the command has told. */
    private static void assertHistory(CachingProxy caching, RawClient client) {
        client.query("SET application_name = 'deploy'").readUntilReady();
        client.query("CREATE TABLE more (a text DEFAULT 'secret')").readUntilReady();
        client.query("DROP TABLE nowhere").readUntilReady();
        client.query("CREATE TEMP TABLE mine (a int)").readUntilReady();
        client.batch(b -> b.parse("", "ALTER TABLE more ADD b int")
                .bind("", "")
                .execute("")
                .sync());
        client.readUntilReady();
        Endpoint console = caching.routed().proxied().withDatabase("pgproxy");
        String database = caching.routed().database();
        await().untilAsserted(() -> assertThat(Message.rows(console.run("SHOW SCHEMA HISTORY")).stream()
                        .filter(row -> database.equals(row.get(1)))
                        .map(row ->
                                row.get(2) + "|" + row.get(3) + "|" + row.get(4) + "|" + row.get(5) + "|" + row.get(6)))
                .containsExactly(
                        "postgres|deploy|ALTER TABLE more ADD b int|done|null",
                        "postgres|deploy|DROP TABLE nowhere|failed|42P01",
                        "postgres|deploy|CREATE TABLE more (a text DEFAULT ?)|done|null",
                        "||migrated 2 extra|done|null"));
    }
}
