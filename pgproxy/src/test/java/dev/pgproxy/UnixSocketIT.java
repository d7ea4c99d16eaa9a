package dev.pgproxy;

import static dev.pgproxy.testing.TestProxy.user;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.SecurePostgres;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Unix sockets for clients and towards servers, over each transport that has them. */
@EnabledOnOs(OS.LINUX)
final class UnixSocketIT {
    private static final String KNOWN = user("postgres", TestCluster.PASSWORD);

    @TempDir
    private Path directory;

    private static EmbeddedPostgres server() {
        return SecurePostgres.shared();
    }

    private RawClient connect(int port) {
        return RawClient.connect(UnixDomainSocketAddress.of(directory.resolve(".s.PGSQL." + port)));
    }

    private String settings(String transport) {
        return KNOWN + "transport = " + transport + "\nunix_socket_dir = \"" + directory
                + "\"\nunix_socket_mode = 0770\nlisten_addr = []\nlisten_port = 6432\ndatabases { \"*\" { primary = \""
                + server().dataDirectory() + ":" + server().port() + "\" } }\n";
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "io_uring"})
    void clientsAndServersAreReachedByUnixSockets(String transport) throws IOException {
        Path socket = directory.resolve(".s.PGSQL.6432");
        try (TestProxy proxy = TestProxy.start(server(), settings(transport));
                RawClient client = connect(6432)) {
            assertThat(proxy.proxy().port()).isEqualTo(-1);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                    .isEqualTo("rwxrwx---");
            assertThat(client.sslRequest()).isEqualTo('N');
            assertThat(client.login("postgres", TestCluster.PASSWORD, "postgres")
                            .getLast()
                            .isReady())
                    .isTrue();
            assertThat(client.query("SELECT inet_client_addr() IS NULL")
                            .readUntilReady()
                            .get(1)
                            .values())
                    .isEqualTo(List.of("t"));
        }
        assertThat(socket).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "io_uring"})
    void thePeerIsTheAccountOfItsProcess(String transport) throws IOException {
        Path rules = Files.writeString(directory.resolve("hba.conf"), "local all all peer\n");
        String account = System.getProperty("user.name");
        try (TestProxy proxy = TestProxy.start(
                        server(), settings(transport) + "auth_type = hba\nauth_hba_file = \"" + rules + "\"\n");
                RawClient own = connect(6432);
                RawClient other = connect(6432)) {
            assertThat(proxy.proxy().port()).isEqualTo(-1);
            // the account is no role of the server, but it is let in by the proxy
            assertThat(own.login(account, "", "pgproxy").getLast().toString()).contains("not allowed");
            assertThat(other.login("postgres", "", "postgres").getLast().field('M'))
                    .isEqualTo("Peer authentication failed for user \"postgres\"");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epoll", "io_uring"})
    void aSecondProcessDoesNotTakeTheSocketOfOneThatListens(String transport) throws IOException {
        try (TestProxy proxy = TestProxy.start(server(), settings(transport))) {
            assertThatThrownBy(
                            () -> TestProxy.start(server(), settings(transport)).close())
                    .hasMessageContaining(".s.PGSQL.6432: another process does; stop it, or set another");
            try (RawClient client = connect(6432)) {
                assertThat(client.login("postgres", TestCluster.PASSWORD, "postgres")
                                .getLast()
                                .isReady())
                        .isTrue();
            }
            assertThat(proxy.proxy().port()).isEqualTo(-1);
        }
        // what one leaves that was killed is in nobody's way
        Path socket = directory.resolve(".s.PGSQL.6432");
        try (ServerSocketChannel killed = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            killed.bind(UnixDomainSocketAddress.of(socket));
        }
        assertThat(socket).exists();
        TestProxy.start(server(), settings(transport)).close();
    }

    @Test
    void withoutThemTheStartSaysWhatIsNeeded() {
        try (TestProxy proxy = TestProxy.start(
                server(),
                KNOWN + "transport = nio\ndatabases { \"*\" { primary = \"" + server().dataDirectory() + ":"
                        + server().port() + "\" } }\n")) {
            assertThat(proxy.attempt("postgres", TestCluster.PASSWORD, "postgres")
                            .field('M'))
                    .contains("unix sockets need transport = epoll or io_uring");
        }
    }
}
