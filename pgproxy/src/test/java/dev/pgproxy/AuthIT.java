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
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import dev.pgproxy.testing.TrustingTls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients prove who they are in every way there is, and the proxy does towards servers, without knowing passwords. */
final class AuthIT {
    private static final String TLS = tls();

    @TempDir
    private Path directory;

    private static EmbeddedPostgres server() {
        return SecurePostgres.shared();
    }

    private static String role(String options) {
        return TestCluster.freshRole(server(), "secret", options);
    }

    private static String tls() {
        TestCertificates.Issued own = TestCertificates.shared().issue("proxy", "dns:localhost,ip:127.0.0.1");
        return "client_tls_sslmode = allow\nclient_tls_cert_file = \"" + own.certificate()
                + "\"\nclient_tls_key_file = \"" + own.key() + "\"\nclient_tls_ca_file = \""
                + TestCertificates.shared().authority() + "\"\n";
    }

    private String file(String name, String text) throws IOException {
        return "\"" + Files.writeString(directory.resolve(name), text) + "\"\n";
    }

    private static void assertServes(TestProxy proxy, String user, String password, String database) {
        assertThat(Message.rows(proxy.as(user, password, database).run("SELECT current_user, current_database()")))
                .containsExactly(List.of(user, database));
    }

    // ---- SCRAM

    @Test
    void aVerifierIsEnoughForClientAndServer() {
        String role = role("");
        try (TestProxy proxy = TestProxy.start(server(), user(role, stored(server(), role)))) {
            assertServes(proxy, role, "secret", "by_scram");
        }
    }

    @Test
    void theKeysOfTheClientStopServingWhenTheServerGetsAnotherPassword() {
        String role = role("");
        String before = user(role, stored(server(), role));
        try (TestProxy proxy = TestProxy.start(server(), before)) {
            TestCluster.execute(server(), "ALTER ROLE " + role + " PASSWORD 'other'");
            Message refused = proxy.attempt(role, "secret", "by_scram");
            assertThat(refused.type()).isEqualTo('E');
            assertThat(refused.field('C')).isEqualTo("28P01");
            proxy.reload(user(role, stored(server(), role)) + "server_login_retry = 0\n");
            assertServes(proxy, role, "other", "by_scram");
        }
    }

    @Test
    void passwordsOfTheConfigurationServeEveryMethodOfTheServer() {
        String role = role("");
        try (TestProxy proxy = TestProxy.start(server(), user(role, "secret"))) {
            for (String database : List.of("by_scram", "by_md5", "by_password", "by_trust", "only_tls", "only_plain")) {
                assertServes(proxy, role, "secret", database);
            }
        }
    }

    @Test
    void theExchangeIsBoundToTheChannel() throws SQLException {
        String role = role("");
        try (TestProxy proxy = TestProxy.start(server(), TLS + user(role, stored(server(), role)))) {
            try (RawClient client = proxy.connect()) {
                assertThat(client.sslRequest()).isEqualTo('S');
                client.startTls(TrustingTls.context());
                List<Message> login = client.login(role, "secret", "by_scram");
                assertThat(login.getFirst().toString()).contains("SCRAM-SHA-256-PLUS");
                assertThat(login.getLast().isReady()).isTrue();
            }
            Properties properties = new Properties();
            properties.setProperty("user", role);
            properties.setProperty("password", "secret");
            properties.setProperty("sslmode", "verify-full");
            properties.setProperty(
                    "sslrootcert", TestCertificates.shared().authority().toString());
            properties.setProperty("channelBinding", "require");
            String url = "jdbc:postgresql://localhost:" + proxy.proxy().port() + "/by_scram";
            try (Connection connection = DriverManager.getConnection(url, properties);
                    Statement statement = connection.createStatement();
                    ResultSet result =
                            statement.executeQuery("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")) {
                result.next();
                assertThat(result.getBoolean(1)).isTrue();
            }
        }
    }

    // ---- md5, clear text, trust

    @Test
    void anMd5HashIsEnoughForClientAndServer() {
        String role = TestCluster.freshRole(server(), "unused", "");
        TestCluster.execute(server(), "SET password_encryption = md5; ALTER ROLE " + role + " PASSWORD 'secret'");
        String hash = stored(server(), role);
        assertThat(hash).startsWith("md5");
        try (TestProxy proxy = TestProxy.start(server(), "auth_type = md5\n" + user(role, hash))) {
            assertServes(proxy, role, "secret", "by_md5");
            assertSameErrors(proxy, role, "by_md5");
        }
    }

    @Test
    void aPasswordInClearTextServesEveryMethodOfTheServer() {
        String role = role("");
        String settings = "auth_type = plain\n" + user(role, stored(server(), role));
        for (String database : List.of("by_password", "by_md5", "by_scram")) {
            try (TestProxy proxy = TestProxy.start(server(), settings)) {
                assertServes(proxy, role, "secret", database);
                assertSameErrors(proxy, role, database);
            }
        }
    }

    private static void assertSameErrors(TestProxy proxy, String role, String database) {
        Message direct;
        try (RawClient client = RawClient.connect(server().host(), server().port())) {
            direct = client.login(role, "wrong", database).getLast();
        }
        Message proxied = proxy.attempt(role, "wrong", database);
        assertThat(proxied.field('C')).isEqualTo(direct.field('C')).isEqualTo("28P01");
        assertThat(proxied.field('M')).isEqualTo(direct.field('M'));
    }

    @Test
    void underTrustNobodyIsAsked() {
        String role = role("");
        try (TestProxy proxy = TestProxy.start(server(), "auth_type = trust\n")) {
            assertServes(proxy, role, "any", "by_trust");
            Message refused = proxy.attempt(role, "any", "by_scram");
            assertThat(refused.field('M')).contains("no password is known for user \"" + role + "\"");
        }
    }

    // ---- certificates

    @Test
    void aCertificateIsTheUserOfItsCommonName() {
        String role = role("");
        TestCertificates certificates = TestCertificates.shared();
        SSLContext own = certificates.client(certificates.issue(role, ""));
        SSLContext others = certificates.client(certificates.issue("somebody", ""));
        try (TestProxy proxy =
                TestProxy.start(server(), TLS + "client_tls_sslmode = verify-full\nauth_type = cert\n")) {
            assertThat(overTls(proxy, own, role).isReady()).isTrue();
            Message refused = overTls(proxy, others, role);
            assertThat(refused.field('C')).isEqualTo("28000");
            assertThat(refused.field('M')).isEqualTo("certificate authentication failed for user \"" + role + "\"");
            // TLS 1.3: the client has finished its side of the handshake when it is refused
            assertThat(overTls(proxy, certificates.client(null), role).isClosed())
                    .isTrue();
        }
    }

    private static Message overTls(TestProxy proxy, SSLContext context, String role) {
        try (RawClient client = proxy.connect()) {
            assertThat(client.sslRequest()).isEqualTo('S');
            client.startTls(context);
            return client.login(role, "", "by_trust").getLast();
        }
    }

    @Test
    void theProxyShowsItsOwnCertificateToServers() {
        String role = role("");
        TestCertificates.Issued own = TestCertificates.shared().issue(role, "");
        String settings = "auth_type = trust\nserver_tls_sslmode = require\nserver_tls_cert_file = \""
                + own.certificate() + "\"\nserver_tls_key_file = \"" + own.key() + "\"\n";
        try (TestProxy proxy = TestProxy.start(server(), settings)) {
            assertServes(proxy, role, "", "by_cert");
        }
    }

    // ---- rules

    @Test
    void aRuleMayAskForACertificateToo() throws IOException {
        String role = role("");
        TestCertificates certificates = TestCertificates.shared();
        String rules = file("hba.conf", "hostssl all all all trust clientcert=verify-full\n");
        try (TestProxy proxy = TestProxy.start(server(), TLS + "auth_type = hba\nauth_hba_file = " + rules)) {
            assertThat(overTls(proxy, certificates.client(certificates.issue(role, "")), role)
                            .isReady())
                    .isTrue();
            assertThat(overTls(proxy, certificates.client(certificates.issue("somebody", "")), role)
                            .field('M'))
                    .isEqualTo("certificate authentication failed for user \"" + role + "\"");
            assertThat(overTls(proxy, certificates.client(null), role).field('M'))
                    .isEqualTo("connection requires a valid client certificate");
        }
    }

    @Test
    void rulesChooseByAddressUserDatabaseAndEncryption() throws IOException {
        String role = role("");
        String other = role("");
        String rules = file(
                "hba.conf",
                "host by_trust " + role + " 127.0.0.1/32 trust\n"
                        + "hostssl by_scram all all trust\n"
                        + "hostnossl by_scram all all reject\n"
                        + "host by_md5 all 10.0.0.0/8 trust\n"
                        + "host all " + other + " all password\n");
        String settings = TLS + "auth_type = hba\nauth_hba_file = " + rules + "users { " + role
                + " { password = secret }, " + other + " { password = secret } }\n";
        try (TestProxy proxy = TestProxy.start(server(), settings)) {
            assertThat(begins(proxy, role, "by_trust")).isEqualTo("AuthenticationOk");
            assertThat(begins(proxy, other, "by_trust")).isEqualTo("AuthenticationCleartextPassword");
            assertThat(begins(proxy, role, "by_scram"))
                    .contains(
                            "28000",
                            "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"" + role
                                    + "\", database \"by_scram\", no encryption");
            assertThat(begins(proxy, role, "by_md5"))
                    .contains(
                            "28000",
                            "no pg_hba.conf entry for host \"127.0.0.1\", user \"" + role
                                    + "\", database \"by_md5\", no encryption");
            try (RawClient client = proxy.connect()) {
                client.sslRequest();
                client.startTls(TrustingTls.context());
                assertThat(client.login(role, "", "by_scram").getLast().isReady())
                        .isTrue();
            }
        }
    }

    private static String begins(TestProxy proxy, String user, String database) {
        try (RawClient client = proxy.connect()) {
            client.startup(Frontend.VERSION_3_0, RawClient.parameters("user", user, "database", database));
            return client.readMessage().toString();
        }
    }

    // ---- refusals

    @Test
    void strangersAndWrongPasswordsAreRefusedAsByPostgres() {
        String role = role("");
        try (TestProxy proxy = TestProxy.start(server(), user(role, stored(server(), role)))) {
            assertSameShape(proxy, role, "wrong");
            assertSameShape(proxy, "nobody_of_that_name", "wrong");
            assertSameShape(proxy, role, "");
        }
    }

    /** Salts differ; nothing else may. */
    private static void assertSameShape(TestProxy proxy, String user, String password) {
        List<Message> direct;
        try (RawClient client = RawClient.connect(server().host(), server().port())) {
            direct = client.login(user, password, "by_scram");
        }
        try (RawClient client = proxy.connect()) {
            List<Message> proxied = client.login(user, password, "by_scram");
            assertThat(Message.types(proxied)).isEqualTo(Message.types(direct));
            for (char field : new char[] {'S', 'V', 'C', 'M', 'D', 'H'}) {
                assertThat(proxied.getLast().field(field))
                        .isEqualTo(direct.getLast().field(field));
            }
            assertThat(client.readMessage().isClosed()).isTrue();
        }
    }

    @Test
    void theUserListIsReadAndReadAgain() throws IOException {
        String role = role("");
        String list = file("userlist.txt", "\"" + role + "\" \"" + stored(server(), role) + "\"\n");
        try (TestProxy proxy = TestProxy.start(server(), "auth_file = " + list)) {
            assertServes(proxy, role, "secret", "by_scram");
            file("userlist.txt", "; nobody\n");
            proxy.reload("auth_file = " + list);
            assertThat(proxy.attempt(role, "secret", "by_scram").field('C')).isEqualTo("28P01");
            file("userlist.txt", "no quotes\n");
            assertThatThrownBy(() -> proxy.reload("auth_file = " + list)).hasMessageContaining("userlist.txt");
        }
    }

    @Test
    void allClientsMayBeOneUserOnTheServers() {
        String role = role("");
        String one = role("");
        String settings = "databases { by_scram { primary = \"" + server().host() + ":"
                + server().port() + "\", user = " + one + " } }\nusers { " + role + " { password = mine }, " + one
                + " { password = secret } }\n";
        try (TestProxy proxy = TestProxy.start(server(), settings)) {
            assertThat(proxy.as(role, "mine", "by_scram")
                            .run("SELECT current_user")
                            .get(1)
                            .values())
                    .containsExactly(one);
        }
        assertThat(single(server(), "SELECT 1")).isEqualTo("1");
    }
}
