package dev.pgproxy.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.PgProxy;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.SecurePostgres;
import dev.pgproxy.testing.TestCertificates;
import dev.pgproxy.testing.TestCertificates.Issued;
import java.io.InputStream;
import java.nio.file.Files;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A host's certificate expires while connections are open. */
@Timeout(180)
final class ExpiryIT {
    /** Long enough to start with it. */
    private static final int SECONDS = 12;

    private static final String NAMES = "ip:127.0.0.1";

    private static Instant end(Issued issued) throws Exception {
        try (InputStream in = Files.newInputStream(issued.certificate())) {
            return ((X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in))
                    .getNotAfter()
                    .toInstant();
        }
    }

    private static PgProxy start(EmbeddedPostgres host) throws Exception {
        return PgProxy.start(
                ConfigLoader.parse("listen_port = 0\nhttp_addr = []\nauth_type = trust\nadmin_users = [postgres]\n"
                        + "server_tls_sslmode = verify-full\nserver_tls_ca_file = \""
                        + TestCertificates.shared().authority() + "\"\nlog_connections = false\n"
                        + "databases { \"*\" { primary = \"" + host.host() + ":" + host.port() + "\" } }\n"
                        + "users { postgres { password = \"" + host.superuserPassword() + "\" } }\n"));
    }

    private static String answers(RawClient client, String sql) {
        return Message.types(client.query(sql).readUntilReady());
    }

    @Test
    void whatRunsGoesOnNewLoginsSayWhyTheyFailAndARenewedOneIsEnough() throws Exception {
        try (EmbeddedCluster cluster =
                EmbeddedCluster.start(ClusterOptions.temporary().withReplicas(0), line -> {})) {
            EmbeddedPostgres host = cluster.primary();
            new Endpoint(host.host(), host.port(), "postgres", "postgres", host.superuserPassword())
                    .run("ALTER SYSTEM SET ssl = on");
            Issued brief = TestCertificates.shared().issueFor(SECONDS, "a server of old", NAMES);
            SecurePostgres.show(host, brief);
            host.restart();
            try (PgProxy proxy = start(host)) {
                Endpoint proxied = new Endpoint("127.0.0.1", proxy.port(), "postgres", "postgres", "");
                try (RawClient open = proxied.login();
                        RawClient other = proxied.login()) {
                    assertThat(answers(open, "BEGIN; SELECT 1")).isEqualTo("CTDCZ");
                    await().until(() -> Instant.now().isAfter(end(brief)));
                    assertThat(answers(open, "SELECT 1; COMMIT")).isEqualTo("TDCCZ");
                    assertThat(answers(other, "SELECT 1"))
                            .as("a connection that is open")
                            .isEqualTo("TDCZ");
                }
                String expired = "TLS handshake with server failed: the certificate of CN=a server of old expired at "
                        + end(brief);
                Endpoint elsewhere = proxied.withDatabase("template1");
                assertThat(failure(elsewhere)).startsWith("08000: " + expired);
                assertThat(Message.rows(proxied.withDatabase("pgproxy").run("SHOW BREAKERS"))
                                .toString())
                        .contains(expired);
                SecurePostgres.show(host, TestCertificates.shared().issue("a new server", NAMES));
                host.reload();
                await().atMost(Duration.ofSeconds(60))
                        .ignoreExceptionsMatching(AssertionError.class::isInstance)
                        .untilAsserted(() -> elsewhere.run("SELECT 1"));
            }
        }
    }

    private static String failure(Endpoint endpoint) {
        try (RawClient client = endpoint.connect()) {
            for (Message message : client.login(endpoint.user(), endpoint.password(), endpoint.database())) {
                if (message.type() == 'E') {
                    return message.field('C') + ": " + message.field('M');
                }
            }
            throw new AssertionError("nothing was refused");
        }
    }
}
