package dev.pgproxy;

import static dev.pgproxy.testing.SecurePostgres.await;
import static dev.pgproxy.testing.SecurePostgres.single;
import static dev.pgproxy.testing.SecurePostgres.stored;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Frontend;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** How many clients and servers there may be, how long anybody waits, and how long servers are kept. */
final class LimitsIT {
    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();
    private final String other = TestCluster.freshDatabase();
    private final String alice = TestCluster.freshRole("secret");
    private final String bob = TestCluster.freshRole("secret");

    private TestProxy start(String settings) {
        return TestProxy.start(
                server,
                "users { " + alice + " { password = \"" + stored(server, alice) + "\" }, " + bob + " { password = \""
                        + stored(server, bob) + "\" } }\n" + settings);
    }

    private static RawClient login(TestProxy proxy, String user, String database) {
        return proxy.as(user, "secret", database).login();
    }

    private static void assertRefused(TestProxy proxy, String user, String database, String limit) {
        Message refused = proxy.attempt(user, "secret", database);
        assertThat(refused.type()).isEqualTo('E');
        assertThat(refused.field('C')).isEqualTo("53300");
        assertThat(refused.field('M')).isEqualTo("no more connections allowed (" + limit + ")");
        assertThat(refused.field('H')).isNotEmpty();
    }

    private static void begin(RawClient client) {
        assertThat(Message.types(client.query("BEGIN").readUntilReady())).isEqualTo("CZ");
    }

    private static void commit(RawClient client) {
        assertThat(Message.types(client.query("COMMIT").readUntilReady())).isEqualTo("CZ");
    }

    private String backends() {
        return single(server, "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + database + "'");
    }

    private void awaitBackends(int count) {
        await(server, "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + database + "'", "" + count);
    }

    // ---- clients

    @Test
    void clientsInAllAreLimited() {
        try (TestProxy proxy = start("max_client_conn = 1\n")) {
            try (RawClient first = login(proxy, alice, database)) {
                assertRefused(proxy, bob, other, "max_client_conn");
                first.terminate().readUntilClosed();
            }
            assertSoonServed(proxy, bob, other);
        }
    }

    private static void assertSoonServed(TestProxy proxy, String user, String database) {
        Awaitility.await().until(() -> proxy.attempt(user, "secret", database).isReady());
    }

    @Test
    void clientsOfADatabaseAreLimited() {
        try (TestProxy proxy = start("max_db_client_connections = 1\n");
                RawClient first = login(proxy, alice, database);
                RawClient elsewhere = login(proxy, alice, other)) {
            assertRefused(proxy, bob, database, "max_db_client_connections");
            first.terminate().readUntilClosed();
            assertSoonServed(proxy, bob, database);
            elsewhere.terminate().readUntilClosed();
        }
    }

    @Test
    void clientsOfAUserAreLimited() {
        try (TestProxy proxy = start("max_user_client_connections = 1\nusers { " + bob
                        + " { max_user_client_connections = 2 } }\n");
                RawClient first = login(proxy, alice, database);
                RawClient second = login(proxy, bob, database);
                RawClient third = login(proxy, bob, database)) {
            assertRefused(proxy, alice, other, "max_user_client_connections");
            assertRefused(proxy, bob, other, "max_user_client_connections");
            first.terminate().readUntilClosed();
            assertSoonServed(proxy, alice, other);
            second.terminate().readUntilClosed();
            third.terminate().readUntilClosed();
        }
    }

    @Test
    void connectionsOfAnAddressAreLimitedBeforeAnythingIsRead() {
        try (TestProxy proxy = start("max_connections_per_address = 2\n");
                RawClient first = proxy.connect();
                RawClient second = proxy.connect()) {
            // whoever is counted is heard
            assertThat(first.sslRequest()).isEqualTo('N');
            assertThat(second.sslRequest()).isEqualTo('N');
            try (RawClient third = proxy.connect()) {
                Message refused = third.readMessage();
                assertThat(refused.field('C')).isEqualTo("53300");
                assertThat(refused.field('M')).isEqualTo("too many connections from 127.0.0.1");
                assertThat(third.readMessage().isClosed()).isTrue();
            }
            first.cancelRequest(0, new byte[4]).readUntilClosed();
            assertSoonServed(proxy, alice, database);
        }
    }

    @Test
    void aClientThatDoesNotLogInIsClosed() {
        try (TestProxy proxy = start("client_login_timeout = 500ms\n");
                RawClient silent = proxy.connect();
                RawClient slow = proxy.connect()) {
            slow.startup(Frontend.VERSION_3_0, RawClient.parameters("user", alice, "database", database));
            assertThat(silent.readMessage().isClosed()).isTrue();
            assertThat(slow.readMessage().type()).isEqualTo('R');
            assertThat(slow.readMessage().field('M')).isEqualTo("client_login_timeout");
            assertThat(slow.readMessage().isClosed()).isTrue();
        }
    }

    // ---- servers

    @Test
    void clientsWaitForTheServersOfTheirPool() {
        try (TestProxy proxy = start("default_pool_size = 1\nquery_wait_notify = 500ms\n");
                RawClient first = login(proxy, alice, database);
                RawClient second = login(proxy, alice, database)) {
            begin(first);
            second.query("SELECT 1");
            Message notice = second.readMessage();
            assertThat(notice.type()).isEqualTo('N');
            assertThat(notice.field('M')).isEqualTo("No server connection available in the pool, waiting for one");
            commit(first);
            assertThat(Message.types(second.readUntilReady())).isEqualTo("TDCZ");
        }
    }

    @Test
    void aClientThatWaitsTooLongIsSentAway() {
        try (TestProxy proxy = start("default_pool_size = 1\nquery_wait_timeout = 500ms\n");
                RawClient first = login(proxy, alice, database);
                RawClient second = login(proxy, alice, database)) {
            begin(first);
            Message refused = second.query("SELECT 1").readMessage();
            assertThat(refused.field('S')).isEqualTo("FATAL");
            assertThat(refused.field('M')).isEqualTo("query_wait_timeout");
            assertThat(second.readMessage().isClosed()).isTrue();
            commit(first);
        }
    }

    @Test
    void theReserveOpensWhenSomebodyWaitsForLong() {
        String settings = "default_pool_size = 1\nreserve_pool_size = 1\nreserve_pool_timeout = 500ms\n";
        try (TestProxy proxy = start(settings);
                RawClient first = login(proxy, alice, database);
                RawClient second = login(proxy, alice, database);
                RawClient third = login(proxy, alice, database)) {
            begin(first);
            begin(second);
            assertThat(backends()).isEqualTo("2");
            third.query("SELECT 1");
            assertThat(third.poll(1500)).isNull();
            commit(second);
            assertThat(Message.types(third.readUntilReady())).isEqualTo("TDCZ");
            commit(first);
        }
    }

    @Test
    void serversOfADatabaseAreLimitedOverAllUsers() {
        try (TestProxy proxy = start("max_db_connections = 1\n");
                RawClient first = login(proxy, alice, database)) {
            // an idle server of another pool gives way
            try (RawClient second = login(proxy, bob, database)) {
                begin(first);
                second.query("SELECT current_user");
                assertThat(second.poll(500)).isNull();
                commit(first);
                assertThat(second.readUntilReady().get(1).values()).isEqualTo(List.of(bob));
                assertThat(backends()).isEqualTo("1");
            }
        }
    }

    @Test
    void serversOfAUserAreLimitedOverAllDatabases() {
        try (TestProxy proxy = start("max_user_connections = 1\n");
                RawClient first = login(proxy, alice, database);
                RawClient second = login(proxy, alice, other)) {
            begin(first);
            second.query("SELECT current_database()");
            assertThat(second.poll(500)).isNull();
            commit(first);
            assertThat(second.readUntilReady().get(1).values()).isEqualTo(List.of(other));
        }
    }

    @Test
    void someServersAreKeptOpenFromTheFirstLoginOn() {
        try (TestProxy proxy = start("min_pool_size = 3\nserver_idle_timeout = 500ms\n")) {
            assertThat(backends()).isEqualTo("0");
            try (RawClient client = login(proxy, alice, database)) {
                awaitBackends(3);
                client.terminate().readUntilClosed();
            }
            Awaitility.await()
                    .during(java.time.Duration.ofMillis(1500))
                    .until(() -> backends().equals("3"));
        }
    }

    @Test
    void unusedServersAreClosed() {
        try (TestProxy proxy = start("server_idle_timeout = 500ms\n");
                RawClient client = login(proxy, alice, database)) {
            client.query("SELECT 1").readUntilReady();
            assertThat(backends()).isEqualTo("1");
            awaitBackends(0);
            assertThat(Message.types(client.query("SELECT 1").readUntilReady())).isEqualTo("TDCZ");
        }
    }

    @Test
    void oldServersAreReplacedBetweenTransactions() {
        try (TestProxy proxy = start("server_lifetime = 1s\n");
                RawClient client = login(proxy, alice, database)) {
            String pid = "SELECT pg_backend_pid()";
            List<?> first = client.query(pid).readUntilReady().get(1).values();
            Awaitility.await()
                    .until(() ->
                            !client.query(pid).readUntilReady().get(1).values().equals(first));
            begin(client);
            List<?> held = client.query(pid).readUntilReady().get(1).values();
            assertThat(client.poll(1500)).isNull();
            assertThat(client.query(pid).readUntilReady().get(1).values()).isEqualTo(held);
            commit(client);
        }
    }
}
