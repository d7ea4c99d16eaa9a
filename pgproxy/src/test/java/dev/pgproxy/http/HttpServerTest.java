package dev.pgproxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.client.Console;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.net.ClientTls;
import dev.pgproxy.route.Breakers;
import dev.pgproxy.route.Primaries;
import dev.pgproxy.route.Routes;
import dev.pgproxy.testing.Browser;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The server itself, before a proxy that has no databases to show: who is answered what, and who is not. */
final class HttpServerTest {
    private static final HttpLimits SHORT = new HttpLimits(
            Duration.ofMillis(300),
            Duration.ofSeconds(10),
            Duration.ofSeconds(10),
            Duration.ofMillis(600),
            3,
            1,
            Duration.ofSeconds(1));
    private static final String LIVE = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n";

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    private HttpServer server(String settings, HttpLimits limits) throws ConfigProblems, IOException {
        ProxyConfig config =
                ConfigLoader.parse("databases { \"*\" { primary = \"127.0.0.1:1\" } }\nhttp_port = 0\n" + settings);
        Breakers breakers = new Breakers(config.breakers());
        Routes routes = new Routes(config, null, 1, new Primaries(), breakers);
        open.add(routes);
        ClientTls tls = ClientTls.of(config.clientTls());
        Endpoints endpoints = new Endpoints(
                () -> Console.NONE, new Health(() -> config, routes, breakers, () -> false, List.of(Runnable::run)));
        HttpServer server = HttpServer.start(config.http(), () -> tls, endpoints, limits);
        open.add(server);
        return server;
    }

    private Browser browser(String settings) throws ConfigProblems, IOException {
        return new Browser(server(settings, HttpLimits.USUAL).port());
    }

    private static String status(String answer) {
        return answer.lines().findFirst().orElse("");
    }

    @Test
    void onlyGetAndHeadAreAnswered() throws Exception {
        Browser browser = browser("");
        URI live = URI.create("http://127.0.0.1:" + browser.port() + "/health/live");
        HttpResponse<String> head =
                browser.send(HttpRequest.newBuilder(live).HEAD().build());
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
        assertThat(head.headers().firstValue("Content-Length")).hasValue("5");
        for (String method : List.of("DELETE", "OPTIONS", "TRACE2")) {
            HttpResponse<String> refused = browser.send(HttpRequest.newBuilder(live)
                    .method(method, HttpRequest.BodyPublishers.noBody())
                    .build());
            assertThat(refused.statusCode()).isEqualTo(405);
            assertThat(refused.headers().firstValue("Allow")).hasValue("GET, HEAD");
            assertThat(Browser.json(refused).getString("all.error")).isEqualTo("only GET and HEAD are answered");
        }
        assertThat(browser.status("/health/live")).isEqualTo(200);
    }

    @Test
    void whatIsNotThereIsToldWithWhatIs() throws Exception {
        Browser browser = browser("");
        for (String path : List.of(
                "/page",
                "/page.css/",
                "/metrics/",
                "/api/",
                "/api/nothing",
                "/api/help",
                "/health",
                "/../etc/passwd")) {
            HttpResponse<String> answer = browser.get(path);
            assertThat(answer.statusCode()).as(path).isEqualTo(404);
            assertThat(Browser.json(answer).getStringList("all.paths"))
                    .contains("/", "/metrics", "/health/ready", "/api");
        }
        assertThat(browser.status("/health/live?x=1")).isEqualTo(200);
    }

    @Test
    void badRequestsAreRefusedAndTheConnectionEnds() throws Exception {
        Browser browser = browser("");
        assertThat(status(browser.raw("what is this\r\n\r\n"))).isEqualTo("HTTP/1.1 400 Bad Request");
        assertThat(status(browser.raw("GET /" + "a".repeat(5000) + " HTTP/1.1\r\n\r\n")))
                .isEqualTo("HTTP/1.1 414 Request-URI Too Long");
        assertThat(status(browser.raw(LIVE + "X: " + "b".repeat(9000) + "\r\n\r\n")))
                .isEqualTo("HTTP/1.1 431 Request Header Fields Too Large");
        assertThat(status(browser.raw(LIVE + "Content-Length: 3\r\n\r\nabc")))
                .isEqualTo("HTTP/1.1 413 Request Entity Too Large");
        assertThat(status(browser.raw(LIVE + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")))
                .isEqualTo("HTTP/1.1 413 Request Entity Too Large");
        assertThat(browser.status("/health/live")).isEqualTo(200);
    }

    @Test
    void requestsThatComeTogetherAreAnsweredInTheirOrder() throws Exception {
        String answers = browser("")
                .raw(LIVE + "\r\n" + "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" + LIVE
                        + "Connection: close\r\n\r\n");
        assertThat(answers.lines().filter(line -> line.contains("HTTP/1.1")))
                .containsExactly("HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK");
    }

    @Test
    void whoSaysNothingOrIsSlowIsSentAway() throws Exception {
        Browser browser = new Browser(server("", SHORT).port());
        try (Socket silent = browser.connect();
                Socket slow = browser.connect()) {
            slow.getOutputStream().write("GET /health".getBytes(StandardCharsets.US_ASCII));
            assertThat(Browser.rest(silent)).isEmpty();
            assertThat(Browser.rest(slow)).isEmpty();
        }
        try (Socket kept = browser.connect()) {
            kept.getOutputStream().write((LIVE + "\r\n").getBytes(StandardCharsets.US_ASCII));
            assertThat(status(Browser.rest(kept))).isEqualTo("HTTP/1.1 200 OK"); // and ends when it has been idle
        }
    }

    @Test
    void aRequestAfterAnotherMayNotDribbleEither() throws Exception {
        HttpLimits limits = new HttpLimits(
                Duration.ofMillis(300),
                Duration.ofSeconds(10),
                Duration.ofSeconds(10),
                Duration.ofMinutes(5),
                3,
                1,
                Duration.ofSeconds(1));
        Browser browser = new Browser(server("", limits).port());
        try (Socket slow = browser.connect()) {
            slow.getOutputStream().write((LIVE + "\r\n").getBytes(StandardCharsets.US_ASCII));
            assertThat(slow.getInputStream().read()).isEqualTo('H');
            slow.getOutputStream().write("GET /health".getBytes(StandardCharsets.US_ASCII));
            assertThat(Browser.rest(slow)).contains("200 OK");
        }
    }

    @Test
    void oneConnectionTooManyClosesTheOneThatHasWaitedLongest() throws Exception {
        HttpLimits limits = new HttpLimits(
                Duration.ofMinutes(5),
                Duration.ofSeconds(10),
                Duration.ofSeconds(10),
                Duration.ofMinutes(5),
                3,
                1,
                Duration.ofSeconds(1));
        Browser browser = new Browser(server("", limits).port());
        try (Socket first = browser.connect();
                Socket second = browser.connect();
                Socket third = browser.connect();
                Socket fourth = browser.connect()) {
            assertThat(Browser.rest(first)).isEmpty();
            for (Socket other : List.of(second, third, fourth)) {
                other.getOutputStream().write((LIVE + "\r\n").getBytes(StandardCharsets.US_ASCII));
                assertThat(other.getInputStream().read()).isEqualTo('H');
            }
        }
    }

    @Test
    void onlyProbesAreAnsweredToWhoDoesNotProveWhoHeIs() throws Exception {
        String secrets = "http_user = probe\nhttp_password = \"pass:word\"\nhttp_token = 0123456789abcdef\n";
        Browser browser = browser(secrets);
        HttpResponse<String> refused = browser.get("/health/db");
        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(refused.headers().allValues("WWW-Authenticate"))
                .containsExactly("Basic realm=\"pgproxy\", charset=\"UTF-8\"", "Bearer realm=\"pgproxy\"");
        assertThat(refused.body()).doesNotContain("probe", "word", "0123456789abcdef");
        for (String wrong : List.of(
                Browser.basic("probe", "pass"),
                Browser.basic("prob", "epass:word"),
                "Bearer 0123456789abcde",
                "Bearer",
                "Basic",
                "0123456789abcdef",
                "Basic 0123456789abcdef")) {
            assertThat(browser.status("/health/db", "Authorization", wrong))
                    .as(wrong)
                    .isEqualTo(401);
            assertThat(browser.status("/api/config", "Authorization", wrong)).isEqualTo(401);
        }
        for (String right :
                List.of(Browser.basic("probe", "pass:word"), "Bearer 0123456789abcdef", "bearer  0123456789abcdef ")) {
            assertThat(browser.status("/health/db", "Authorization", right))
                    .as(right)
                    .isEqualTo(200);
        }
        assertThat(browser.status("/health/live")).isEqualTo(200);
        assertThat(browser.status("/health/ready")).isEqualTo(200);
        assertThat(browser.status("/health/live/")).isEqualTo(401);
    }

    @Test
    void aPageOfSomebodyElseCannotAskByANameThatItHasPointedHere() throws Exception {
        Browser open = browser("");
        String request = "GET /health/live HTTP/1.1\r\nConnection: close\r\nHost: ";
        for (String host : List.of("evil.example", "evil.example:9127", "127.0.0.1.evil.example", "")) {
            assertThat(status(open.raw(request + host + "\r\n\r\n"))).as(host).contains(" 421 ");
        }
        for (String host : List.of("localhost", "LOCALHOST:9127", "127.0.0.1:1", "[::1]:9127", "10.0.0.1")) {
            assertThat(status(open.raw(request + host + "\r\n\r\n"))).as(host).contains(" 200 ");
        }
        Browser closed = browser("http_token = 0123456789abcdef\n");
        assertThat(status(closed.raw(request + "proxy.example\r\n\r\n"))).contains(" 200 ");
    }

    @Test
    void anAddressThatSomebodyElseHasIsTakenWhenHeLeavesIt() throws Exception {
        HttpServer server;
        int port;
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = other.getLocalPort();
            server = server("http_port = " + port, HttpLimits.USUAL);
            assertThat(server.port()).isEqualTo(-1);
        }
        await().until(() -> server.port() == port);
        assertThat(new Browser(port).status("/health/live")).isEqualTo(200);
    }

    @Test
    void withoutAnAddressNothingIsListenedOn() throws Exception {
        assertThat(server("http_addr = []", HttpLimits.USUAL).port()).isEqualTo(-1);
    }
}
