package dev.pgproxy;

import static dev.pgproxy.testing.SecurePostgres.single;
import static dev.pgproxy.testing.SecurePostgres.stored;
import static dev.pgproxy.testing.TestProxy.user;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Frontend;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.SecurePostgres;
import dev.pgproxy.testing.TestCertificates;
import dev.pgproxy.testing.TestCertificates.Issued;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import dev.pgproxy.testing.TrustingTls;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Properties;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS on both sides: every mode of a client against every mode of the proxy, and of the proxy towards servers. */
final class TlsIT {
    private static final TestCertificates CERTIFICATES = TestCertificates.shared();
    private static final Issued PROXY = CERTIFICATES.issue("proxy", "dns:localhost,ip:127.0.0.1");
    private static final Issued CLIENT = CERTIFICATES.issue("client", "");
    private static String role = "";

    @TempDir
    private Path directory;

    @BeforeAll
    static void role() {
        role = TestCluster.freshRole(server(), "secret", "");
    }

    private static EmbeddedPostgres server() {
        return SecurePostgres.shared();
    }

    private static String clientTls(String mode, Issued own) {
        return "client_tls_sslmode = " + mode + "\nclient_tls_cert_file = \"" + own.certificate()
                + "\"\nclient_tls_key_file = \"" + own.key() + "\"\nclient_tls_ca_file = \"" + CERTIFICATES.authority()
                + "\"\n" + user(role, stored(server(), role));
    }

    // ---- clients

    @ParameterizedTest
    @CsvSource({
        "disable, disable, plain",
        "disable, prefer, plain",
        "disable, require, none",
        "disable, verify-full, none",
        "allow, disable, plain",
        "allow, allow, plain",
        "allow, prefer, tls",
        "allow, require, tls",
        "allow, verify-ca, tls",
        "allow, verify-full, tls",
        "prefer, disable, plain",
        "prefer, prefer, tls",
        "prefer, verify-full, tls",
        "require, disable, none",
        "require, allow, tls",
        "require, prefer, tls",
        "require, verify-full, tls",
        "verify-ca, disable, none",
        "verify-ca, require, none",
        "verify-full, require, none",
    })
    void eachModeOfAClientMeetsEachOfTheProxy(String proxyMode, String clientMode, String outcome) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", role);
        properties.setProperty("password", "secret");
        properties.setProperty("sslmode", clientMode);
        properties.setProperty("sslrootcert", CERTIFICATES.authority().toString());
        try (TestProxy proxy = TestProxy.start(server(), clientTls(proxyMode, PROXY))) {
            String url = "jdbc:postgresql://localhost:" + proxy.proxy().port() + "/by_scram";
            if (outcome.equals("none")) {
                assertThatThrownBy(() -> DriverManager.getConnection(url, properties))
                        .isInstanceOf(SQLException.class);
                return;
            }
            try (Connection connection = DriverManager.getConnection(url, properties)) {
                assertThat(connection.isValid(5)).isTrue();
                assertThat(proxy.proxy().services().clients().all())
                        .singleElement()
                        .matches(client -> client.tls().isEmpty() == outcome.equals("plain"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"verify-ca", "verify-full"})
    void clientsWithACertificateOfTheAuthorityComeIn(String mode) {
        try (TestProxy proxy = TestProxy.start(server(), clientTls(mode, PROXY));
                RawClient client = proxy.connect()) {
            assertThat(client.sslRequest()).isEqualTo('S');
            client.startTls(CERTIFICATES.client(CLIENT));
            assertThat(client.login(role, "secret", "by_scram").getLast().isReady())
                    .isTrue();
        }
    }

    @Test
    void tlsMayBeginWithoutARequestIfTheProtocolIsNamed() {
        try (TestProxy proxy = TestProxy.start(server(), clientTls("require", PROXY))) {
            try (RawClient client = proxy.connect()) {
                client.startTls(CERTIFICATES.client(null), "postgresql");
                assertThat(client.login(role, "secret", "by_scram").getLast().isReady())
                        .isTrue();
            }
            for (String[] named : new String[][] {{}, {"http/1.1"}}) {
                try (RawClient client = proxy.connect()) {
                    client.startTls(CERTIFICATES.client(null), named);
                    assertThat(client.login(role, "secret", "by_scram")
                                    .getLast()
                                    .isClosed())
                            .isTrue();
                }
            }
        }
    }

    @Test
    void bytesBehindTheRequestForTlsEndTheConnection() {
        try (TestProxy proxy = TestProxy.start(server(), clientTls("allow", PROXY));
                RawClient client = proxy.connect()) {
            client.batch(all -> all.send("SSLRequest", Frontend.sslRequest())
                    .startup(Frontend.VERSION_3_0, RawClient.parameters("user", role, "database", "by_scram")));
            Message refused = client.readMessage();
            assertThat(refused.field('M')).isEqualTo("received unencrypted data after SSL request");
            assertThat(client.readMessage().isClosed()).isTrue();
        }
    }

    @Test
    void aNewCertificateServesNewConnections() throws IOException, SSLPeerUnverifiedException {
        Issued before = copied("before");
        String settings = clientTls("require", before);
        try (TestProxy proxy = TestProxy.start(server(), settings);
                RawClient old = proxy.connect()) {
            assertThat(served(old)).isEqualTo("CN=before");
            Issued after = CERTIFICATES.issue("after", "ip:127.0.0.1");
            Files.copy(after.certificate(), before.certificate(), StandardCopyOption.REPLACE_EXISTING);
            Files.copy(after.key(), before.key(), StandardCopyOption.REPLACE_EXISTING);
            proxy.reload(settings);
            try (RawClient fresh = proxy.connect()) {
                assertThat(served(fresh)).isEqualTo("CN=after");
            }
            assertThat(old.query("SELECT 1").readUntilReady().getLast().isReady())
                    .isTrue();
            Files.writeString(before.key(), "rubbish");
            assertThatThrownBy(() -> proxy.reload(settings)).isNotNull();
            try (RawClient still = proxy.connect()) {
                assertThat(served(still)).isEqualTo("CN=after");
            }
        }
    }

    private Issued copied(String name) throws IOException {
        Issued made = CERTIFICATES.issue(name, "ip:127.0.0.1");
        return new Issued(
                made.alias(),
                Files.copy(made.certificate(), directory.resolve("proxy.crt")),
                Files.copy(made.key(), directory.resolve("proxy.key")));
    }

    /** Logs in, bound to the channel, so that the certificate is the one the proxy believes it has. */
    private static String served(RawClient client) throws SSLPeerUnverifiedException {
        assertThat(client.sslRequest()).isEqualTo('S');
        client.startTls(TrustingTls.context());
        assertThat(client.login(role, "secret", "by_scram").getLast().isReady()).isTrue();
        SSLSession session = Objects.requireNonNull(client.tlsSession());
        return ((X509Certificate) session.getPeerCertificates()[0])
                .getSubjectX500Principal()
                .getName();
    }

    // ---- servers

    @ParameterizedTest
    @CsvSource({
        "disable, by_scram, plain", "disable, only_plain, plain", "disable, only_tls, none",
        "allow, by_scram, plain", "allow, only_plain, plain", "allow, only_tls, tls",
        "prefer, by_scram, tls", "prefer, only_plain, plain", "prefer, only_tls, tls",
        "require, by_scram, tls", "require, only_plain, none", "require, only_tls, tls",
        "verify-ca, by_scram, tls", "verify-full, by_scram, tls", "verify-full, only_plain, none",
    })
    void eachModeOfTheProxyMeetsEachRuleOfTheServer(String mode, String database, String outcome) {
        String settings = user(role, stored(server(), role)) + "server_tls_sslmode = " + mode
                + "\nserver_tls_ca_file = \"" + CERTIFICATES.authority() + "\"\n";
        try (TestProxy proxy = TestProxy.start(server(), settings)) {
            if (outcome.equals("none")) {
                Message refused = proxy.attempt(role, "secret", database);
                assertThat(refused.field('C')).isEqualTo("28000");
                assertThat(refused.field('M')).startsWith("no pg_hba.conf entry for host");
                return;
            }
            String ssl = proxy.as(role, "secret", database)
                    .run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                    .get(1)
                    .values()
                    .getFirst();
            assertThat(ssl).isEqualTo(outcome.equals("tls") ? "t" : "f");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "verify-full, localhost, right, No name matching localhost found|hostname|localhost",
        "verify-full, 127.0.0.1, right, ''",
        "verify-ca, localhost, right, ''",
        "verify-ca, 127.0.0.1, wrong, certification path|Signature does not match",
        "verify-full, 127.0.0.1, wrong, certification path|Signature does not match",
        "require, localhost, wrong, ''",
    })
    void theServersCertificateIsVerified(String mode, String host, String authority, String refusal) {
        Path ca = authority.equals("right") ? CERTIFICATES.authority() : new TestCertificates().authority();
        String settings = user(role, stored(server(), role)) + "server_tls_sslmode = " + mode
                + "\nserver_tls_ca_file = \"" + ca + "\"\ndatabases { by_scram { primary = \"" + host + ":"
                + server().port() + "\" } }\n";
        try (TestProxy proxy = TestProxy.start(server(), settings)) {
            Message end = proxy.attempt(role, "secret", "by_scram");
            if (refusal.isEmpty()) {
                assertThat(end.isReady()).as(end.toString()).isTrue();
            } else {
                assertThat(end.field('C')).startsWith("08");
                assertThat(end.field('M'))
                        .startsWith("TLS handshake with server failed: ")
                        .containsPattern(refusal);
            }
        }
    }

    @Test
    void aServerWithoutTlsIsUsedOnlyWhereThatIsAllowed() {
        EmbeddedPostgres plain = TestCluster.primary();
        String known = user("postgres", TestCluster.PASSWORD);
        for (String mode : new String[] {"allow", "prefer"}) {
            try (TestProxy proxy = TestProxy.start(plain, known + "server_tls_sslmode = " + mode + "\n")) {
                assertThat(proxy.attempt("postgres", TestCluster.PASSWORD, "postgres")
                                .isReady())
                        .isTrue();
            }
        }
        try (TestProxy proxy = TestProxy.start(plain, known + "server_tls_sslmode = require\n")) {
            assertThat(proxy.attempt("postgres", TestCluster.PASSWORD, "postgres")
                            .field('M'))
                    .startsWith("server does not support TLS");
        }
        assertThat(single(plain, "SHOW ssl")).isEqualTo("off");
    }

    @Test
    void bytesBehindTheServersYesEndTheConnection() throws IOException {
        try (ServerSocket listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            ByteArrayOutputStream heard = new ByteArrayOutputStream();
            Thread.ofPlatform().daemon().start(() -> sayTooMuch(listener, heard));
            String settings =
                    user(role, "secret") + "server_tls_sslmode = require\ndatabases { x { primary = \"127.0.0.1:"
                            + listener.getLocalPort() + "\" } }\n";
            try (TestProxy proxy = TestProxy.start(server(), settings)) {
                assertThat(proxy.attempt(role, "secret", "x").field('M'))
                        .startsWith("received unencrypted data after SSL response");
            }
            assertThat(heard.toString(StandardCharsets.ISO_8859_1)).doesNotContain(role);
        }
    }

    /** Answers every SSLRequest with yes and an error in clear text in one packet. */
    private static void sayTooMuch(ServerSocket listener, ByteArrayOutputStream heard) {
        while (true) {
            try (Socket socket = listener.accept();
                    InputStream in = socket.getInputStream()) {
                heard.writeBytes(in.readNBytes(8));
                socket.getOutputStream().write("SE\0\0\0\5\0".getBytes(StandardCharsets.ISO_8859_1));
                heard.writeBytes(in.readAllBytes());
            } catch (IOException e) {
                if (listener.isClosed()) {
                    return;
                }
            }
        }
    }
}
