package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.SecurePostgres;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rules that let only so many statements run in a stretch of time. */
final class StatementRateIT {
    private static final String FEW = "INSERT INTO few VALUES (1)";
    private static final String DONE = "CZ";

    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();
    private final String alice = TestCluster.freshRole("secret");
    private final TestProxy proxy = TestProxy.start(server, settings("", "3/min"));
    private final RawClient client = login();

    private String settings(String more, String rate) {
        return "users { " + alice + " { password = \"" + SecurePostgres.stored(server, alice)
                + "\" } }\nadmin_users = [" + alice
                + "]\nstatement_rules { few { pattern = \"^insert into few\", rate = \""
                + rate + "\" } }\n" + more;
    }

    private RawClient login() {
        return proxy.as(alice, "secret", database).login();
    }

    @BeforeEach
    void schema() throws SQLException {
        try (Connection connection = server.connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE few (v int); GRANT ALL ON few TO PUBLIC");
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

    private static void assertRefused(List<Message> answer, String types) {
        assertThat(Message.types(answer)).isEqualTo(types);
        Message error = error(answer);
        assertThat(error.field('S')).isEqualTo("ERROR");
        assertThat(error.field('C')).isEqualTo("53400");
        assertThat(error.field('M')).isEqualTo("rate limit of rule \"few\" is reached: 3/min");
        assertThat(error.field('H')).matches("Try again in (60|5[0-9]|[34][0-9]) seconds\\.");
    }

    private String shown(String command) {
        try (RawClient console = proxy.as(alice, "secret", "pgproxy").login()) {
            return Message.rows(console.query(command).readUntilReady()).stream()
                    .map(row ->
                            String.join(" ", row.stream().map(String::valueOf).toList()))
                    .toList()
                    .toString();
        }
    }

    private void assertRows(int rows) {
        assertThat(Message.row(client.query("SELECT count(*) FROM few").readUntilReady()))
                .containsExactly(Integer.toString(rows));
    }

    @Test
    void oneMoreIsRefusedAndReachesNoServer() {
        try (RawClient other = login()) {
            assertThat(ask(client, FEW) + ask(other, FEW) + ask(client, FEW)).isEqualTo(DONE + DONE + DONE);
            assertRefused(client.query(FEW).readUntilReady(), "EZ");
            assertRefused(
                    together(
                            other,
                            1,
                            c -> c.parse("", FEW)
                                    .describeStatement("")
                                    .bind("", "")
                                    .execute("")
                                    .sync()),
                    "EZ");
            assertRows(3);
        }
        assertThat(shown("SHOW RULES")).isEqualTo("[few pattern = ^insert into few rate = 3/min 5 2 null]");
        assertThat(shown("SHOW RATE_LIMITS")).isEqualTo("[rule few 3 60000 3 3 2 no 0]");
    }

    @Test
    void whatIsPreparedCountsWhenItIsBoundAndNotBefore() {
        for (int i = 0; i < 5; i++) {
            assertThat(Message.types(together(
                            client,
                            1,
                            c -> c.parse("", FEW).describeStatement("").sync())))
                    .isEqualTo("1tnZ");
        }
        List<Message> answer = together(client, 6, c -> {
            c.parse("s", FEW).sync();
            for (int i = 0; i < 4; i++) {
                c.bind("", "s").execute("").sync();
            }
            c.query("SELECT 1");
        });
        assertRefused(answer, "1Z2CZ2CZ2CZEZTDCZ");
        assertRows(3);
    }

    @Test
    void inAPipelineWhatStoodBeforeItIsUndoneAndWhatFollowsIsSkipped() {
        assertThat(ask(client, FEW)).isEqualTo(DONE);
        List<Message> answer = together(client, 2, c -> {
            for (int i = 0; i < 4; i++) {
                c.parse("", FEW).bind("", "").execute("");
            }
            c.sync().query("SELECT 1");
        });
        assertRefused(answer, "12C12CEZTDCZ");
        assertRows(1);
        assertRefused(client.query(FEW).readUntilReady(), "EZ");
    }

    @Test
    void insideATransactionItIsAborted() {
        assertThat(ask(client, "BEGIN")).isEqualTo(DONE);
        assertThat(ask(client, FEW) + ask(client, FEW) + ask(client, FEW)).isEqualTo(DONE + DONE + DONE);
        List<Message> answer = client.query(FEW).readUntilReady();
        assertRefused(answer, "EZ");
        assertThat(answer.getLast().body()[0]).isEqualTo((byte) 'E');
        assertThat(error(client.query("SELECT 1").readUntilReady()).field('C')).isEqualTo("25P02");
        assertThat(ask(client, "COMMIT")).isEqualTo(DONE);
        assertRows(0);
    }

    @Test
    void eachStatementOfATextCountsAndOneThatIsRefusedCountsNothing() {
        assertThat(ask(client, FEW + "; " + FEW)).isEqualTo("CCZ");
        assertRefused(client.query(FEW + "; SELECT 1; " + FEW).readUntilReady(), "EZ");
        Message error = client.query((FEW + ";").repeat(4)).readUntilReady().getFirst();
        assertThat(error.field('H')).isEqualTo("It would start 4 of its statements at once: send them one by one.");
        assertThat(ask(client, FEW)).isEqualTo(DONE);
        assertRows(3);
    }

    @Test
    void aPortalInPartsCountsOnce() {
        proxy.reload(settings("", "3/min").replace("^insert into few", "generate_series"));
        ask(client, "BEGIN");
        List<Message> answer = together(client, 6, c -> {
            c.parse("", "SELECT generate_series(1, 5)")
                    .bind("p", "")
                    .execute("p", 1)
                    .sync();
            for (int i = 0; i < 5; i++) {
                c.execute("p", 1).sync();
            }
        });
        assertThat(Message.types(answer)).isEqualTo("12DsZDsZDsZDsZDsZCZ");
        assertThat(shown("SHOW RATE_LIMITS")).contains("[rule few 3 60000 1 1 0 ");
        ask(client, "COMMIT");
    }

    @Test
    void afterTheSecondsOfTheHintItWorksAgainAndReloadChangesIt() {
        proxy.reload(settings("", "1/3s"));
        assertThat(ask(client, FEW)).isEqualTo(DONE);
        String hint = client.query(FEW).readUntilReady().getFirst().field('H');
        assertThat(hint).matches("Try again in [123] seconds?\\.");
        await().pollDelay(Duration.ofSeconds(Integer.parseInt(hint.replaceAll("\\D", ""))))
                .untilAsserted(() -> assertThat(ask(client, FEW)).isEqualTo(DONE));
        assertThat(ask(client, FEW)).isEqualTo("EZ");
        proxy.reload(settings("", "3/min"));
        assertThat(ask(client, FEW)).as("what has run counts").isEqualTo(DONE);
        proxy.reload(settings("", "100/min"));
        assertThat(ask(client, FEW)).isEqualTo(DONE);
    }

    @Test
    void exemptUsersAreNotCounted() {
        proxy.reload(settings("rate_limit_exempt = [" + alice + "]", "1/min"));
        assertThat(ask(client, FEW) + ask(client, FEW)).isEqualTo(DONE + DONE);
        assertThat(shown("SHOW RATE_LIMITS")).isEqualTo("[]");
    }

    @Test
    void answersOfTheCacheCount() {
        try (CachingProxy caching = CachingProxy.start(
                        "statement_rules { r { pattern = \"it_few\", rate = \"1000/h\" } }",
                        "CREATE TABLE it_few AS SELECT 1 AS a");
                RawClient reader = caching.login()) {
            String read = "SELECT a FROM it_few";
            caching.know(reader, read);
            await().until(() -> caching.isHit(reader, read));
            long before = used(caching);
            assertThat(caching.isHit(reader, read)).isTrue();
            assertThat(used(caching)).isEqualTo(before + 1);
        }
    }

    private static long used(CachingProxy caching) {
        return caching.routed().proxy().services().limits().show().getFirst().used();
    }
}
