package dev.pgproxy.patroni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.pgproxy.testing.TestCertificates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Answers over HTTP, good and bad ones: none takes long, or much. */
@Timeout(60)
final class PatroniApiTest {
    private static final String GOOD = "{\"members\": [{\"name\": \"a\", \"role\": \"leader\", \"host\": \"h\"}]}";

    private final List<HttpServer> servers = new ArrayList<>();
    private final CountDownLatch over = new CountDownLatch(1);
    private final ConcurrentLinkedQueue<String> asked = new ConcurrentLinkedQueue<>();

    /** What a member does when it is asked. */
    private interface Answer {
        void to(HttpExchange exchange) throws Exception;
    }

    private URI serve(String name, Answer answer) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> {
            asked.add(name + " " + exchange.getRequestURI());
            try (exchange) {
                answer.to(exchange);
            } catch (Exception e) {
                throw new IOException(e); // the client has left
            }
        });
        server.start();
        servers.add(server);
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private static Answer text(int status, String body) {
        return exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        };
    }

    @AfterEach
    void end() {
        over.countDown();
        servers.forEach(server -> server.stop(0));
    }

    @Test
    void anyMemberWillDoAndWhoAnsweredIsAskedFirst() throws Exception {
        int nobody;
        try (ServerSocket free = new ServerSocket(0)) {
            nobody = free.getLocalPort();
        }
        URI none = URI.create("http://127.0.0.1:" + nobody);
        URI broken = serve("broken", text(503, GOOD));
        URI good = serve("good", text(200, GOOD));
        try (PatroniApi api = new PatroniApi(List.of(none, broken, good), null)) {
            PatroniApi.Told told = api.ask();
            assertThat(told.by()).isEqualTo(good);
            assertThat(told.members()).hasSize(1);
            api.ask();
            assertThat(asked).containsExactly("broken /cluster", "good /cluster", "good /cluster");
        }
    }

    @Test
    void whyEachDoesNotAnswerIsSaid() throws Exception {
        URI broken = serve("broken", text(503, "no DCS"));
        URI other = serve("other", text(200, "hello"));
        try (PatroniApi api = new PatroniApi(List.of(broken, other), null)) {
            assertThatThrownBy(api::ask)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith(
                            broken + " answers with status 503; " + other + " is not what Patroni answers");
        }
    }

    @Test
    void neitherSilenceNorDripsNorFloodsHoldItUp() throws Exception {
        URI silent = serve("silent", exchange -> over.await());
        URI dripping = serve("dripping", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            do {
                exchange.getResponseBody().write(' ');
                exchange.getResponseBody().flush();
            } while (!over.await(50, TimeUnit.MILLISECONDS));
        });
        byte[] spaces = new byte[1 << 16];
        Arrays.fill(spaces, (byte) ' ');
        URI flooding = serve("flooding", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            while (over.getCount() > 0) {
                exchange.getResponseBody().write(spaces);
            }
        });
        URI good = serve("good", text(200, GOOD));
        try (PatroniApi api = new PatroniApi(List.of(silent, dripping, flooding), null)) {
            long begun = System.nanoTime();
            assertThatThrownBy(api::ask)
                    .hasMessage(silent + " does not answer within 2 s; " + dripping + " does not answer within 2 s; "
                            + flooding + " answers more than 262144 bytes");
            assertThat(System.nanoTime() - begun).isLessThan(20_000_000_000L);
        }
        try (PatroniApi api = new PatroniApi(List.of(flooding, good), null)) {
            assertThat(api.ask().by()).isEqualTo(good);
        }
    }

    @Test
    void httpsIsTrustedByTheFileOfAuthorities() throws Exception {
        TestCertificates certificates = TestCertificates.shared();
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(
                new HttpsConfigurator(certificates.client(certificates.issue("member", "ip:127.0.0.1"))));
        server.createContext("/cluster", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, GOOD.length());
                exchange.getResponseBody().write(GOOD.getBytes(StandardCharsets.UTF_8));
            }
        });
        server.start();
        servers.add(server);
        URI address = URI.create("https://127.0.0.1:" + server.getAddress().getPort());
        try (PatroniApi api = new PatroniApi(List.of(address), certificates.authority())) {
            assertThat(api.ask().members()).hasSize(1);
        }
        try (PatroniApi api = new PatroniApi(List.of(address), null)) {
            assertThatThrownBy(api::ask).hasMessageContaining("PKIX");
        }
        Path missing = certificates.authority().resolveSibling("missing.crt");
        try (PatroniApi api = new PatroniApi(List.of(address), missing)) {
            assertThatThrownBy(api::ask).hasMessageContaining("missing.crt");
        }
    }
}
