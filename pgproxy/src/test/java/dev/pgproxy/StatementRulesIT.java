package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.SecurePostgres;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of the configuration about statements: nothing that is refused runs, and the session stays in step. */
final class StatementRulesIT {
    private static final String RULES = """
            statement_rules {
              a-all { without_where = true, deny = "this would change every row" }
              b-drop { pattern = "^drop table (public\\\\.)?t$", deny = "t stays" }
              c-batch { application = batch, pattern = "\\\\bsecret\\\\b", deny = "not for batch" }
              d-slow { pattern = "pg_sleep", user = %s, timeout = 300ms }
              e-few { pattern = "^select few", max_concurrent = 1 }
            }
            """;

    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();
    private final String alice = TestCluster.freshRole("secret");
    private final TestProxy proxy = TestProxy.start(server, settings("", RULES.formatted(alice)));
    private final RawClient client = login();

    private String settings(String more, String rules) {
        return "users { " + alice + " { password = \"" + SecurePostgres.stored(server, alice)
                + "\" } }\nadmin_users = [" + alice + "]\n" + more + "\n" + rules;
    }

    private RawClient login() {
        return proxy.as(alice, "secret", database).login();
    }

    @BeforeEach
    void schema() throws SQLException {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id int PRIMARY KEY, v int);"
                    + "INSERT INTO t SELECT i, 0 FROM generate_series(1, 10) i;"
                    + "CREATE TABLE secret (v int); CREATE TABLE log (id int);"
                    + "CREATE FUNCTION few() RETURNS int LANGUAGE sql AS 'SELECT 7';"
                    + "GRANT ALL ON t, secret, log TO PUBLIC");
        }
    }

    @AfterEach
    void stop() {
        client.close();
        proxy.close();
    }

    private static String ask(RawClient client, String sql) {
        return Message.types(client.query(sql).readUntilReady());
    }

    private static List<Message> together(RawClient client, int ready, Consumer<RawClient> messages) {
        return client.batch(messages).readUntilReady(ready);
    }

    private static Message error(List<Message> answer) {
        return answer.stream().filter(m -> m.type() == 'E').findFirst().orElseThrow();
    }

    private static void assertDenied(List<Message> answer, String types, String message, String rule) {
        assertThat(Message.types(answer)).isEqualTo(types);
        Message error = error(answer);
        assertThat(error.field('S')).isEqualTo("ERROR");
        assertThat(error.field('C')).isEqualTo("42501");
        assertThat(error.field('M')).isEqualTo(message);
        assertThat(error.field('H'))
                .isEqualTo("This is what rule \"" + rule + "\" of statement_rules in pgproxy's configuration says.");
    }

    private static void assertDenied(List<Message> answer, String types) {
        assertDenied(answer, types, "this would change every row", "a-all");
    }

    private static byte status(List<Message> answer) {
        return answer.getLast().body()[0];
    }

    private void assertInStep() {
        assertThat(Message.row(client.query("SELECT count(*), sum(v) FROM t").readUntilReady()))
                .containsExactly("10", "0");
    }

    private List<String> rules() {
        try (RawClient console = proxy.as(alice, "secret", "pgproxy").login()) {
            return Message.rows(console.query("SHOW RULES").readUntilReady()).stream()
                    .map(row -> row.getFirst() + " "
                            + String.join(
                                    " ",
                                    row.subList(3, 6).stream()
                                            .map(String::valueOf)
                                            .toList()))
                    .toList();
        }
    }

    // ---- deny

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DELETE FROM t",
                "delete /* every row */\n from t -- WHERE",
                "UPDATE t SET v = 1",
                "SELECT 1; DELETE FROM t",
                "WITH x AS (DELETE FROM t RETURNING *) SELECT count(*) FROM x WHERE true",
                "PREPARE p AS DELETE FROM t",
                "EXPLAIN ANALYZE DELETE FROM t",
                "COPY (DELETE FROM t RETURNING *) TO STDOUT"
            })
    void whatIsRefusedNeverRuns(String sql) {
        assertDenied(client.query(sql).readUntilReady(), "EZ");
        assertDenied(
                together(
                        client,
                        1,
                        c -> c.parse("", sql).bind("", "").execute("").sync()),
                "EZ");
        assertDenied(
                together(
                        client, 1, c -> c.parse("s", sql).describeStatement("s").sync()),
                "EZ");
        assertThat(Message.types(
                        together(client, 1, c -> c.bind("", "s").execute("").sync())))
                .as("nothing was prepared")
                .isEqualTo("EZ");
        assertDenied(
                together(
                        client,
                        1,
                        c -> c.parse("", "SELECT 1")
                                .bind("", "")
                                .execute("")
                                .parse("", sql)
                                .sync()),
                "12DCEZ");
        assertInStep();
    }

    @Test
    void theUnnamedStatementIsGoneOnceAnotherIsRefused() {
        Consumer<RawClient> execute = c -> c.bind("", "").execute("").sync();
        for (Consumer<RawClient> refused : List.<Consumer<RawClient>>of(
                c -> c.query("UPDATE t SET v = 1"),
                c -> c.parse("", "UPDATE t SET v = 1").sync())) {
            assertThat(Message.types(
                            together(client, 1, c -> c.parse("", "SELECT 1").sync())))
                    .isEqualTo("1Z");
            assertThat(Message.types(together(client, 1, execute))).isEqualTo("2DCZ");
            assertThat(error(together(client, 1, refused)).field('C')).isEqualTo("42501");
            assertThat(error(together(client, 1, execute)).field('C')).isEqualTo("26000");
        }
    }

    @Test
    void insideATransactionItIsAborted() {
        for (String begin : List.of("BEGIN", "BEGIN; UPDATE t SET v = 1 WHERE id = 1")) {
            ask(client, begin);
            List<Message> answer = client.query("DELETE FROM t").readUntilReady();
            assertDenied(answer, "EZ");
            assertThat(status(answer)).isEqualTo((byte) 'E');
            assertThat(error(client.query("SELECT 1").readUntilReady()).field('C'))
                    .isEqualTo("25P02");
            answer = client.query("COMMIT").readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("CZ");
            assertThat(status(answer)).isEqualTo((byte) 'I');
            assertInStep();
        }
        assertThat(Message.types(together(
                        client,
                        1,
                        c -> c.parse("", "BEGIN")
                                .bind("", "")
                                .execute("")
                                .parse("", "UPDATE t SET v = 1 WHERE id = 1")
                                .bind("", "")
                                .execute("")
                                .parse("", "DELETE FROM t")
                                .bind("", "")
                                .execute("")
                                .sync())))
                .isEqualTo("12C12CEZ");
        assertThat(ask(client, "ROLLBACK")).isEqualTo("CZ");
        assertInStep();
    }

    @Test
    void whatStoodBeforeItInItsPipelineIsUndoneAndTheNextOneIsAnswered() {
        List<Message> answer = together(
                client,
                3,
                c -> c.parse("", "UPDATE t SET v = 1 WHERE id = 1")
                        .bind("", "")
                        .execute("")
                        .parse("", "DELETE FROM t")
                        .bind("", "")
                        .execute("")
                        .parse("", "SELECT 2")
                        .bind("", "")
                        .execute("")
                        .sync()
                        .parse("", "SELECT 3")
                        .bind("", "")
                        .execute("")
                        .sync()
                        .query("DROP TABLE t"));
        assertThat(Message.types(answer)).isEqualTo("12CEZ12DCZEZ");
        assertThat(error(answer.reversed()).field('M')).isEqualTo("t stays");
        assertInStep();
    }

    @Test
    void aFlushWaitsForNothing() {
        client.batch(c -> c.parse("", "SELECT 1").bind("", "").execute("").flush());
        assertThat(Message.types(client.readUntil('C'))).isEqualTo("12DC");
        client.batch(c -> c.parse("", "DELETE FROM t").flush());
        assertThat(Message.types(client.readUntil('E'))).isEqualTo("E");
        assertThat(Message.types(
                        together(client, 1, c -> c.bind("", "").execute("").sync())))
                .isEqualTo("Z");
        client.batch(c -> c.parse("", "DELETE FROM t").flush());
        assertThat(Message.types(client.readUntil('E'))).isEqualTo("E");
        assertThat(Message.types(
                        together(client, 1, c -> c.bind("", "").execute("").sync())))
                .isEqualTo("Z");
        assertInStep();
    }

    @Test
    void conditionsHaveToFitTogether() {
        assertThat(ask(client, "SELECT * FROM secret")).isEqualTo("TCZ");
        ask(client, "SET application_name = 'batch'");
        assertDenied(client.query("SELECT * FROM \"secret\"").readUntilReady(), "EZ", "not for batch", "c-batch");
        assertThat(ask(client, "SELECT 'secret'")).isEqualTo("TDCZ");
        assertDenied(client.query("DROP TABLE public.t").readUntilReady(), "EZ", "t stays", "b-drop");
        assertThat(error(client.query("DROP TABLE nothing").readUntilReady()).field('C'))
                .isEqualTo("42P01");
        ask(client, "RESET application_name");
        assertThat(ask(client, "SELECT * FROM secret")).isEqualTo("TCZ");
    }

    @Test
    void whatCannotBeReadIsRefusedWhereItsTextDecides() {
        assertDenied(
                client.query("SELECT " + "(".repeat(300) + "1" + ")".repeat(300))
                        .readUntilReady(),
                "EZ");
        assertInStep();
    }

    @Test
    void whatWasPreparedBeforeTheRuleIsRefusedByIt() {
        proxy.reload(settings("", ""));
        together(
                client,
                1,
                c -> c.parse("s", "DELETE FROM t").parse("", "DELETE FROM t").sync());
        proxy.reload(settings("", RULES.formatted(alice)));
        assertDenied(together(client, 1, c -> c.bind("", "s").execute("").sync()), "EZ");
        assertDenied(
                together(
                        client,
                        1,
                        c -> c.parse("", "SELECT 1").bind("", "s").execute("").sync()),
                "1EZ");
        ask(client, "BEGIN");
        ask(client, "SELECT pg_backend_pid()");
        assertDenied(together(client, 1, c -> c.bind("", "s").execute("").sync()), "EZ");
        ask(client, "ROLLBACK");
        proxy.reload(settings("", ""));
        assertThat(Message.types(
                        together(client, 1, c -> c.bind("", "s").execute("").sync())))
                .isEqualTo("2CZ");
    }

    @Test
    void aLongTextIsNoWayAround() {
        proxy.reload(settings("max_statement_size = 100kB", RULES.formatted(alice)));
        String longer = "DELETE FROM t /* " + "x".repeat(300_000) + " */";
        assertDenied(client.query(longer).readUntilReady(), "EZ");
        assertInStep();
        ask(client, "BEGIN");
        ask(client, "SELECT pg_backend_pid()");
        assertDenied(client.query(longer).readUntilReady(), "EZ");
        ask(client, "ROLLBACK");
        assertInStep();
    }

    // ---- timeout

    private static void assertExpired(List<Message> answer, String types) {
        assertThat(Message.types(answer)).isEqualTo(types);
        Message error = error(answer);
        assertThat(error.field('C')).isEqualTo("57014");
        assertThat(error.field('M')).isEqualTo("canceling statement due to statement timeout");
        assertThat(error.field('H')).contains("rule \"d-slow\"");
    }

    @Test
    void whatRunsTooLongIsCancelledAndNothingElse() {
        for (int i = 0; i < 3; i++) {
            assertExpired(client.query("SELECT pg_sleep(60)").readUntilReady(), "TEZ");
            assertInStep();
            assertExpired(
                    together(
                            client,
                            1,
                            c -> c.parse("", "SELECT pg_sleep(60)")
                                    .bind("", "")
                                    .execute("")
                                    .sync()),
                    "12EZ");
            assertInStep();
        }
        assertThat(ask(client, "SELECT pg_sleep(0.05)")).isEqualTo("TDCZ");
        assertThat(ask(client, "DO 'BEGIN PERFORM pg_sleep(0.6); END'"))
                .as("a rule does not see this")
                .isEqualTo("CZ");
        together(client, 1, c -> c.parse("s", "SELECT pg_sleep($1::float)").sync());
        assertExpired(together(client, 1, c -> c.bind("", "s", "60").execute("").sync()), "2EZ");
        assertThat(Message.types(together(
                        client, 1, c -> c.bind("", "s", "0").execute("").sync())))
                .isEqualTo("2DCZ");
        assertThat(rules()).contains("d-slow 9 7 null");
    }

    @Test
    void aTimeoutAbortsATransactionAndLeavesWhatFollowsInPeace() {
        ask(client, "BEGIN");
        ask(client, "UPDATE t SET v = 1 WHERE id = 1");
        List<Message> answer = together(
                client, 3, c -> c.query("SELECT pg_sleep(60)").query("SELECT 1").query("ROLLBACK"));
        assertExpired(answer, "TEZEZCZ");
        assertThat(error(answer.reversed()).field('C')).isEqualTo("25P02");
        assertInStep();
    }

    @Test
    void aCancelThatComesTooLateStrikesNothing() {
        ask(client, "BEGIN");
        for (int i = 0; i < 40; i++) {
            String seconds = Double.toString(0.290 + i * 0.0005);
            List<Message> answer = together(
                    client, 2, c -> c.query("SELECT pg_sleep(" + seconds + ")").query("SELECT 7"));
            if (Message.types(answer).startsWith("TE")) {
                assertThat(Message.types(answer)).isEqualTo("TEZEZ");
                ask(client, "ROLLBACK");
                ask(client, "BEGIN");
            } else {
                assertThat(Message.types(answer)).isEqualTo("TDCZTDCZ");
            }
        }
        ask(client, "ROLLBACK");
        assertInStep();
    }

    // ---- max_concurrent

    private static final String FEW = "SELECT few(), pg_advisory_xact_lock_shared(1)";

    private void assertCrowded(List<Message> answer, String types) {
        assertThat(Message.types(answer)).isEqualTo(types);
        Message error = error(answer);
        assertThat(error.field('C')).isEqualTo("53400");
        assertThat(error.field('M')).isEqualTo("too many statements of this kind are running: 1");
        assertThat(error.field('H')).contains("rule \"e-few\"").endsWith("Try again later.");
    }

    private void awaitRunning(String running) {
        await().until(() -> rules().getLast().endsWith(" " + running));
    }

    @Test
    void oneMoreThanMayRunIsRefusedAndEachPlaceIsGivenBack() throws SQLException {
        try (RawClient other = login();
                Connection holder = server.connect(database);
                Statement lock = holder.createStatement()) {
            for (String end : List.of("answer", "error", "cancel", "disconnect")) {
                lock.execute("SELECT pg_advisory_lock(1)");
                RawClient first = login();
                first.query("SELECT few(), pg_advisory_xact_lock_shared(1), 1 / " + (end.equals("error") ? "0" : "1")
                        + " + v FROM t");
                awaitRunning(end.equals("error") ? "0" : "1");
                if (!end.equals("error")) {
                    assertCrowded(other.query(FEW).readUntilReady(), "EZ");
                    assertCrowded(
                            together(
                                    other,
                                    1,
                                    c -> c.parse("", "SELECT 1")
                                            .bind("", "")
                                            .execute("")
                                            .parse("", FEW)
                                            .bind("", "")
                                            .execute("")
                                            .sync()),
                            "12DCEZ");
                    ask(other, "BEGIN");
                    ask(other, "UPDATE t SET v = 1 WHERE id = 10");
                    assertCrowded(other.query(FEW).readUntilReady(), "EZ");
                    assertThat(error(other.query("SELECT 1").readUntilReady()).field('C'))
                            .isEqualTo("25P02");
                    assertThat(ask(other, "COMMIT")).isEqualTo("CZ");
                }
                if (end.equals("disconnect")) {
                    first.close();
                } else if (end.equals("cancel")) {
                    lock.execute(
                            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT few(), pg_adv%'");
                }
                if (end.equals("cancel")) {
                    assertThat(error(first.readUntilReady()).field('C')).isEqualTo("57014");
                }
                lock.execute("SELECT pg_advisory_unlock(1)");
                if (end.equals("answer") || end.equals("error")) {
                    first.readUntilReady();
                }
                awaitRunning("0");
                assertThat(ask(other, FEW)).isEqualTo("TDCZ");
                first.close();
            }
        }
        assertInStep();
    }

    @Test
    void aPipelineOfOneClientIsNeverTooMany() {
        assertThat(Message.types(together(client, 3, c -> {
                    c.parse("", FEW)
                            .bind("", "")
                            .execute("")
                            .bind("", "")
                            .execute("")
                            .sync();
                    c.query(FEW).query(FEW);
                })))
                .isEqualTo("12DC2DCZTDCZTDCZ");
        awaitRunning("0");
    }

    // ---- all of it

    private record Wanted(String sql, boolean denied) {}

    private static Wanted random(Random random) {
        int id = 1 + random.nextInt(1000);
        String blank = List.of(" ", "\n", " /* WHERE */ ", "-- x\n").get(random.nextInt(4));
        return switch (random.nextInt(8)) {
            case 0 -> new Wanted("DELETE" + blank + "FROM" + blank + "log", true);
            case 1 -> new Wanted("UPDATE" + blank + "\"log\" SET id = id", true);
            case 2 -> new Wanted("INSERT INTO log VALUES (" + id + "); delete from log", true);
            case 3 -> new Wanted("DELETE FROM log" + blank + "WHERE id = -1", false);
            case 4 -> new Wanted("SELECT few()", false);
            case 5 -> new Wanted("SELECT 'DELETE FROM log'", false);
            default -> new Wanted("INSERT INTO log VALUES (" + id + ")", false);
        };
    }

    /** What a run of random statements leaves behind is what those leave behind that no rule refuses. */
    @ParameterizedTest
    @ValueSource(strings = {"transaction", "session"})
    void nothingThatIsRefusedRunsAndEverythingElseDoes(String mode) {
        proxy.reload(settings("pool_mode = " + mode, RULES.formatted(alice)));
        try (RawClient random = login()) {
            runRandomly(random);
        }
    }

    private static void runRandomly(RawClient client) {
        long seed = Long.getLong("rules.seed", System.nanoTime());
        Random random = new Random(seed);
        int rows = 0;
        for (int round = 0; round < 300; round++) {
            int mode = random.nextInt(4);
            List<Wanted> batch = new ArrayList<>();
            for (int i = 0; i <= random.nextInt(4); i++) {
                Wanted one = random(random);
                if (mode == 0 || !one.sql.contains(";")) {
                    batch.add(one);
                }
            }
            String message = "round " + round + " with -Drules.seed=" + seed + ": " + batch;
            rows += run(client, mode, random.nextBoolean(), batch, message);
            assertThat(Message.row(client.query("SELECT count(*), " + round + " FROM log")
                            .readUntilReady()))
                    .as(message)
                    .containsExactly(Integer.toString(rows), Integer.toString(round));
        }
    }

    /** Runs them in one of four ways, and returns how many rows that has to add. */
    private static int run(RawClient client, int mode, boolean commits, List<Wanted> batch, String message) {
        int refused = (int) batch.stream().filter(Wanted::denied).count();
        int inserts = (int) batch.stream()
                .filter(one -> !one.denied && one.sql.startsWith("INSERT"))
                .count();
        switch (mode) {
            case 0 -> { // each by itself, all sent at once
                List<Message> answer = together(client, batch.size(), c -> batch.forEach(b -> c.query(b.sql)));
                assertThat(answer.stream().filter(m -> m.type() == 'E').count())
                        .as(message)
                        .isEqualTo(refused);
                return inserts;
            }
            case 1 -> { // one implicit transaction
                String types = Message.types(together(client, 1, c -> {
                    batch.forEach(b -> c.parse("", b.sql).bind("", "").execute(""));
                    c.sync();
                }));
                assertThat(types.endsWith("EZ")).as(message).isEqualTo(refused > 0);
                return refused > 0 ? 0 : inserts;
            }
            case 2 -> { // a block
                ask(client, "BEGIN");
                batch.forEach(b -> ask(client, b.sql));
                ask(client, commits ? "COMMIT" : "ROLLBACK");
                return refused > 0 || !commits ? 0 : inserts;
            }
            default -> { // prepared
                for (int i = 0; i < batch.size(); i++) {
                    Wanted one = batch.get(i);
                    String name = "p" + System.nanoTime();
                    List<Message> answer = together(
                            client,
                            2,
                            c -> c.parse(name, one.sql)
                                    .sync()
                                    .bind("", name)
                                    .execute("")
                                    .sync());
                    assertThat(Message.types(answer).contains("E")).as(message).isEqualTo(one.denied);
                }
                return inserts;
            }
        }
    }

    @Test
    void theConsoleShowsWhatRulesHaveDone() {
        assertDenied(client.query("DELETE FROM t").readUntilReady(), "EZ");
        ask(client, "SELECT few()");
        assertThat(rules())
                .containsExactly(
                        "a-all 1 1 null", "b-drop 0 0 null", "c-batch 0 0 null", "d-slow 0 0 null", "e-few 1 0 0");
        proxy.reload(settings("", "statement_rules { x { pattern = few, timeout = 1s } }"));
        assertThat(rules()).containsExactly("x 0 0 null");
    }
}
