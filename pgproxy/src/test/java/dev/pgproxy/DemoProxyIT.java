package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.Demo;
import dev.pgproxy.demo.DemoOptions;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.Signals;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The demo as its user meets it: with the cache, and every write seen by the next read, wherever it went. */
class DemoProxyIT {
    private static final String READ = "SELECT title FROM notes WHERE id = 7";

    private final List<String> lines = new ArrayList<>();

    private Endpoint endpoint(String what) {
        String line = lines.stream()
                .filter(each -> each.startsWith(what + ": "))
                .findFirst()
                .orElseThrow();
        URI url = URI.create(line.substring(what.length() + 2));
        return new Endpoint(url.getHost(), url.getPort(), url.getPath().substring(1), "demo", "demo");
    }

    private static List<@Nullable String> row(Endpoint at, String sql) {
        return Message.row(at.run(sql));
    }

    private static void awaitKept(Endpoint proxied) {
        await().untilAsserted(() -> {
            row(proxied, READ);
            assertThat(Message.rows(proxied.run("EXPLAIN (ROUTE) " + READ)))
                    .contains(List.of("cache", "hit"), List.of("cache level", "logical"));
        });
    }

    private void theEndOfThePrimaryIsFollowedByWrites(Endpoint proxied, Endpoint console) throws Exception {
        String kill = lines.stream()
                .filter(line -> line.contains("kill -9 "))
                .findFirst()
                .orElseThrow();
        long pid = Long.parseLong(kill.substring(kill.lastIndexOf(' ') + 1));
        Signals.send("KILL", List.of(pid));
        await().until(() -> "1".equals(row(console, "SHOW FAILOVER").get(3)));
        proxied.run("UPDATE notes SET title = 'on another host' WHERE id = 7");
        assertThat(row(proxied, READ)).containsExactly("on another host");
    }

    @Test
    void aRepeatedReadIsServedFromTheCacheAndSeesEveryWrite() throws Exception {
        int port;
        int httpPort;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
            httpPort = other.getLocalPort();
        }
        DemoOptions options = new DemoOptions(port, httpPort, null, 1, false);
        try (Demo demo = Demo.start(options, new DemoProxy(() -> {}), lines::add)) {
            assertThat(demo).isNotNull();
            String page = "http://127.0.0.1:" + httpPort + "/";
            String metrics = page + "metrics";
            assertThat(lines).contains("page: " + page);
            await("the primary was seen").until(() -> scraped(metrics).contains("\npgproxy_ready 1.0\n"));
            assertThat(lines).anyMatch(line -> line.contains(READ) && line.contains("EXPLAIN (ROUTE) " + READ));
            Endpoint proxied = endpoint("ready");
            Endpoint primary = endpoint("primary");
            Endpoint console = endpoint("console");
            await().until(() -> Message.rows(console.run("SHOW CACHE COVERAGE")).stream()
                    .anyMatch(row -> "public.notes".equals(row.get(1)) && "logical".equals(row.get(2))));
            assertThat(lines).anyMatch(line -> line.startsWith("redis: "));
            await().until(() -> "yes".equals(row(console, "SHOW INSTANCES").get(2)));
            List<@Nullable String> title = row(proxied, READ);
            awaitKept(proxied);
            assertThat(row(proxied, READ)).isEqualTo(title);
            assertThat(Integer.parseInt(row(console, "SHOW CACHE").get(4))).isPositive();
            proxied.run("UPDATE notes SET title = 'through pgproxy' WHERE id = 7");
            assertThat(row(proxied, READ)).containsExactly("through pgproxy");
            awaitKept(proxied);
            primary.run("UPDATE notes SET title = 'past pgproxy' WHERE id = 7");
            await().until(() -> row(proxied, READ).contains("past pgproxy"));
            theEndOfThePrimaryIsFollowedByWrites(proxied, console);
        }
    }

    private static String scraped(String metrics) throws IOException {
        try (InputStream scrape = URI.create(metrics).toURL().openStream()) {
            return new String(scrape.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
