package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.console.ShutdownMode;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Sockets that are open before pgproxy starts, as systemd hands them over: without O_NONBLOCK. */
@EnabledOnOs(OS.LINUX)
final class ActivationIT {
    /** The JDK would close descriptors of channels that nobody refers to, and the proxy has closed these already. */
    private static final List<ServerSocketChannel> KEPT = new ArrayList<>();

    @TempDir
    private Path directory;

    private static ServerSocketChannel open(SocketAddress address) throws IOException {
        ServerSocketChannel channel = address instanceof UnixDomainSocketAddress
                ? ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                : ServerSocketChannel.open(StandardProtocolFamily.INET);
        channel.bind(address);
        KEPT.add(channel);
        return channel;
    }

    /** The descriptor of a socket, by its number in a table of the kernel. */
    private static int descriptor(String table, String line, int column) throws IOException {
        String inode = Files.readAllLines(Path.of("/proc/self/net", table)).stream()
                .filter(text -> text.contains(line))
                .map(text -> text.strip().split("\\s+", -1)[column])
                .findFirst()
                .orElseThrow();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors
                    .filter(link -> leadsTo(link, "socket:[" + inode + "]"))
                    .map(link -> Integer.parseInt(link.getFileName().toString()))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static boolean leadsTo(Path link, String target) {
        try {
            return Files.readSymbolicLink(link).toString().equals(target);
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }

    private static ProxyConfig config(String more) throws Exception {
        return ConfigLoader.parse(ProxyProcess.settings("threads = 1\n" + more));
    }

    private static int tcp(ServerSocketChannel channel) throws IOException {
        int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
        return descriptor("tcp", String.format("0100007F:%04X 00000000:0000 0A", port), 9);
    }

    @Test
    void aTcpSocketIsTakenOverAndNobodyWaitsForTheNextConnection() throws Exception {
        ServerSocketChannel socket = open(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        int port = ((InetSocketAddress) socket.getLocalAddress()).getPort();
        Endpoint endpoint =
                new Endpoint("127.0.0.1", port, TestCluster.freshDatabase(), "postgres", TestCluster.PASSWORD);
        try (RawClient early = endpoint.connect(); // before anybody accepts
                PgProxy proxy = start(config("listen_port = " + port), tcp(socket))) {
            assertThat(proxy.port()).isEqualTo(port);
            assertThat(early.login("postgres", TestCluster.PASSWORD, endpoint.database())
                            .getLast()
                            .isReady())
                    .isTrue();
            long begin = System.nanoTime();
            for (int i = 0; i < 20; i++) {
                endpoint.run("SELECT 1");
            }
            assertThat(System.nanoTime() - begin).isLessThan(10_000_000_000L);
        }
    }

    @Test
    void aUnixSocketIsTakenOverAndItsFileIsLeftToItsOwner() throws Exception {
        Path file = directory.resolve(".s.PGSQL.6432");
        open(UnixDomainSocketAddress.of(file));
        int descriptor = descriptor("unix", " " + file, 6);
        String settings = "listen_addr = []\nlisten_port = 6432\nunix_socket_dir = \"" + directory + "\"";
        try (PgProxy proxy = start(config(settings), descriptor)) {
            assertThat(proxy.port()).isEqualTo(-1);
            for (int i = 0; i < 3; i++) {
                try (RawClient client = RawClient.connect(UnixDomainSocketAddress.of(file))) {
                    assertThat(client.login("postgres", TestCluster.PASSWORD, "postgres")
                                    .getLast()
                                    .isReady())
                            .isTrue();
                }
            }
        }
        assertThat(file).exists();
    }

    @Test
    void whoWasAcceptedBeforeARestartIsLetIn() throws Exception {
        ServerSocketChannel socket = open(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        int port = ((InetSocketAddress) socket.getLocalAddress()).getPort();
        try (RawClient client = RawClient.connect("127.0.0.1", port)) {
            PgProxy proxy = start(config("listen_port = " + port), tcp(socket));
            assertThat(client.sslRequest()).isEqualTo('N');
            proxy.shutdown(ShutdownMode.WAIT_FOR_CLIENTS);
            assertThat(client.login("postgres", TestCluster.PASSWORD, "postgres")
                            .getLast()
                            .isReady())
                    .isTrue();
            assertThat(client.readUntilClosed().getFirst().field('C')).isEqualTo("57P01");
            proxy.stopped().toCompletableFuture().get(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void whatIsNotGivenIsBound() throws Exception {
        ServerSocketChannel socket = open(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        int port = ((InetSocketAddress) socket.getLocalAddress()).getPort();
        try (PgProxy proxy =
                start(config("listen_port = " + port + "\nunix_socket_dir = \"" + directory + "\""), tcp(socket))) {
            assertThat(proxy.port()).isEqualTo(port);
            assertThat(directory.resolve(".s.PGSQL." + port)).exists();
        }
        assertThat(directory.resolve(".s.PGSQL." + port)).doesNotExist();
    }

    @Test
    void whereTheConfigurationSaysAnotherAddressTheStartIsRefused() throws Exception {
        ServerSocketChannel socket = open(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        ProxyConfig config = config("listen_addr = []\nunix_socket_dir = \"" + directory + "\"");
        int descriptor = tcp(socket);
        assertThatThrownBy(() -> start(config, descriptor))
                .isInstanceOf(IOException.class)
                .hasMessage("LISTEN_FDS has [127.0.0.1:"
                        + ((InetSocketAddress) socket.getLocalAddress()).getPort()
                        + "], where listen_addr, listen_port and unix_socket_dir do not say to listen");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void nioAndWhatIsNoListeningSocketAreRefused() throws Exception {
        ProxyConfig nio = config("transport = nio");
        assertThatThrownBy(() -> start(nio, 3))
                .hasMessageContaining("transport = nio cannot take them over, epoll can");
        ProxyConfig epoll = config("");
        assertThatThrownBy(() -> start(epoll, 0)).hasMessageContaining("descriptor 0 is no socket");
        ProxyConfig both = config("handover_socket = \"" + directory.resolve("h.sock") + "\"");
        assertThatThrownBy(() -> start(both, 3)).hasMessageContaining("remove handover_socket");
    }

    private static PgProxy start(ProxyConfig config, int descriptor) throws IOException {
        return PgProxy.start(config, () -> config, List.of(descriptor));
    }
}
