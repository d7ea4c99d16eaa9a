package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What lost against another transaction is run again where nobody can tell, and nowhere else. A trigger makes statements
 * fail; a sequence, which a rollback leaves as it is, counts how often each was run.
 */
final class RetriesIT {
    private static final String INSERT = "INSERT INTO taken VALUES (1)";

    private final ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("");

    private RawClient client;

    @BeforeEach
    void begin() {
        under.direct()
                .run("CREATE TABLE taken (a int); CREATE SEQUENCE tries; CREATE TABLE plain AS SELECT 1 AS a;"
                        + " CREATE TABLE counter AS SELECT 1 AS id, 0 AS n");
        client = under.proxied().login();
    }

    @AfterEach
    void end() {
        client.close();
        under.proxy().close();
    }

    /** Inserts fail the first times they are run. */
    private void failing(int times, String code) {
        under.direct()
                .run(
                        "CREATE OR REPLACE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                                + " IF nextval('tries') <= " + times + " THEN RAISE 'lost' USING ERRCODE = '" + code
                                + "';"
                                + " END IF; RETURN new; END $$;"
                                + " CREATE OR REPLACE TRIGGER fails BEFORE INSERT ON taken FOR EACH ROW EXECUTE FUNCTION fails()");
    }

    /** How often inserts were run since the last call. */
    private int runs() {
        return Integer.parseInt(String.valueOf(Message.row(under.direct()
                        .run("SELECT CASE WHEN is_called THEN last_value ELSE 0 END,"
                                + " setval('tries', 1, false) FROM tries"))
                .getFirst()));
    }

    private int rows() {
        return Integer.parseInt(String.valueOf(
                Message.row(under.direct().run("SELECT count(*) FROM taken")).getFirst()));
    }

    private List<Message> answer(Consumer<RawClient> messages) {
        return client.batch(messages).readUntilReady();
    }

    /** The session is in step: the next answer is the next question's. */
    private void assertInStep() {
        assertThat(Message.row(answer(c -> c.query("SELECT 'next'")))).containsExactly("next");
    }

    private List<String> retries() {
        return Message.rows(under.proxied().withDatabase("pgproxy").run("SHOW RETRIES")).stream()
                .filter(row -> under.database().equals(row.getFirst()))
                .map(row -> String.join(" ", row.subList(1, row.size())))
                .toList();
    }

    /** What a driver may send to run one insert, and what it is answered. */
    private static List<Consumer<RawClient>> ways() {
        return List.of(
                c -> c.query(INSERT + " RETURNING a"),
                c -> c.parse("", INSERT + " RETURNING a")
                        .bind("", "")
                        .describePortal("")
                        .execute("")
                        .sync(),
                c -> c.parse("named", INSERT + " RETURNING a")
                        .bind("", "named")
                        .describePortal("")
                        .execute("")
                        .closeStatement("named")
                        .sync());
    }

    @Test
    void aStatementThatLostIsRunUntilItHasWonAndNobodyHearsOfIt() {
        List<String> types = List.of("TDCZ", "12TDCZ", "12TDC3Z");
        for (int i = 0; i < ways().size(); i++) {
            failing(2, "40P01");
            assertThat(Message.types(answer(ways().get(i)))).isEqualTo(types.get(i));
            assertThat(runs()).isEqualTo(3);
            assertThat(rows()).isEqualTo(i + 1);
            assertInStep();
        }
        assertThat(retries()).containsExactly("0 6 0 0 0");
    }

    @Test
    void aStatementThatWasPreparedBeforeIsRunAgain() {
        answer(c -> c.parse("s", "INSERT INTO taken VALUES ($1)").sync());
        failing(1, "40001");
        assertThat(Message.types(answer(c -> c.bind("", "s", "7").execute("").sync())))
                .isEqualTo("2CZ");
        assertThat(runs()).isEqualTo(2);
        assertThat(rows()).isEqualTo(1);
        assertThat(retries()).containsExactly("1 0 0 0 0");
    }

    /** Each is run twice, right after one that was. */
    @Test
    void eachOfManyInARowIsRunAgain() {
        failing(0, "40001");
        under.direct()
                .run("CREATE OR REPLACE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                        + " IF nextval('tries') % 2 = 1 THEN RAISE 'lost' USING ERRCODE = '40001'; END IF;"
                        + " RETURN new; END $$");
        answer(c -> c.parse("s", INSERT).sync());
        List<Consumer<RawClient>> ways = new ArrayList<>(ways());
        ways.add(c -> c.query(INSERT));
        ways.add(c -> c.parse("", INSERT).bind("", "").execute("").sync());
        ways.add(c -> c.bind("", "s").execute("").sync());
        Random random = new Random(20261122);
        for (int i = 0; i < 60; i++) {
            int way = random.nextInt(ways.size());
            assertThat(Message.types(answer(ways.get(way))))
                    .as("way %d, statement %d", way, i)
                    .doesNotContain("E")
                    .endsWith(way == 2 ? "C3Z" : "CZ");
        }
        assertThat(rows()).isEqualTo(60);
        assertThat(runs()).isEqualTo(120);
        assertThat(retries()).containsExactly("60 0 0 0 0");
    }

    @Test
    void whatLosesAgainAndAgainIsTold() {
        failing(100, "40001");
        for (Consumer<RawClient> way : ways()) {
            List<Message> answer = answer(way);
            assertThat(Message.types(answer)).endsWith("EZ").doesNotContain("D");
            assertThat(answer.get(answer.size() - 2).field('C')).isEqualTo("40001");
            assertThat(runs()).isEqualTo(3);
            assertInStep();
        }
        assertThat(rows()).isZero();
        assertThat(retries()).containsExactly("6 0 0 0 3");
    }

    /** As two transactions on one row do it: the second has seen the first neither before nor after. */
    @Test
    void aLostUpdateIsDoneAgainOnWhatTheOtherHasWritten() {
        answer(c -> c.query("SET default_transaction_isolation = 'repeatable read'"));
        try (RawClient other = under.direct().login()) {
            other.query("BEGIN; UPDATE counter SET n = n + 10").readUntilReady();
            client.query("UPDATE counter SET n = n + 1 RETURNING n");
            await().until(() -> !Message.rows(under.direct()
                            .run("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"))
                    .isEmpty());
            other.query("COMMIT").readUntilReady();
            assertThat(Message.row(client.readUntilReady())).containsExactly("11");
        }
        assertThat(retries()).containsExactly("1 0 0 0 0");
    }

    /** Each is run once, and its client is told. */
    @Test
    void whatMayNotBeRunAgainIsNot() {
        under.direct()
                .run("CREATE FUNCTION inserts() RETURNS int LANGUAGE sql AS $$ " + INSERT + " RETURNING a $$;"
                        + " CREATE PROCEDURE proc() LANGUAGE sql AS $$ " + INSERT + " $$");
        failing(100, "40001");
        List<String> texts = List.of(
                "SELECT inserts()",
                "CALL proc()",
                "DO $$ BEGIN " + INSERT + "; END $$",
                "SELECT 1; " + INSERT,
                "SELECT pg_advisory_lock(1); " + INSERT,
                "WITH l AS (SELECT pg_advisory_lock(1)) INSERT INTO taken SELECT 1 FROM l",
                "COPY taken FROM PROGRAM 'echo 1'",
                "/* pgproxy: noretry */ " + INSERT,
                "EXPLAIN ANALYZE " + INSERT);
        for (String text : texts) {
            List<Message> answer = answer(c -> c.query(text));
            assertThat(answer.get(answer.size() - 2).field('C')).as(text).isEqualTo("40001");
            assertThat(runs()).as(text).isEqualTo(1);
            assertInStep();
        }
        answer(c -> c.query("SET pgproxy.route = 'noretry'"));
        assertThat(Message.types(answer(c -> c.query(INSERT)))).isEqualTo("EZ");
        assertThat(runs()).isEqualTo(1);
        assertThat(retries()).containsExactly("0 0 0 0 0");
    }

    @Test
    void nothingInATransactionIsRunAgain() {
        failing(100, "40001");
        answer(c -> c.query("BEGIN"));
        assertThat(Message.types(answer(c -> c.query(INSERT)))).isEqualTo("EZ");
        assertThat(Message.types(answer(c -> c.query(INSERT)))).isEqualTo("EZ");
        answer(c -> c.query("ROLLBACK"));
        assertThat(runs()).isEqualTo(1);
        assertInStep();
    }

    /** It would be run after what was sent behind it. */
    @Test
    void nothingIsRunAgainBehindWhatFollowedIt() {
        failing(1, "40001");
        client.batch(c -> c.query(INSERT).query("INSERT INTO plain VALUES (2)").query("SELECT count(*) FROM plain"));
        assertThat(Message.types(client.readUntilReady())).isEqualTo("EZ");
        assertThat(Message.types(client.readUntilReady())).isEqualTo("CZ");
        assertThat(Message.row(client.readUntilReady())).containsExactly("2");
        assertThat(runs()).isEqualTo(1);
    }

    /** A Flush does not end the transaction: what stands before it is undone with what stands behind. */
    @Test
    void nothingIsRunAgainWithoutWhatStoodBeforeItInItsTransaction() {
        failing(1, "40001");
        client.batch(c -> c.parse("", "INSERT INTO plain VALUES (2)")
                .bind("", "")
                .execute("")
                .flush());
        assertThat(Message.types(client.readUntil('C'))).isEqualTo("12C");
        assertThat(Message.types(
                        answer(c -> c.parse("", INSERT).bind("", "").execute("").sync())))
                .isEqualTo("12EZ");
        assertThat(Message.row(answer(c -> c.query("SELECT count(*) FROM plain"))))
                .containsExactly("1");
        assertThat(rows()).isZero();
    }

    /** The same where the plan of what stands behind the Flush is stale. */
    @Test
    void aStalePlanIsNotMendedWithoutWhatStoodBeforeItInItsTransaction() {
        answer(c -> c.parse("s", "SELECT * FROM counter").sync());
        answer(c -> c.bind("", "s").describePortal("").execute("").sync());
        under.direct().run("ALTER TABLE counter ADD COLUMN more int");
        client.batch(c -> c.parse("", "INSERT INTO plain VALUES (2)")
                .bind("", "")
                .execute("")
                .flush());
        assertThat(Message.types(client.readUntil('C'))).isEqualTo("12C");
        List<Message> answer =
                answer(c -> c.bind("", "s").describePortal("").execute("").sync());
        int rows = Integer.parseInt(String.valueOf(
                Message.row(answer(c -> c.query("SELECT count(*) FROM plain"))).getFirst()));
        boolean told = Message.types(answer).contains("E");
        assertThat(rows).as("%s", answer).isEqualTo(told ? 1 : 2);
    }

    /** Whoever has heard a notice is told the failure; who has not, as it came together with that, hears that of the next run. */
    @Test
    void aNoticeIsHeardOnce() {
        under.direct()
                .run("CREATE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                        + " RAISE NOTICE 'inserting'; RETURN new; END $$;"
                        + " CREATE TRIGGER a_says BEFORE INSERT ON taken FOR EACH ROW EXECUTE FUNCTION says()");
        failing(1, "40001");
        boolean told = Message.types(answer(c -> c.query(INSERT))).equals("NEZ");
        assertThat(runs()).isEqualTo(told ? 1 : 2);
        assertThat(rows()).isEqualTo(told ? 0 : 1);
        failing(0, "40001");
        assertThat(Message.types(answer(c -> c.query(INSERT)))).isEqualTo("NCZ");
    }

    /** What a client sends during the pause waits for the statement before it. */
    @Test
    void whatIsSentDuringThePauseKeepsItsPlace() {
        for (int i = 0; i < 20; i++) {
            failing(2, "40001");
            client.query(INSERT + " RETURNING 'first'");
            await().until(() -> Message.row(under.direct().run("SELECT is_called FROM tries"))
                    .getFirst()
                    .equals("t"));
            client.query("SELECT count(*) FROM taken");
            assertThat(Message.row(client.readUntilReady())).containsExactly("first");
            assertThat(Message.row(client.readUntilReady())).containsExactly(String.valueOf(i + 1));
            runs();
        }
    }

    /** Clients that go at any moment of it leave servers that others can use, and nothing half done. */
    @Test
    void aClientThatGoesOrCancelsDuringThePauseHarmsNobody() {
        List<String> codes = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            failing(1000, "40001");
            RawClient going = under.proxied().connect();
            List<Message> login = going.login(under.user(), under.password(), under.database());
            Message key =
                    login.stream().filter(m -> m.type() == 'K').findFirst().orElseThrow();
            going.query(INSERT);
            await().until(() -> Message.row(under.direct().run("SELECT is_called FROM tries"))
                    .getFirst()
                    .equals("t"));
            if (i % 2 == 0) {
                try (RawClient cancel = under.proxied().connect()) {
                    cancel.cancelRequest(key.processId(), key.secretKey()).readUntilClosed();
                }
                List<Message> answer = going.readUntilReady();
                codes.add(answer.getFirst().field('C'));
                assertThat(Message.row(going.query("SELECT 'next'").readUntilReady()))
                        .containsExactly("next");
            }
            going.close();
            runs();
            failing(0, "40001");
            assertInStep();
        }
        assertThat(codes).isSubsetOf("40001", "57014");
        assertThat(rows()).isZero();
    }

    @Test
    void aServerThatIsLostDuringThePauseIsTold() {
        under.direct().run("ALTER SEQUENCE tries RESTART");
        failing(1000, "40001");
        try (RawClient doomed = under.proxied().login()) {
            doomed.query(INSERT);
            await().until(() -> Message.row(under.direct().run("SELECT is_called FROM tries"))
                    .getFirst()
                    .equals("t"));
            under.direct()
                    .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                            + " AND pid <> pg_backend_pid() AND query LIKE 'INSERT%'");
            List<Message> answer = doomed.readUntil(m -> m.isReady() || m.isClosed());
            assertThat(answer.getFirst().field('C')).isIn("57P01", "08006", "40001");
        }
        assertInStep();
        assertThat(rows()).isZero();
    }
}
