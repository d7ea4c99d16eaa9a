package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.nio.charset.StandardCharsets;
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

/** Rules that limit results: nobody gets more, what the client believes is what the server has done, and all stay in step. */
final class ResultLimitIT {
    private static final String RULES = """
            statement_rules {
              few { pattern = "numbers|generate_series|noisy", max_rows = 10 }
              small { pattern = "repeat", max_bytes = 1000 }
            }
            """;
    private static final String TEN = "D".repeat(10);

    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();
    private final TestProxy proxy = TestProxy.start(server, settings("transaction"));
    private final RawClient client = login();

    private String settings(String mode) {
        return TestProxy.trusting(server) + "pool_mode = " + mode + "\n" + RULES;
    }

    private RawClient login() {
        return proxy.as("postgres", "", database).login();
    }

    @BeforeEach
    void schema() throws SQLException {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE numbers AS SELECT i FROM generate_series(1, 20) i;"
                    + "CREATE TABLE log (id int);"
                    + "CREATE FUNCTION noisy(i int) RETURNS int LANGUAGE plpgsql AS"
                    + " $$ BEGIN RAISE NOTICE 'row %', i; INSERT INTO log VALUES (i); RETURN i; END $$");
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

    private static String tag(List<Message> answer) {
        return new String(answer.getFirst().body(), StandardCharsets.US_ASCII);
    }

    private List<Message> together(int ready, Consumer<RawClient> messages) {
        return client.batch(messages).readUntilReady(ready);
    }

    private static RawClient run(RawClient client, String sql) {
        return client.parse("", sql).bind("", "").execute("");
    }

    private static void assertCut(List<Message> answer, String types, char status, String rule) {
        assertThat(Message.types(answer)).isEqualTo(types);
        Message error = answer.stream().filter(m -> m.type() == 'E').findFirst().orElseThrow();
        assertThat(error.field('S')).isEqualTo("ERROR");
        assertThat(error.field('C')).isEqualTo("53400");
        assertThat(error.field('H')).contains("rule \"" + rule + "\"");
        assertThat((char) answer.getLast().body()[0]).isEqualTo(status);
    }

    private void assertInStep() {
        assertThat(Message.row(client.query("SELECT 7, count(*) FROM log").readUntilReady()))
                .containsExactly("7", "0");
    }

    private static String numbers(int rows) {
        return "SELECT generate_series(1, " + rows + ") i"; // in FROM all rows would be made before the first is sent
    }

    @Test
    void aResultOfSoManyRowsIsSentAndOneRowMoreMakesItFail() {
        assertThat(ask(client, numbers(10))).isEqualTo("T" + TEN + "CZ");
        List<Message> answer = client.query(numbers(11)).readUntilReady();
        assertCut(answer, "T" + TEN + "EZ", 'I', "few");
        assertThat(answer.get(11).field('M')).isEqualTo("result has more than 10 rows");
        assertInStep();
        assertThat(Message.types(together(1, c -> run(c, numbers(10)).sync()))).isEqualTo("12" + TEN + "CZ");
        assertCut(together(1, c -> run(c, numbers(11)).sync()), "12" + TEN + "EZ", 'I', "few");
        assertInStep();
        client.parse("s", "SELECT i FROM numbers WHERE i <= $1").sync().readUntilReady();
        for (int i = 0; i < 2; i++) {
            assertCut(together(1, c -> c.bind("", "s", "11").execute("").sync()), "2" + TEN + "EZ", 'I', "few");
            assertThat(Message.types(
                            together(1, c -> c.bind("", "s", "9").execute("").sync())))
                    .isEqualTo("2" + "D".repeat(9) + "CZ");
        }
        assertInStep();
    }

    @Test
    void bytesOfRowsAreCountedAndARowThatIsTooLongIsNotBegun() {
        assertThat(ask(client, "SELECT repeat('x', 900)")).isEqualTo("TDCZ");
        assertCut(client.query("SELECT repeat('x', 1000)").readUntilReady(), "TEZ", 'I', "small");
        assertCut(client.query("SELECT repeat('x', 5000000)").readUntilReady(), "TEZ", 'I', "small");
        assertCut(
                client.query("SELECT repeat('x', 300) FROM (VALUES (1), (2), (3), (4)) v")
                        .readUntilReady(),
                "TDDDEZ",
                'I',
                "small");
        assertInStep();
    }

    @Test
    void whatIsLongGoesNoFurtherOnTheServer() {
        for (int i = 0; i < 3; i++) {
            assertCut(client.query(numbers(100_000_000)).readUntilReady(), "T" + TEN + "EZ", 'I', "few");
            assertCut(together(1, c -> run(c, numbers(100_000_000)).sync()), "12" + TEN + "EZ", 'I', "few");
            assertInStep();
        }
    }

    @Test
    void aTransactionIsAborted() {
        for (int rows : List.of(11, 1_000, 10_000_000)) {
            ask(client, "BEGIN");
            ask(client, "INSERT INTO log VALUES (1)");
            assertCut(client.query(numbers(rows)).readUntilReady(), "T" + TEN + "EZ", 'E', "few");
            List<Message> next = client.query("SELECT 1").readUntilReady();
            assertThat(next.getFirst().field('C')).isEqualTo("25P02");
            List<Message> end = client.query("COMMIT").readUntilReady();
            assertThat(tag(end)).contains("ROLLBACK");
            assertInStep();
        }
    }

    @Test
    void aSavepointBringsItBack() {
        ask(client, "BEGIN; INSERT INTO log VALUES (1); SAVEPOINT s");
        assertCut(
                client.query("INSERT INTO log SELECT i FROM numbers RETURNING id")
                        .readUntilReady(),
                "T" + TEN + "EZ",
                'E',
                "few");
        assertThat(ask(client, "ROLLBACK TO s")).isEqualTo("CZ");
        assertThat(Message.row(client.query("SELECT count(*) FROM log").readUntilReady()))
                .containsExactly("1");
        assertThat(ask(client, "ROLLBACK")).isEqualTo("CZ");
        assertInStep();
    }

    @Test
    void aTransactionThatBeginsInItsPipelineIsAborted() {
        List<Message> answer = together(
                1,
                c -> run(run(run(c, "BEGIN"), "INSERT INTO log VALUES (1)"), numbers(11))
                        .sync());
        assertCut(answer, "12C12C12" + TEN + "EZ", 'E', "few");
        assertThat(ask(client, "COMMIT")).isEqualTo("CZ");
        assertInStep();
        assertCut(
                client.query("BEGIN; " + numbers(11) + "; INSERT INTO log VALUES (1)")
                        .readUntilReady(),
                "CT" + TEN + "EZ",
                'E',
                "few");
        assertThat(ask(client, "COMMIT")).isEqualTo("CZ");
        assertInStep();
    }

    @Test
    void severalReadsAreCountedEachByItself() {
        assertThat(ask(client, numbers(10) + ";" + numbers(10))).isEqualTo("T" + TEN + "CT" + TEN + "CZ");
        assertCut(
                client.query(numbers(9) + ";" + numbers(11) + ";" + numbers(1)).readUntilReady(),
                "T" + "D".repeat(9) + "CT" + TEN + "EZ",
                'I',
                "few");
        assertCut(
                together(
                        1,
                        c -> run(run(run(c, numbers(1)), numbers(11)), numbers(1))
                                .sync()),
                "12DC12" + TEN + "EZ",
                'I',
                "few");
        assertInStep();
    }

    @Test
    void whereACutWouldNotUndoWhatWasDoneAllIsSent() throws SQLException {
        String all = "D".repeat(20);
        assertThat(ask(client, "INSERT INTO log VALUES (1); SELECT i FROM numbers"))
                .isEqualTo("CT" + all + "CZ");
        assertThat(Message.types(together(
                        1,
                        c -> run(run(c, "SELECT i FROM numbers"), "DELETE FROM log")
                                .sync())))
                .isEqualTo("12" + all + "C12CZ");
        assertThat(ask(client, "INSERT INTO log SELECT i FROM numbers RETURNING id"))
                .isEqualTo("T" + all + "CZ");
        assertThat(ask(client, "SELECT noisy(i) FROM numbers").replace("N", "")).isEqualTo("T" + all + "CZ");
        ask(client, "BEGIN");
        assertThat(Message.types(together(
                        1, c -> run(run(c, "SELECT i FROM numbers"), "COMMIT").sync())))
                .isEqualTo("12" + all + "C12CZ");
        assertThat(ask(client, "TRUNCATE log")).isEqualTo("CZ");
        assertInStep();
    }

    @Test
    void noticesAndParametersGoOn() {
        ask(client, "BEGIN");
        List<Message> answer = client.query("SELECT noisy(i) FROM numbers; SET application_name = renamed")
                .readUntilReady();
        String types = Message.types(answer);
        assertThat(types.replace("N", "")).startsWith("T" + TEN + "E").endsWith("Z");
        assertThat((char) answer.getLast().body()[0]).isEqualTo('E');
        ask(client, "ROLLBACK");
        assertThat(Message.row(client.query("SHOW application_name").readUntilReady())
                        .getFirst())
                .isNotEqualTo("renamed");
        assertInStep();
    }

    @Test
    void portionsAreCountedEachByItself() {
        ask(client, "BEGIN");
        String portion = "D".repeat(7);
        assertThat(Message.types(together(
                        1,
                        c -> c.parse("", "SELECT i FROM numbers")
                                .bind("p", "")
                                .execute("p", 7)
                                .sync())))
                .isEqualTo("12" + portion + "sZ");
        assertThat(Message.types(together(1, c -> c.execute("p", 7).sync()))).isEqualTo(portion + "sZ");
        assertThat(Message.types(together(1, c -> c.execute("p", 0).sync()))).isEqualTo("D".repeat(6) + "CZ");
        assertThat(Message.types(
                        together(1, c -> c.bind("q", "").execute("q", 1).sync())))
                .isEqualTo("2DsZ");
        assertCut(together(1, c -> c.execute("q").sync()), TEN + "EZ", 'E', "few");
        ask(client, "ROLLBACK");
        assertInStep();
    }

    @Test
    void copyIsCutToo() {
        assertThat(ask(client, "COPY (SELECT i FROM numbers LIMIT 10) TO STDOUT"))
                .isEqualTo("H" + "d".repeat(10) + "cCZ");
        assertCut(client.query("COPY numbers TO STDOUT").readUntilReady(), "H" + "d".repeat(10) + "EZ", 'I', "few");
        assertInStep();
    }

    @Test
    void nothingThatFollowsIsStruckByTheCancel() {
        Random random = new Random();
        for (int i = 0; i < 60; i++) {
            int rows = (int) Math.pow(10, 1.05 + random.nextDouble() * 5);
            List<Message> answer = together(2, c -> c.query(numbers(rows)).query("SELECT 7"));
            assertThat(Message.types(answer)).as("%d rows", rows).isEqualTo("T" + TEN + "EZTDCZ");
        }
    }

    /** What a client was told of its transactions is what has become of them. */
    @ParameterizedTest
    @ValueSource(strings = {"transaction", "session"})
    void whatIsToldIsWhatIsDone(String mode) {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        proxy.reload(settings(mode));
        List<String> expected = new ArrayList<>();
        try (RawClient session = login()) {
            for (int transaction = 0; transaction < 80; transaction++) {
                List<String> written = new ArrayList<>();
                boolean block = random.nextBoolean();
                boolean failed = false;
                if (block) {
                    ask(session, "BEGIN");
                }
                for (int i = 0, n = block ? 1 + random.nextInt(4) : 1; i < n; i++) {
                    String id = Integer.toString(1_000 * (transaction + 1) + i);
                    int rows = (int) Math.pow(10, random.nextDouble() * 4);
                    String write = "INSERT INTO log VALUES (" + id + ")";
                    String sql = switch (random.nextInt(4)) {
                        case 0 -> numbers(rows);
                        case 1 -> write + "; " + numbers(rows);
                        case 2 -> numbers(rows) + "; " + write;
                        default -> write;
                    };
                    List<Message> answer = session.query(sql).readUntilReady();
                    boolean error = Message.types(answer).contains("E");
                    if (!error && sql.contains(write)) {
                        written.add(id);
                    }
                    failed |= error;
                    assertThat((char) answer.getLast().body()[0])
                            .as("seed %d: %s", seed, sql)
                            .isEqualTo(!block ? 'I' : failed ? 'E' : 'T');
                }
                if (block) {
                    String tag = tag(session.query("COMMIT").readUntilReady());
                    assertThat(tag).as("seed %d", seed).contains(failed ? "ROLLBACK" : "COMMIT");
                }
                if (!block || !failed) {
                    expected.addAll(written);
                }
            }
            List<String> there = Message.rows(
                            session.query("SELECT id FROM log ORDER BY id").readUntilReady())
                    .stream()
                    .map(row -> String.valueOf(row.getFirst()))
                    .toList();
            assertThat(there).as("seed %d", seed).isEqualTo(expected);
        }
    }

    @Test
    void theConsoleCountsThem() {
        ask(client, numbers(1));
        ask(client, numbers(11));
        try (RawClient console = proxy.as("postgres", "", "pgproxy").login()) {
            List<List<String>> rules = new ArrayList<>();
            Message.rows(console.query("SHOW RULES").readUntilReady())
                    .forEach(row -> rules.add(row.stream().map(String::valueOf).toList()));
            assertThat(rules.getFirst()).startsWith("few").contains("max_rows = 10", "2", "1");
        }
    }
}
