package dev.pgproxy.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.pgproxy.client.Console;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.net.ClientTls;
import dev.pgproxy.protocol.backend.ColumnType;
import dev.pgproxy.route.Breakers;
import dev.pgproxy.route.Primaries;
import dev.pgproxy.route.Routes;
import dev.pgproxy.testing.Browser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Server-sent events over real sockets: who is told what, how many at once, and who is sent away. */
@Timeout(60)
final class LiveTest {
    private static final String REQUEST = "GET /api/live HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n";

    /** Tables of one column with so much text; counts how often they were shown. */
    private static final class Tables implements Console {
        private final AtomicInteger shown = new AtomicInteger();
        private final int rows;
        private final int length;
        private volatile boolean fails;

        Tables(int rows, int length) {
            this.rows = rows;
            this.length = length;
        }

        @Override
        public CompletionStage<List<ConsoleAnswer>> execute(String text, boolean admin) {
            if (fails) {
                return CompletableFuture.failedFuture(new IllegalStateException("no tables"));
            }
            String value = shown.incrementAndGet() + "x".repeat(length);
            List<ConsoleAnswer.Column> columns = List.of(new ConsoleAnswer.Column("version", ColumnType.TEXT));
            return CompletableFuture.completedFuture(Arrays.stream(text.split(";", -1))
                    .<ConsoleAnswer>map(show -> new ConsoleAnswer.Rows(
                            columns, Collections.nCopies(show.endsWith("pools") ? rows : 1, List.of(value)), "SHOW"))
                    .toList());
        }

        @Override
        public Set<String> tables() {
            return Set.copyOf(Endpoints.SHOWN);
        }
    }

    private final List<AutoCloseable> open = new ArrayList<>();
    private @Nullable HttpServer server;

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    private void start(Console console, int listeners, Duration reading) throws Exception {
        ProxyConfig config = ConfigLoader.parse("databases { \"*\" { primary = \"127.0.0.1:1\" } }\nhttp_port = 0\n");
        Breakers breakers = new Breakers(config.breakers());
        Routes routes = new Routes(config, null, 1, new Primaries(), breakers);
        open.add(routes);
        ClientTls tls = ClientTls.of(config.clientTls());
        HttpLimits limits = new HttpLimits(
                Duration.ofMillis(500),
                Duration.ofSeconds(10),
                reading,
                Duration.ofMillis(500),
                8,
                listeners,
                Duration.ofMillis(20));
        Endpoints endpoints = new Endpoints(
                () -> console, new Health(() -> config, routes, breakers, () -> false, List.of(Runnable::run)));
        HttpServer started = HttpServer.start(config.http(), () -> tls, endpoints, limits);
        open.add(started);
        server = started;
    }

    private HttpServer server() {
        return Objects.requireNonNull(server);
    }

    private Browser browser() {
        return new Browser(server().port());
    }

    private static BufferedReader reader(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    private Socket ask(String more) throws IOException {
        Socket socket = browser().connect();
        open.add(socket);
        socket.getOutputStream().write((REQUEST + more + "\r\n").getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static String head(BufferedReader in) throws IOException {
        StringBuilder head = new StringBuilder();
        for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
            head.append(line).append('\n');
        }
        return head.toString();
    }

    /** The next line that begins so, without its beginning. */
    private static String next(BufferedReader in, String begin) throws IOException {
        String line = in.readLine();
        while (line != null && !line.startsWith(begin)) {
            line = in.readLine();
        }
        return line == null ? "" : line.substring(begin.length());
    }

    private boolean hasRoom() throws IOException {
        try (Socket socket = ask("")) {
            return head(reader(socket)).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void everybodyHearsTheSameAndItIsReadOnceForAll() throws Exception {
        Tables tables = new Tables(1, 0);
        start(tables, 2, Duration.ofSeconds(10));
        BufferedReader one = reader(ask(""));
        BufferedReader other = reader(ask(""));
        assertThat(head(one))
                .startsWith("HTTP/1.1 200 OK\n")
                .contains(
                        "content-type: text/event-stream\n",
                        "cache-control: no-store\n",
                        "content-encoding: identity\n");
        assertThat(head(other)).startsWith("HTTP/1.1 200 OK\n");
        String first = next(other, "data: ");
        for (int i = 0; i < 100 && !next(one, "data: ").equals(first); i++) {
            assertThat(i).isLessThan(99);
        }
        int told = 0;
        for (int i = 0; i < 20; i++) {
            assertThat(next(one, "event: ")).isEqualTo("tables");
            Config event = ConfigFactory.parseString(next(one, "data: "));
            assertThat(event.getConfig("tables").root().keySet()).containsExactlyInAnyOrderElementsOf(Endpoints.SHOWN);
            int now = Integer.parseInt(
                    event.getConfigList("tables.pools").getFirst().getString("version"));
            assertThat(now).isGreaterThan(told).isLessThanOrEqualTo(tables.shown.get());
            assertThat(told == 0 || now == told + 1).as("every reading is told").isTrue();
            told = now;
        }
    }

    @Test
    void asManyListenAsMayAndAPlaceIsFreeAgainAtOnce() throws Exception {
        start(new Tables(1, 0), 2, Duration.ofSeconds(10));
        Socket one = ask("");
        assertThat(head(reader(one))).contains(" 200 ");
        assertThat(head(reader(ask("")))).contains(" 200 ");
        assertThat(head(reader(ask("")))).contains(" 503 ");
        assertThat(browser().status("/health/live")).isEqualTo(200);
        one.close();
        await().until(this::hasRoom);
    }

    @Test
    void pagesOfOtherSitesDoNotTakeThePlaceOfOurs() throws Exception {
        start(new Tables(1, 0), 1, Duration.ofSeconds(10));
        assertThat(head(reader(ask("Sec-Fetch-Site: cross-site\r\n")))).contains(" 403 ");
        assertThat(head(reader(ask("Sec-Fetch-Site: same-site\r\n")))).contains(" 403 ");
        assertThat(head(reader(ask("Sec-Fetch-Site: same-origin\r\n")))).contains(" 200 ");
    }

    /** Who reads goes on hearing meanwhile, and who does not costs no more than one event. */
    @Test
    void whoDoesNotReadIsSentAway() throws Exception {
        start(new Tables(Endpoints.MOST_SHOWN, 4000), 2, Duration.ofMillis(300));
        BufferedReader reads = reader(ask(""));
        assertThat(head(reads)).contains(" 200 ");
        try (Socket slow = ask("")) {
            assertThat(slow.getInputStream().read()).isEqualTo('H');
            assertThat(hasRoom()).isFalse();
            await().until(() -> {
                assertThat(next(reads, "data: ")).isNotEmpty();
                return hasRoom();
            });
            assertThat(isOver(slow)).isTrue();
        }
    }

    /** Whether it ends behind what was on its way, and does not go on. */
    private static boolean isOver(Socket socket) throws IOException {
        try {
            return socket.getInputStream().skip(Long.MAX_VALUE) < Integer.MAX_VALUE;
        } catch (SocketException e) { // reset
            return true;
        }
    }

    @Test
    void rowsBeyondThoseThatAreShownAreCounted() throws Exception {
        start(new Tables(Endpoints.MOST_SHOWN + 7, 0), 1, Duration.ofSeconds(10));
        Config event = ConfigFactory.parseString(next(reader(ask("")), "data: "));
        assertThat(event.getConfigList("tables.pools")).hasSize(Endpoints.MOST_SHOWN);
        assertThat(event.getInt("leftOut.pools")).isEqualTo(7);
        assertThat(event.getInt("leftOut.cache")).isZero();
        assertThat(event.getIsNull("hindrance")).isTrue();
    }

    @Test
    void nothingIsReadWhileNobodyListens() throws Exception {
        Tables tables = new Tables(1, 0);
        start(tables, 1, Duration.ofSeconds(10));
        Socket socket = ask("");
        assertThat(next(reader(socket), "data: ")).isNotEmpty();
        socket.close();
        AtomicInteger before = new AtomicInteger(-1);
        await().during(Duration.ofMillis(300)).until(() -> before.getAndSet(tables.shown.get()) == tables.shown.get());
    }

    @Test
    void tablesThatCannotBeReadAreToldAndTriedAgain() throws Exception {
        Tables tables = new Tables(1, 0);
        tables.fails = true;
        start(tables, 1, Duration.ofSeconds(10));
        BufferedReader in = reader(ask(""));
        assertThat(next(in, "event: ")).isEqualTo("problem");
        tables.fails = false;
        await().until(() -> next(in, "event: ").equals("tables"));
    }

    @Test
    void theEndOfTheServerIsTheEndOfItAll() throws Exception {
        start(new Tables(1, 0), 1, Duration.ofSeconds(10));
        BufferedReader in = reader(ask(""));
        assertThat(next(in, "data: ")).isNotEmpty();
        server().close();
        while (in.readLine() != null) { // until it is over
            assertThat(in).isNotNull();
        }
    }
}
