package dev.pgproxy;

import static dev.pgproxy.testing.SecurePostgres.stored;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rate limits: what starts a transaction counts, what is refused is answered as PostgreSQL answers an error. */
final class RateLimitIT {
    private static final String READ = "TDCZ";

    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();
    private final String alice = TestCluster.freshRole("secret");
    private final String bob = TestCluster.freshRole("secret");

    private String settings(String more) {
        return "users { " + alice + " { password = \"" + stored(server, alice) + "\" }, " + bob + " { password = \""
                + stored(server, bob) + "\" } }\nadmin_users = [" + alice + "]\n" + more + "\n";
    }

    private TestProxy start(String settings) {
        return TestProxy.start(server, settings(settings));
    }

    private RawClient login(TestProxy proxy, String user) {
        return proxy.as(user, "secret", database).login();
    }

    private static String ask(RawClient client, String sql) {
        return Message.types(client.query(sql).readUntilReady());
    }

    private static String together(RawClient client, int ready, Consumer<RawClient> messages) {
        return Message.types(client.batch(messages).readUntilReady(ready));
    }

    private static Message assertRefused(List<Message> answer, String message) {
        assertThat(Message.types(answer)).isEqualTo("EZ");
        Message error = answer.getFirst();
        assertThat(error.field('S')).isEqualTo("ERROR");
        assertThat(error.field('C')).isEqualTo("53400");
        assertThat(error.field('M')).isEqualTo(message);
        return error;
    }

    private List<String> shown(TestProxy proxy, String show) {
        try (RawClient console = proxy.as(alice, "secret", "pgproxy").login()) {
            return Message.rows(console.query(show).readUntilReady()).stream()
                    .map(row ->
                            String.join(" ", row.stream().map(String::valueOf).toList()))
                    .toList();
        }
    }

    // ---- what is refused, and how

    @ParameterizedTest
    @ValueSource(strings = {"session", "transaction", "statement"})
    void aQueryTooManyIsAnErrorAndTheSessionGoesOn(String mode) {
        try (TestProxy proxy = start("user_rate_limit = 3/min\npool_mode = " + mode);
                RawClient client = login(proxy, alice)) {
            for (int i = 0; i < 3; i++) {
                assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
            }
            for (int i = 0; i < 3; i++) {
                Message error = assertRefused(
                        client.query("SELECT 1").readUntilReady(),
                        "rate limit of user \"" + alice + "\" is reached: 3/min");
                assertThat(error.field('H')).matches("Try again in (60|59|58|57|5\\d) seconds\\.");
            }
            assertThat(shown(proxy, "SHOW RATE_LIMITS")).containsExactly("user " + alice + " 3 60000 3 3 3 no 0");
            proxy.reload(settings(""));
            assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
        }
    }

    @Test
    void preparingCountsNothingAndEachExecutionUpToASyncIsOne() {
        try (TestProxy proxy = start("user_rate_limit = 2/min");
                RawClient client = login(proxy, alice)) {
            client.parse("s", "SELECT $1::int").describeStatement("s").sync();
            assertThat(Message.types(client.readUntilReady())).isEqualTo("1tTZ");
            assertThat(together(
                            client,
                            1,
                            c -> c.bind("", "s", "1")
                                    .execute("")
                                    .bind("", "s", "2")
                                    .execute("")
                                    .sync()))
                    .isEqualTo("2DC2DCZ");
            assertThat(together(client, 1, c -> c.bind("", "s", "1").execute("").sync()))
                    .isEqualTo("2DCZ");
            assertThat(together(
                            client,
                            1,
                            c -> c.parse("t", "SELECT 2")
                                    .bind("", "t")
                                    .describePortal("")
                                    .execute("")
                                    .sync()))
                    .isEqualTo("EZ");
            assertThat(together(client, 1, c -> c.describeStatement("t").sync()))
                    .as("what was refused has prepared nothing")
                    .isEqualTo("EZ");
            assertThat(together(client, 1, c -> c.closeStatement("s").sync())).isEqualTo("3Z");
            proxy.reload(settings(""));
            assertThat(together(
                            client,
                            1,
                            c -> c.parse("s", "SELECT 2")
                                    .bind("", "s")
                                    .execute("")
                                    .sync()))
                    .isEqualTo("12DCZ");
        }
    }

    @Test
    void aPipelineIsAnsweredInItsOrder() {
        try (TestProxy proxy = start("user_rate_limit = 3/min");
                RawClient client = login(proxy, alice)) {
            String answer = together(client, 6, c -> {
                c.parse("s", "SELECT pg_sleep(0.05)").bind("", "s").execute("").sync();
                for (int i = 0; i < 4; i++) {
                    c.bind("", "s").execute("").sync();
                }
                c.closeStatement("s").sync();
            });
            assertThat(answer).isEqualTo("12DCZ2DCZ2DCZEZEZ3Z");
        }
    }

    @Test
    void whatIsRefusedBeforeItsSyncIsSkippedUpToIt() {
        try (TestProxy proxy = start("user_rate_limit = 2/min");
                RawClient client = login(proxy, alice)) {
            client.parse("s", "SELECT 1").describeStatement("s").flush();
            assertThat(Message.types(client.readUntil('T'))).isEqualTo("1tT");
            assertThat(together(client, 1, c -> c.bind("", "s").execute("").sync()))
                    .as("of the transaction that the Parse has started")
                    .isEqualTo("2DCZ");
            assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
            client.parse("t", "SELECT 1").describeStatement("t").flush();
            assertThat(client.readMessage().field('C')).isEqualTo("53400");
            assertThat(together(client, 1, c -> c.bind("", "t").execute("").sync()))
                    .isEqualTo("Z");
            assertThat(ask(client, "SELECT 1")).isEqualTo("EZ");
            proxy.reload(settings(""));
            assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
        }
    }

    @Test
    void aLongMessageIsRefusedAsAWhole() {
        String value = "x".repeat(300_000);
        try (TestProxy proxy = start("user_rate_limit = 1/min\nmax_statement_size = 100kB");
                RawClient client = login(proxy, alice)) {
            assertThat(ask(client, "SELECT length('" + value + "')")).isEqualTo(READ);
            assertThat(ask(client, "SELECT length('" + value + "')")).isEqualTo("EZ");
            assertThat(together(
                            client,
                            2,
                            c -> c.parse("", "SELECT length($1)")
                                    .bind("", "", value)
                                    .execute("")
                                    .sync()
                                    .query("SELECT '" + value + "'")))
                    .isEqualTo("EZEZ");
            proxy.reload(settings(""));
            assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
        }
    }

    @Test
    void aTextOfSeveralTransactionsCountsAsSeveral() {
        try (TestProxy proxy = start("user_rate_limit = 2/min");
                RawClient client = login(proxy, alice)) {
            Message error = client.query("SELECT 1; COMMIT; SELECT 2; COMMIT; BEGIN; COMMIT")
                    .readUntilReady()
                    .getFirst();
            assertThat(error.field('H')).isEqualTo("It would start 3 transactions at once: send them one by one.");
            assertThat(ask(client, "BEGIN; SELECT 1; COMMIT; SELECT 2")).isEqualTo("CTDCCTDCZ");
            assertThat(ask(client, "SELECT 1")).isEqualTo("EZ");
        }
    }

    // ---- inside a transaction

    @Test
    void nothingInsideATransactionIsRefusedAndNeverItsEnd() {
        try (TestProxy proxy = start("user_rate_limit = 1/min");
                RawClient client = login(proxy, alice);
                RawClient other = login(proxy, alice)) {
            assertThat(ask(client, "BEGIN")).isEqualTo("CZ");
            for (int i = 0; i < 5; i++) {
                assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
                assertThat(together(
                                client,
                                1,
                                c -> c.parse("", "SELECT 1")
                                        .bind("", "")
                                        .execute("")
                                        .sync()))
                        .isEqualTo("12DCZ");
                assertThat(ask(other, "SELECT 1")).isEqualTo("EZ");
            }
            assertThat(ask(client, "SELECT 1/0")).isEqualTo("EZ");
            assertThat(ask(client, "ROLLBACK")).isEqualTo("CZ");
            assertThat(ask(client, "BEGIN")).isEqualTo("EZ");
            assertThat(ask(client, "ROLLBACK")).as("with a warning, as ever").isEqualTo("NCZ");
            assertThat(ask(client, "COMMIT")).isEqualTo("NCZ");
            assertThat(ask(client, "COMMIT; SELECT 1")).isEqualTo("EZ");
        }
    }

    @Test
    void whatFollowsACommitInTheSameTextCounts() {
        try (TestProxy proxy = start("user_rate_limit = 3/min");
                RawClient client = login(proxy, alice)) {
            assertThat(ask(client, "BEGIN")).isEqualTo("CZ");
            assertThat(ask(client, "COMMIT AND CHAIN")).isEqualTo("CZ");
            assertThat(ask(client, "COMMIT; SELECT 1")).isEqualTo("CTDCZ");
            assertThat(ask(client, "SELECT 1")).isEqualTo("EZ");
        }
    }

    @Test
    void aPipelinedTransactionIsOne() {
        try (TestProxy proxy = start("user_rate_limit = 2/min");
                RawClient client = login(proxy, alice)) {
            assertThat(together(
                            client,
                            4,
                            c -> c.query("BEGIN")
                                    .query("SELECT 1")
                                    .query("SELECT 2")
                                    .query("COMMIT")))
                    .isEqualTo("CZTDCZTDCZCZ");
            assertThat(together(
                            client,
                            5,
                            c -> c.parse("", "BEGIN")
                                    .bind("", "")
                                    .execute("")
                                    .sync()
                                    .query("SELECT pg_sleep(0.05)")
                                    .query("ROLLBACK")
                                    .query("SELECT 1")
                                    .query("COMMIT")))
                    .isEqualTo("12CZTDCZCZEZNCZ");
        }
    }

    @Test
    void whatFollowsAnErrorUpToItsSyncStartsNothing() {
        try (TestProxy proxy = start("user_rate_limit = 2/min");
                RawClient client = login(proxy, alice)) {
            client.parse("", "SELECT x").flush();
            assertThat(client.readMessage().field('C')).isEqualTo("42703");
            assertThat(together(client, 1, c -> c.bind("", "").execute("").sync()))
                    .isEqualTo("Z");
            assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
            assertThat(ask(client, "SELECT 1")).isEqualTo("EZ");
        }
    }

    @Test
    void aLimitThatComesInTheMiddleOfATransactionWaitsForItsEnd() {
        try (TestProxy proxy = start("");
                RawClient client = login(proxy, alice)) {
            assertThat(ask(client, "BEGIN")).isEqualTo("CZ");
            client.query("SELECT pg_sleep(0.1)");
            proxy.reload(settings("user_rate_limit = 1/min"));
            assertThat(Message.types(client.query("SELECT 1").readUntilReady(2)))
                    .isEqualTo(READ + READ);
            assertThat(ask(client, "COMMIT")).isEqualTo("CZ");
            assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
            assertThat(ask(client, "SELECT 1")).isEqualTo("EZ");
        }
    }

    // ---- who is refused

    @Test
    void usersDatabasesAndAllTogetherHaveLimitsOfTheirOwn() {
        try (TestProxy proxy = start("rate_limit = 4/min\ndb_rate_limit = 3/min\nuser_rate_limit = 2/min");
                RawClient ofAlice = login(proxy, alice);
                RawClient ofBob = login(proxy, bob);
                RawClient elsewhere =
                        proxy.as(bob, "secret", TestCluster.freshDatabase()).login()) {
            assertThat(ask(ofAlice, "SELECT 1")).isEqualTo(READ);
            assertThat(ask(ofAlice, "SELECT 1")).isEqualTo(READ);
            assertRefused(
                    ofAlice.query("SELECT 1").readUntilReady(),
                    "rate limit of user \"" + alice + "\" is reached: 2/min");
            assertThat(ask(ofBob, "SELECT 1")).as("bob is not disturbed").isEqualTo(READ);
            assertRefused(
                    ofBob.query("SELECT 1").readUntilReady(),
                    "rate limit of database \"" + database + "\" is reached: 3/min");
            assertThat(ask(elsewhere, "SELECT 1")).isEqualTo(READ);
            proxy.reload(settings("rate_limit = 4/min\nusers { " + bob + " { user_rate_limit = 1000/s } }"));
            assertRefused(elsewhere.query("SELECT 1").readUntilReady(), "rate limit of all clients is reached: 4/min");
            assertThat(shown(proxy, "SHOW RATE_LIMITS").getFirst()).isEqualTo("all null 4 60000 4 4 1 no 0");
        }
    }

    @Test
    void exemptUsersAndTheConsoleAreNotLimited() {
        try (TestProxy proxy = start("rate_limit = 1/min\nrate_limit_exempt = [" + bob + "]");
                RawClient exempt = login(proxy, bob);
                RawClient limited = login(proxy, alice);
                RawClient console = proxy.as(alice, "secret", "pgproxy").login()) {
            for (int i = 0; i < 5; i++) {
                assertThat(ask(exempt, "SELECT 1")).isEqualTo(READ);
                assertThat(ask(console, "SHOW VERSION")).isEqualTo(READ);
            }
            assertThat(ask(limited, "SELECT 1")).as("they are not counted").isEqualTo(READ);
            assertThat(ask(limited, "SELECT 1")).isEqualTo("EZ");
            assertThat(ask(exempt, "SELECT 1")).isEqualTo(READ);
            assertThat(ask(console, "SHOW VERSION")).isEqualTo(READ);
        }
    }

    @Test
    void afterTheSecondsOfTheHintItWorksAgain() {
        try (TestProxy proxy = start("user_rate_limit = 2/3s");
                RawClient client = login(proxy, alice)) {
            long begun = System.nanoTime();
            assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
            assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
            String hint = client.query("SELECT 1").readUntilReady().getFirst().field('H');
            assertThat(hint).matches("Try again in [123] seconds?\\.");
            int seconds = Integer.parseInt(hint.replaceAll("\\D", ""));
            AtomicInteger attempts = new AtomicInteger();
            await().pollDelay(Duration.ofSeconds(seconds)).until(() -> {
                attempts.incrementAndGet();
                return ask(client, "SELECT 1").equals(READ);
            });
            assertThat(attempts).as("attempts after the wait").hasValue(1);
            assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(3_000_000_000L);
        }
    }

    @Test
    void reloadChangesTheLimitAndWhatHasStartedCounts() {
        try (TestProxy proxy = start("user_rate_limit = 2/min");
                RawClient client = login(proxy, alice)) {
            assertThat(ask(client, "SELECT 1") + ask(client, "SELECT 1") + ask(client, "SELECT 1"))
                    .isEqualTo(READ + READ + "EZ");
            proxy.reload(settings("user_rate_limit = 3/min"));
            assertThat(ask(client, "SELECT 1") + ask(client, "SELECT 1")).isEqualTo(READ + "EZ");
            proxy.reload(settings("user_rate_limit = 3/min\nusers { " + alice + " { user_rate_limit = 0 } }"));
            assertThat(ask(client, "SELECT 1")).isEqualTo(READ);
            assertThat(shown(proxy, "SHOW RATE_LIMITS")).isEmpty();
        }
    }

    // ---- what a refusal costs

    @Test
    void aRefusedStatementWaitsForNoServerAndTakesNone() {
        try (TestProxy proxy = start("user_rate_limit = 2/min\ndefault_pool_size = 1");
                RawClient holder = login(proxy, alice);
                RawClient client = login(proxy, alice)) {
            assertThat(ask(client, "CREATE TEMP TABLE none (a int); DROP TABLE none"))
                    .isEqualTo("CCZ");
            assertThat(ask(holder, "BEGIN; SELECT 1")).isEqualTo("CTDCZ");
            assertThat(ask(client, "SELECT 1")).as("the only server is taken").isEqualTo("EZ");
            assertThat(shown(proxy, "SHOW POOLS"))
                    .anySatisfy(row -> assertThat(row).startsWith(database + " " + alice + " 2 0 0 0 1 0 0 0"));
            assertThat(ask(holder, "COMMIT")).isEqualTo("CZ");
            assertThat(ask(client, "SELECT 1")).isEqualTo("EZ");
            assertThat(shown(proxy, "SHOW POOLS"))
                    .anySatisfy(row -> assertThat(row).startsWith(database + " " + alice + " 2 0 0 0 0 0 0 1"));
        }
    }

    @Test
    void answersOfTheCacheAndBeginsThatNoServerSeesCount() {
        try (CachingProxy proxy =
                        CachingProxy.start("user_rate_limit = 1000/h", "CREATE TABLE it_rate AS SELECT 1 AS a");
                RawClient client = proxy.login()) {
            String read = "SELECT a FROM it_rate";
            proxy.know(client, read);
            await().until(() -> proxy.isHit(client, read));
            long before = used(proxy);
            assertThat(proxy.isHit(client, read)).isTrue();
            assertThat(used(proxy)).isEqualTo(before + 1);
            assertThat(ask(client, "BEGIN")).isEqualTo("CZ");
            assertThat(used(proxy)).isEqualTo(before + 2);
            assertThat(ask(client, read)).isEqualTo(READ);
            assertThat(ask(client, "COMMIT")).isEqualTo("CZ");
            assertThat(used(proxy)).isEqualTo(before + 2);
            assertThat(together(client, 3, c -> c.query("BEGIN").query(read).query("COMMIT")))
                    .isEqualTo("CZTDCZCZ");
            assertThat(used(proxy)).isEqualTo(before + 3);
        }
    }

    private static long used(CachingProxy proxy) {
        return proxy.routed().proxy().services().limits().show().getFirst().used();
    }
}
