package dev.pgproxy.health.probe;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

final class NodeExporterTest {
    @Test
    void theShareInUseIsWhatWasNotIdleBetweenTwoCalls() throws Exception {
        AtomicReference<String> metrics = new AtomicReference<>(metrics(100, 10));
        List<String> queries = new ArrayList<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/metrics", exchange -> {
            queries.add(String.valueOf(exchange.getRequestURI().getQuery()));
            byte[] body = metrics.get().getBytes(UTF_8);
            exchange.sendResponseHeaders(body.length == 0 ? 500 : 200, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try (HttpClient client = HttpClient.newHttpClient()) {
            URI address = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/metrics");
            NodeExporter exporter = new NodeExporter(client, address, Duration.ofSeconds(5));

            assertThat(exporter.used()).isNegative();
            metrics.set(metrics(101, 13));
            assertThat(exporter.used()).isCloseTo(0.75, within(1e-9));
            assertThat(exporter.used()).isNegative();
            metrics.set(metrics(1, 1));
            assertThat(exporter.used()).isNegative();
            metrics.set("");
            assertThatThrownBy(exporter::used).isInstanceOf(IOException.class);
            assertThat(queries).containsOnly("collect[]=cpu");
        } finally {
            server.stop(0);
        }
    }

    /** Two CPUs that share these seconds. */
    private static String metrics(double idle, double busy) {
        return """
                # HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
                # TYPE node_cpu_seconds_total counter
                node_cpu_seconds_total{cpu="0",mode="idle"} %s
                node_cpu_seconds_total{cpu="0",mode="iowait"} 0
                node_cpu_seconds_total{cpu="1",mode="user"} %s 1700000000000
                node_cpu_seconds_total{cpu="1",mode="system"} nonsense
                node_cpu_seconds_total{cpu="1"
                node_memory_Active_bytes 1e9
                """.formatted(idle, busy);
    }
}
