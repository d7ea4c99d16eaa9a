package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.SchemaSnapshot;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code pgproxy migrate}: what it runs, what it refuses, and that what it takes back is gone. */
final class MigrateIT {
    private record Outcome(int exit, String out, String err) {}

    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase(server);

    @TempDir
    private Path directory;

    private Outcome run(String command, String... more) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> arguments = new ArrayList<>(List.of("migrate", command));
        arguments.addAll(List.of(more));
        arguments.addAll(List.of(
                "--dir",
                directory.toString(),
                "--primary",
                "postgres://" + EmbeddedPostgres.SUPERUSER + ":" + server.superuserPassword() + "@" + server.host()
                        + ":" + server.port() + "/" + database));
        int exit = new CommandLine(Main.class)
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments.toArray(new String[0]));
        assertThat(out.toString() + err).doesNotContain(":" + server.superuserPassword() + "@");
        return new Outcome(exit, out.toString(), err.toString());
    }

    private Outcome good(String command, String... more) {
        Outcome outcome = run(command, more);
        assertThat(outcome.exit()).as("%s", outcome).isZero();
        return outcome;
    }

    private Outcome bad(String command, String... more) {
        Outcome outcome = run(command, more);
        assertThat(outcome.exit()).as("%s", outcome).isEqualTo(Main.FAILED);
        return outcome;
    }

    private void file(String name, String sql) throws IOException {
        Files.writeString(directory.resolve(name), sql);
    }

    private String value(String sql) throws SQLException {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return String.valueOf(row.getString(1));
        }
    }

    private SchemaSnapshot schema() throws SQLException {
        try (Connection connection = server.connect(database)) {
            return SchemaSnapshot.of(connection);
        }
    }

    @Test
    void whatIsPendingRunsOnceInOrderAndIsTakenBack() throws Exception {
        file("V1__orders.sql", "CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1)");
        file("V2__paid.sql", "ALTER TABLE orders ADD COLUMN paid bool NOT NULL DEFAULT false;\n");
        file("V3__index.sql", "CREATE INDEX CONCURRENTLY orders_paid ON orders (paid)");
        final SchemaSnapshot before = schema();

        Outcome plan = good("up", "--dry-run");
        assertThat(plan.out()).contains("1 orders (V1__orders.sql)", "DROP TABLE orders;", "3 to do");
        assertThat(schema()).isEqualTo(before);
        assertThat(directory).isDirectoryNotContaining("glob:**/U*");

        assertThat(good("up", "--to", "1").out()).contains("1 orders ...", "U1__orders.sql", "1 done");
        final SchemaSnapshot first = schema();
        assertThat(good("up").out()).contains("2 paid ...", "3 index ...", "2 done");
        assertThat(value("SELECT paid FROM orders")).isEqualTo("f");
        assertThat(good("up").out()).contains("nothing to do");
        assertThat(good("validate").out()).contains("all is as it was run");
        assertThat(good("status").out().lines().toList())
                .hasSize(4)
                .anySatisfy(line -> assertThat(line).matches("3 +index +success +20.* postgres +\\d+ +V3__index.sql"));

        assertThat(good("rollback", "--dry-run").out()).contains("DROP INDEX CONCURRENTLY orders_paid;", "1 to take");
        assertThat(good("rollback", "--to", "1").out()).contains("3 index by", "2 paid by", "2 taken back");
        assertThat(schema()).isEqualTo(first);
        Outcome status = good("status");
        assertThat(status.out()).contains("rolled back", "pending");
        assertThat(good("validate").out()).contains("all is");
        assertThat(good("up").out()).contains("2 done");
        assertThat(good("rollback").out()).contains("1 taken back");
        assertThat(good("rollback", "--to", "0").out()).contains("2 taken back");
        assertThat(schema()).isEqualTo(before);
        assertThat(good("rollback").out()).contains("nothing to take back");
    }

    @Test
    void aMigrationThatFailsLeavesNothing() throws Exception {
        file("V1__one.sql", "CREATE TABLE one (a int)");
        file("V2__two.sql", "CREATE TABLE two (a int); SELECT 1 / 0");
        Outcome outcome = bad("up");
        assertThat(outcome.out()).contains("1 one ...", "done in", "2 two ...");
        assertThat(outcome.err()).contains("division by zero");
        assertThat(value("SELECT to_regclass('one') IS NOT NULL, to_regclass('two')"))
                .isEqualTo("t");
        assertThat(value("SELECT to_regclass('two') IS NULL")).isEqualTo("t");
        file("V2__two.sql", "CREATE TABLE two (a int)");
        assertThat(good("up").out()).contains("1 done");
    }

    @Test
    void validateSaysWhatDiffersAndWhatToDo() throws Exception {
        file("V1__one.sql", "CREATE TABLE one (a int)");
        file("V3__three.sql", "CREATE TABLE three (a int)");
        good("up");
        file("V1__one.sql", "CREATE TABLE one (a bigint)");
        Files.delete(directory.resolve("V3__three.sql"));
        file("V2__two.sql", "CREATE TABLE two (a int)");
        Outcome outcome = bad("validate");
        assertThat(outcome.err())
                .contains("V1__one.sql has changed since it was applied. Put it back")
                .contains("3 three: was applied, and its file is not in " + directory + ". Put it back.")
                .contains("2 two: is older than what was applied, so it is never run. Give it a higher version.");
        assertThat(bad("up").err()).contains("V1__one.sql has changed since it was applied");
        assertThat(value("SELECT to_regclass('two') IS NULL")).isEqualTo("t");
    }

    @Test
    void whatCannotBeTakenBackIsRefusedBeforeAnythingIs() throws Exception {
        file("V1__one.sql", "CREATE TABLE one (a int);");
        file("V2__rows.sql", "INSERT INTO one VALUES (1);\nCREATE TABLE two (a int);");
        file("V3__three.sql", "CREATE TABLE three (a int)");
        assertThat(good("up").out()).contains("to be completed by you", "line 1: INSERT changes data");
        Outcome outcome = bad("rollback", "--to", "1");
        assertThat(outcome.err())
                .contains("nothing was taken back", "2 rows: line 1: INSERT changes data", "U2__rows.sql");
        assertThat(value("SELECT to_regclass('three') IS NOT NULL")).isEqualTo("t");
        file("U2__rows.sql", "DELETE FROM one; DROP TABLE two;");
        assertThat(good("rollback", "--to", "1").out()).contains("2 taken back");
        assertThat(value("SELECT count(*) FROM one")).isEqualTo("0");
        Files.delete(directory.resolve("U1__one.sql"));
        assertThat(bad("rollback").err()).contains("1 one: there is no U1__….sql");
    }

    @Test
    void nobodyQueuesForLongBehindAMigrationThatWaits() throws Exception {
        file("V1__one.sql", "CREATE TABLE one (a int)");
        good("up");
        file("V2__two.sql", "ALTER TABLE one ADD COLUMN b int");
        try (Connection other = server.connect(database);
                Statement holds = other.createStatement()) {
            holds.execute("BEGIN; SELECT * FROM one");
            Outcome outcome = bad("up", "--lock-timeout", "100", "--attempts", "2");
            assertThat(outcome.out()).contains("no lock after 100 ms, so it was undone; again in");
            assertThat(outcome.err()).contains("lock timeout");
            CompletableFuture<Outcome> waits = CompletableFuture.supplyAsync(() -> run("up", "--lock-timeout", "100"));
            await().until(() -> value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                            + " AND application_name = 'pgproxy migrate' AND wait_event_type = 'Lock'")
                    .equals("1"));
            holds.execute("COMMIT");
            assertThat(waits.get().exit()).as("%s", waits.get()).isZero();
        }
        assertThat(value("SELECT count(b) FROM one")).isEqualTo("0");
    }

    /** Also one that Flyway itself runs keeps a rollback out: they take the same lock. */
    @Test
    void twoAtOnceDoNotRun() throws Exception {
        file("V1__one.sql", "CREATE TABLE one (a int)");
        good("up");
        file("V2__slow.sql", "SELECT pg_advisory_xact_lock(7)");
        file("U2__slow.sql", "");
        try (Connection other = server.connect(database);
                Statement holds = other.createStatement()) {
            holds.execute("BEGIN; SELECT pg_advisory_xact_lock(7)");
            CompletableFuture<Outcome> runs = CompletableFuture.supplyAsync(() -> run("up", "--lock-timeout", "0"));
            await().until(() -> value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                            + " AND application_name = 'pgproxy migrate' AND wait_event_type = 'Lock'")
                    .equals("1"));
            assertThat(bad("rollback", "--wait", "1").err()).contains("another migration of this database is running");
            assertThat(bad("up", "--wait", "1").err()).contains("another migration of this database is running");
            holds.execute("COMMIT");
            assertThat(runs.get().exit()).as("%s", runs.get()).isZero();
        }
        assertThat(good("rollback").out()).contains("1 taken back");
    }

    @Test
    void aDatabaseThatWasMadeOtherwiseNeedsABaseline() throws Exception {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE old (a int)");
        }
        file("V1__old.sql", "CREATE TABLE old (a int)");
        file("V2__fresh.sql", "ALTER TABLE old ADD COLUMN b int");
        file("v3_wrong.SQL.sql", "SELECT 1");
        file("V4_wrong.sql", "SELECT 1");
        assertThat(bad("up").err()).contains("--baseline VERSION");
        Outcome outcome = good("up", "--baseline", "1");
        assertThat(outcome.out())
                .contains("2 fresh ...", "1 done")
                .contains("ignored: ")
                .contains("V4_wrong.sql is called");
        assertThat(good("rollback", "--to", "0").out()).contains("1 taken back");
        assertThat(value("SELECT count(*) FROM old")).isEqualTo("0");
    }

    @Test
    void whoAsksForNothingIsToldWhatThereIs() {
        StringWriter err = new StringWriter();
        int exit = new CommandLine(Main.class).setErr(new PrintWriter(err)).execute("migrate");
        assertThat(exit).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("up, status, validate or rollback");
        Path nowhere = directory.resolve("nowhere");
        directory = nowhere;
        assertThat(bad("up").err()).contains("there is no directory " + nowhere);
    }
}
