package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TcpRelay;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Statements whose server is gone without a word are in SHOW QUERIES with what their client was told. */
final class LostServerStatsIT {
    private static final String PASSWORD = "secret";

    private final String role = TestCluster.freshRole(PASSWORD);
    private final String database = TestCluster.freshDatabase(TestCluster.primary());
    private final TcpRelay relay =
            TcpRelay.to(TestCluster.primary().host(), TestCluster.primary().port());

    @AfterEach
    void end() {
        relay.close();
    }

    /** What has been cut off goes on sleeping. */
    private void wake() {
        direct().run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + role + "'");
    }

    private Endpoint direct() {
        return new Endpoint(
                TestCluster.primary().host(), TestCluster.primary().port(), database, "postgres", TestCluster.PASSWORD);
    }

    /** With a server that can be cut off; {@code settings} decide whether its database is watched. */
    private TestProxy start(String settings) {
        return TestProxy.start(
                TestCluster.primary(),
                TestProxy.trusting(TestCluster.primary()) + TestProxy.user(role, PASSWORD)
                        + "server_tls_sslmode = disable\ndatabases { \"*\" { primary = \"127.0.0.1:" + relay.port()
                        + "\" } }\n" + settings);
    }

    /** What the client is told when its server is cut off while this runs. */
    private String lostIn(TestProxy proxy, Consumer<RawClient> running) {
        try (RawClient client = proxy.as(role, PASSWORD, database).login()) {
            client.query("SELECT 1").readUntilReady();
            running.accept(client);
            await().until(() -> Message.row(direct().run("SELECT count(*) FROM pg_stat_activity WHERE usename = '"
                            + role + "' AND state = 'active' AND wait_event = 'PgSleep'"))
                    .getFirst()
                    .equals("1"));
            relay.cut(role);
            List<Message> answer = client.readUntil(Message::isClosed);
            wake();
            return answer.stream()
                    .filter(message -> message.type() == 'E')
                    .map(message -> message.field('C'))
                    .toList()
                    .toString();
        }
    }

    /** Calls, errors and SQLSTATEs by the text of statements that failed. */
    private Map<String, String> failed(TestProxy proxy) {
        List<Message> answer =
                proxy.as("postgres", TestCluster.PASSWORD, "pgproxy").run("SHOW QUERIES");
        List<String> columns = Message.columns(answer);
        Map<String, String> failed = new TreeMap<>();
        Message.rows(answer).forEach(row -> {
            if (!"0".equals(row.get(columns.indexOf("errors")))) {
                failed.put(
                        String.valueOf(row.get(columns.indexOf("query"))),
                        row.get(columns.indexOf("calls")) + " " + row.get(columns.indexOf("errors")) + " "
                                + row.get(columns.indexOf("sqlstates")));
            }
        });
        return failed;
    }

    private static Consumer<RawClient> extended(String sql) {
        return client -> client.batch(c -> c.parse("", sql)
                .bind("", "")
                .execute("")
                .parse("", "SELECT 'behind'")
                .bind("", "")
                .execute("")
                .sync());
    }

    @Test
    void aReadThatNobodyAnswersAnyMore() {
        try (TestProxy proxy = start("")) {
            assertThat(lostIn(proxy, client -> client.query("SELECT pg_sleep(60) AS simple")))
                    .isEqualTo("[08006]");
            assertThat(lostIn(proxy, extended("SELECT pg_sleep(60) AS extended")))
                    .isEqualTo("[08006]");
            assertThat(failed(proxy))
                    .isEqualTo(Map.of(
                            "SELECT pg_sleep(?) AS simple", "1 1 08006:1",
                            "SELECT pg_sleep(?) AS extended", "1 1 08006:1"));
        }
    }

    @Test
    void aCommitOfWhichNobodyKnowsWhetherItHappened() {
        direct().run("CREATE TABLE t (a int); GRANT ALL ON t TO " + role
                + "; CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60);"
                + " RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY"
                + " DEFERRED FOR EACH ROW EXECUTE FUNCTION late()");
        try (TestProxy proxy = start("cache_mode = on\nchange_feed = off\ncontrol_user = postgres\n")) {
            assertThat(lostIn(proxy, client -> {
                        client.query("BEGIN").readUntilReady();
                        client.query("INSERT INTO t VALUES (1)").readUntilReady();
                        client.query("COMMIT");
                    }))
                    .isEqualTo("[08007]");
            assertThat(lostIn(proxy, client -> {
                        client.query("BEGIN").readUntilReady();
                        client.query("INSERT INTO t VALUES (2)").readUntilReady();
                        client.batch(c ->
                                c.parse("", "COMMIT").bind("", "").execute("").sync());
                    }))
                    .isEqualTo("[08007]");
            assertThat(lostIn(proxy, client -> client.query("INSERT INTO t SELECT 3")))
                    .isEqualTo("[08007]");
            assertThat(failed(proxy))
                    .isEqualTo(Map.of("COMMIT", "2 2 08007:2", "INSERT INTO t SELECT ?", "1 1 08007:1"));
        }
    }
}
