package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rules that send other statements: what runs is what the rule says, wherever the statement stands and however it comes. */
final class RewriteIT {
    private static final String RULES = """
            statement_rules {
              10-kept { application = kept, pattern = "answer", timeout = 1min }
              20-whole { pattern = "^select answer", rewrite = "SELECT 42 + $1::int AS answer" }
              21-plain { pattern = "^select question", rewrite = "SELECT 'größer', 7" }
              30-limit { pattern = "limit", replace = "(?i)\\\\blimit\\\\s+\\\\d{4,}", rewrite = "LIMIT 3" }
              31-order { pattern = "^select swapped", replace = "'(\\\\w+)', '(\\\\w+)'", rewrite = "'$2', '$1'" }
              40-denied { pattern = "as answer$", deny = "rewritten, but not allowed" }
            }
            """;

    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();
    private final TestProxy proxy = TestProxy.start(server, settings(RULES));
    private final RawClient client = login();

    private String settings(String rules) {
        return TestProxy.trusting(server) + rules;
    }

    private RawClient login() {
        return proxy.as("postgres", "", database).login();
    }

    @AfterEach
    void stop() {
        client.close();
        proxy.close();
    }

    private static @Nullable List<@Nullable String> row(RawClient client, String sql) {
        return Message.row(client.query(sql).readUntilReady());
    }

    private List<Message> together(Consumer<RawClient> messages) {
        return client.batch(messages).readUntilReady();
    }

    @Test
    void aWholeStatementIsSentInItsPlaceWithItsParameters() {
        proxy.reload(settings(RULES.replace("as answer$", "as never$")));
        assertThat(Message.row(together(c -> c.parse("", "SELECT answer FROM nowhere WHERE x = $1")
                        .bind("", "", "1")
                        .execute("")
                        .sync())))
                .containsExactly("43");
        together(c -> c.parse("s", "/* x */ SELECT  Answer($1);").sync());
        for (int i = 0; i < 3; i++) {
            String value = Integer.toString(i);
            assertThat(Message.row(
                            together(c -> c.bind("", "s", value).execute("").sync())))
                    .containsExactly(Integer.toString(42 + i));
        }
        assertThat(row(client, "SELECT question")).containsExactly("größer", "7");
        List<List<@Nullable String>> all = Message.rows(
                client.query("SELECT 1; SELECT question ; SELECT 2 ;-- x").readUntilReady());
        assertThat(all.toString()).isEqualTo("[[1], [größer, 7], [2]]");
    }

    @Test
    void whatIsFoundIsReplacedAndTheRestStays() {
        assertThat(Message.rows(
                        client.query("SELECT 'LIMIT 9999x', i FROM generate_series(1, 9) i  limit 5000 OFFSET 1")
                                .readUntilReady()))
                .as("the text is replaced wherever it is found")
                .hasSize(3)
                .first()
                .asString()
                .contains("2");
        assertThat(Message.rows(client.query("SELECT i FROM generate_series(1, 9) i LIMIT 5")
                        .readUntilReady()))
                .hasSize(5);
        assertThat(row(client, "SELECT 'a', 'b'")).containsExactly("a", "b");
        assertThat(row(client, "SELECT swapped, x FROM (VALUES ('a', 'b')) v(swapped, x)"))
                .containsExactly("b", "a");
    }

    @Test
    void whatIsMadeIsLookedAtByOtherRules() {
        List<Message> answer = together(c ->
                c.parse("", "SELECT answer($1)").bind("", "", "1").execute("").sync());
        assertThat(Message.types(answer)).isEqualTo("EZ");
        assertThat(answer.getFirst().field('M')).isEqualTo("rewritten, but not allowed");
    }

    @Test
    void theFirstRuleDecides() {
        client.query("SET application_name = kept").readUntilReady();
        assertThat(client.query("SELECT answer").readUntilReady().getFirst().field('C'))
                .as("as the server sees it")
                .isEqualTo("42703");
        proxy.reload(
                settings(RULES.replace("40-denied { pattern = \"as answer$\"", "05-denied { pattern = \"answer\"")));
        client.query("SET application_name = other").readUntilReady();
        assertThat(client.query("SELECT answer").readUntilReady().getFirst().field('C'))
                .isEqualTo("42501");
    }

    @Test
    void aTextThatIsNotAsciiStaysInOtherEncodings() {
        client.query("SET client_encoding = LATIN1").readUntilReady();
        byte[] answer =
                client.query("SELECT question").readUntilReady().getFirst().body();
        assertThat(new String(answer, StandardCharsets.ISO_8859_1))
                .as("what the rule says cannot be said: the server is asked what the client asked")
                .contains("question");
        assertThat(Message.rows(client.query("SELECT i FROM generate_series(1, 9) i LIMIT 5000")
                        .readUntilReady()))
                .hasSize(3);
    }

    @Test
    void insideATransactionAndInSessionMode() {
        proxy.reload(settings("pool_mode = session\n" + RULES));
        try (RawClient session = login()) {
            session.query("BEGIN").readUntilReady();
            assertThat(row(session, "SELECT question")).containsExactly("größer", "7");
            assertThat((char) session.query("COMMIT").readUntilReady().getLast().body()[0])
                    .isEqualTo('I');
        }
    }

    @Test
    void theConsoleCountsThem() {
        client.query("SELECT question; SELECT question").readUntilReady();
        client.query("SELECT i FROM generate_series(1, 9) i LIMIT 5").readUntilReady();
        try (RawClient console = proxy.as("postgres", "", "pgproxy").login()) {
            List<String> counted = new ArrayList<>();
            Message.rows(console.query("SHOW RULES").readUntilReady())
                    .forEach(row -> counted.add(row.getFirst() + " " + row.get(3)));
            assertThat(counted).contains("21-plain 2", "30-limit 0");
        }
    }
}
