package dev.pgproxy;

import static dev.pgproxy.testing.SecurePostgres.await;
import static dev.pgproxy.testing.SecurePostgres.stored;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.SecurePostgres;
import dev.pgproxy.testing.TcpRelay;
import dev.pgproxy.testing.TestCertificates;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How a CancelRequest comes to its server: encrypted or not, by way of another pgproxy, and not too often wrong. */
final class CancelForwardingIT {
    private static final int CANCEL_REQUEST = 1234 << 16 | 5678;
    private static final int SSL_REQUEST = 1234 << 16 | 5679;
    private static final EmbeddedPostgres SERVER = SecurePostgres.shared();

    private final String role = TestCluster.freshRole(SERVER, "secret", "");

    private String users() {
        return TestProxy.user(role, stored(SERVER, role)) + "admin_users = [" + role + "]\n";
    }

    /** Returns once PostgreSQL runs it. */
    private void sleep(RawClient client) {
        client.query("SELECT pg_sleep(30)");
        await(SERVER, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND usename = '" + role + "'", "1");
    }

    private static void cancel(TestProxy by, int processId, byte[] secret) {
        try (RawClient canceller = by.connect()) {
            assertThat(canceller.cancelRequest(processId, secret).readUntilClosed())
                    .hasSize(1);
        }
    }

    private static byte[] wrong(RawClient client) {
        byte[] secret = client.keyData().secretKey().clone();
        secret[0] ^= 1;
        return secret;
    }

    private static void assertCancelled(RawClient client) {
        assertThat(client.readUntilReady())
                .anyMatch(message -> message.type() == 'E' && message.field('C').equals("57014"));
        assertThat(Message.types(client.query("SELECT 1").readUntilReady())).isEqualTo("TDCZ");
    }

    @ParameterizedTest
    @CsvSource({
        "disable, by_scram, plain",
        "allow, by_scram, plain",
        "allow, only_tls, tls",
        "prefer, by_scram, tls",
        "prefer, only_plain, plain",
        "require, only_tls, tls",
        "verify-full, by_scram, tls",
    })
    void aCancelIsAsSafeAsTheConnectionThatItIsFor(String mode, String database, String expected) {
        try (TcpRelay relay = TcpRelay.to(SERVER.host(), SERVER.port());
                TestProxy proxy = TestProxy.start(
                        SERVER,
                        users() + "server_tls_sslmode = " + mode + "\nserver_tls_ca_file = \""
                                + TestCertificates.shared().authority()
                                + "\"\ndatabases { \"*\" { primary = \"127.0.0.1:" + relay.port() + "\" } }\n");
                RawClient client = proxy.as(role, "secret", database).login()) {
            sleep(client);
            relay.codes().clear();
            cancel(proxy, client.keyData().processId(), client.keyData().secretKey());
            assertCancelled(client);
            assertThat(relay.codes()).containsExactly(expected.equals("tls") ? SSL_REQUEST : CANCEL_REQUEST);
        }
    }

    @Test
    void aCancelThatReachesAnotherInstanceIsPassedOn() {
        try (TestProxy one = TestProxy.start(SERVER, users() + "peer_id = 1\n");
                TestProxy two = TestProxy.start(
                        SERVER,
                        users() + "peer_id = 2\npeers { 1 = \"127.0.0.1:"
                                + one.proxy().port() + "\" }\n")) {
            one.reload(users() + "peer_id = 1\npeers { 2 = \"127.0.0.1:"
                    + two.proxy().port() + "\" }\n");
            assertCancelledByWayOf(two, one);
            assertCancelledByWayOf(one, two);
        }
    }

    private void assertCancelledByWayOf(TestProxy other, TestProxy own) {
        try (RawClient client = own.as(role, "secret", "by_scram").login()) {
            sleep(client);
            cancel(other, client.keyData().processId(), wrong(client));
            assertThat(client.poll(200)).isNull();
            cancel(other, client.keyData().processId(), client.keyData().secretKey());
            assertCancelled(client);
            client.terminate().readUntilClosed();
        }
    }

    private String refused(TestProxy proxy) {
        return Message.rows(proxy.as(role, "secret", "pgproxy").run("SHOW TOTALS")).stream()
                .filter(row -> "total_cancel_refused".equals(row.get(0)))
                .map(row -> String.valueOf(row.get(1)))
                .findFirst()
                .orElse("none");
    }

    @Test
    void whoGuessesKeysIsNotHeardForAWhile() {
        try (TestProxy proxy = TestProxy.start(SERVER, users());
                RawClient client = proxy.as(role, "secret", "by_scram").login()) {
            int processId = client.keyData().processId();
            sleep(client);
            for (int i = 0; i < 100; i++) {
                cancel(proxy, processId, wrong(client));
            }
            cancel(proxy, processId, client.keyData().secretKey());
            assertThat(refused(proxy)).isEqualTo("101");
            assertThat(client.poll(200)).isNull();
            Awaitility.await().until(() -> {
                cancel(proxy, processId, client.keyData().secretKey());
                return client.poll(20) != null;
            });
            client.readUntilReady();
        }
    }

    @Test
    void cancelsOfClientsThatAreGoneAreNoGuesses() {
        try (TestProxy proxy = TestProxy.start(SERVER, users());
                RawClient client = proxy.as(role, "secret", "by_scram").login();
                RawClient gone = proxy.as(role, "secret", "by_scram").login()) {
            gone.terminate().readUntilClosed();
            for (int i = 0; i < 100; i++) {
                cancel(proxy, gone.keyData().processId(), gone.keyData().secretKey());
            }
            sleep(client);
            cancel(proxy, client.keyData().processId(), client.keyData().secretKey());
            assertCancelled(client);
        }
    }
}
