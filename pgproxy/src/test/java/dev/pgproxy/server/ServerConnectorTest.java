package dev.pgproxy.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.config.RuntimeSettings;
import dev.pgproxy.config.TransportChoice;
import dev.pgproxy.net.HostNames;
import dev.pgproxy.net.ServerTls;
import dev.pgproxy.net.Transport;
import dev.pgproxy.protocol.backend.ErrorFields;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What clients are told of a server that is not there. */
final class ServerConnectorTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource(names = {"IO_URING", "EPOLL", "NIO"})
    void aRefusalIsToldInTheSystemsWords(TransportChoice choice) throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        assertThat(failure(choice, "127.0.0.1:" + port))
                .isEqualTo("could not connect to server 127.0.0.1:" + port + ": Connection refused");
    }

    @ParameterizedTest
    @EnumSource(names = {"IO_URING", "EPOLL"})
    void soIsAMissingSocket(TransportChoice choice) throws Exception {
        assertThat(failure(choice, directory + ":6000"))
                .startsWith("could not connect to server " + directory)
                .endsWith(": No such file or directory");
    }

    private static String failure(TransportChoice choice, String host) throws Exception {
        ProxyConfig config = ConfigLoader.parse("databases { \"*\" { primary = \"h\" } }");
        CompletableFuture<String> told = new CompletableFuture<>();
        try (Transport transport = new Transport(
                new RuntimeSettings(1, choice, null),
                config.listen(),
                Duration.ZERO,
                new HostNames(Runnable::run, Duration.ZERO))) {
            ServerTarget target = new ServerTarget(
                    HostAddress.parse(host),
                    "d",
                    "u",
                    Map.of(),
                    new Credentials(),
                    ServerTls.of(config.serverTls()),
                    Duration.ofSeconds(30));
            new ServerConnector(transport).connect(target, transport.loops().getFirst(), new LoginListener() {
                @Override
                public void connected(ServerConnection server) {
                    told.completeExceptionally(new AssertionError("connected"));
                }

                @Override
                public void failed(ErrorFields error) {
                    told.complete(error.message());
                }
            });
            return told.get(60, TimeUnit.SECONDS);
        }
    }
}
