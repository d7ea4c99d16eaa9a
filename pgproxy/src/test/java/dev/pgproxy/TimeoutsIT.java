package dev.pgproxy;

import static dev.pgproxy.testing.SecurePostgres.await;
import static dev.pgproxy.testing.TestProxy.user;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import org.junit.jupiter.api.Test;

/** Clients that run, hold or are silent for too long are ended, and nothing of them stays on the server. */
final class TimeoutsIT {
    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();

    private TestProxy start(String settings) {
        return TestProxy.start(server, user("postgres", TestCluster.PASSWORD) + "default_pool_size = 1\n" + settings);
    }

    private RawClient login(TestProxy proxy) {
        return proxy.as("postgres", TestCluster.PASSWORD, database).login();
    }

    private static void assertEnds(RawClient client, String sqlState, String message) {
        Message end = client.readUntil('E').getLast();
        assertThat(end.field('S')).isEqualTo("FATAL");
        assertThat(end.field('C')).isEqualTo(sqlState);
        assertThat(end.field('M')).isEqualTo(message);
        assertThat(client.readMessage().isClosed()).isTrue();
    }

    private void assertFree(TestProxy proxy) {
        try (RawClient next = login(proxy)) {
            assertThat(Message.types(next.query("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
                            .readUntilReady()))
                    .isEqualTo("EZ"); // needs a transaction block: and there is none
            assertThat(Message.types(
                            next.query("BEGIN; LOCK TABLE held; ROLLBACK").readUntilReady()))
                    .isEqualTo("CCCZ");
        }
    }

    private void makeTable() {
        try (TestProxy proxy = start("")) {
            proxy.as("postgres", TestCluster.PASSWORD, database).run("CREATE TABLE held (a int)");
        }
    }

    @Test
    void aLongQueryIsCancelled() {
        makeTable();
        try (TestProxy proxy = start("query_timeout = 500ms\n");
                RawClient client = login(proxy)) {
            client.query("SELECT pg_sleep(60)");
            assertEnds(client, "57014", "query_timeout");
            await(
                    server,
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + database + "' AND state = 'active'",
                    "0");
            assertFree(proxy);
        }
    }

    @Test
    void aLongTransactionIsRolledBack() {
        makeTable();
        try (TestProxy proxy = start("transaction_timeout = 700ms\n");
                RawClient client = login(proxy)) {
            client.query("BEGIN; LOCK TABLE held").readUntilReady();
            client.query("SELECT 1").readUntilReady();
            assertEnds(client, "25P04", "transaction_timeout");
            assertFree(proxy);
        }
    }

    @Test
    void aTransactionMayNotBeIdleForLong() {
        makeTable();
        try (TestProxy proxy = start("idle_transaction_timeout = 700ms\n");
                RawClient client = login(proxy);
                RawClient busy = login(proxy)) {
            client.query("BEGIN; LOCK TABLE held").readUntilReady();
            assertEnds(client, "25P03", "idle_transaction_timeout");
            assertThat(Message.types(
                            busy.query("BEGIN; SELECT pg_sleep(1.5); COMMIT").readUntilReady()))
                    .isEqualTo("CTDCCZ");
            assertFree(proxy);
        }
    }

    @Test
    void aSilentClientIsClosedOutsideOfTransactionsOnly() {
        try (TestProxy proxy = start("client_idle_timeout = 700ms\n");
                RawClient client = login(proxy)) {
            assertThat(Message.types(client.query("SELECT pg_sleep(1.5)").readUntilReady()))
                    .isEqualTo("TDCZ");
            client.query("BEGIN").readUntilReady();
            assertThat(client.poll(1500)).isNull();
            client.query("COMMIT").readUntilReady();
            assertEnds(client, "57P05", "client_idle_timeout");
        }
    }
}
