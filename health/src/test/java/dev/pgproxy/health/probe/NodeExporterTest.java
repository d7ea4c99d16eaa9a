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
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class NodeExporterTest {
    private final AtomicReference<String> metrics = new AtomicReference<>(metrics(100, 10));
    private final List<String> queries = new ArrayList<>();
    private boolean refusesFileSystems;
    private @Nullable HttpServer server;

    @BeforeEach
    void listen() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/metrics", exchange -> {
            String query = String.valueOf(exchange.getRequestURI().getQuery());
            queries.add(query);
            byte[] body = metrics.get().getBytes(UTF_8);
            int status = refusesFileSystems && query.contains("filesystem") ? 400 : body.length == 0 ? 500 : 200;
            exchange.sendResponseHeaders(status, status == 200 ? body.length : -1);
            exchange.getResponseBody().write(status == 200 ? body : new byte[0]);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        Objects.requireNonNull(server).stop(0);
    }

    private NodeExporter exporter(HttpClient client) {
        int port = Objects.requireNonNull(server).getAddress().getPort();
        return new NodeExporter(client, URI.create("http://127.0.0.1:" + port + "/metrics"), Duration.ofSeconds(5));
    }

    @Test
    void theShareInUseIsWhatWasNotIdleBetweenTwoCalls() throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            NodeExporter exporter = exporter(client);
            assertThat(exporter.load().cpu()).isNull();
            metrics.set(metrics(101, 13));
            assertThat(exporter.load().cpu()).isCloseTo(0.75, within(1e-9));
            assertThat(exporter.load().cpu()).isNull();
            metrics.set(metrics(1, 1));
            assertThat(exporter.load().cpu()).isNull();
            metrics.set("");
            assertThatThrownBy(exporter::load).isInstanceOf(IOException.class);
            assertThat(queries).containsOnly("collect[]=cpu&collect[]=meminfo&collect[]=filesystem");
        }
    }

    @Test
    void memoryIsWhatIsNotAvailableAndTheFullestFileSystemThatHoldsDataCounts() throws Exception {
        metrics.set("""
                node_memory_MemAvailable_bytes 2.5e+09
                node_memory_MemTotal_bytes 1e+10
                node_filesystem_avail_bytes{device="/dev/a",fstype="ext4",mountpoint="/"} 60
                node_filesystem_size_bytes{device="/dev/a",fstype="ext4",mountpoint="/"} 100
                node_filesystem_avail_bytes{device="/dev/b",fstype="xfs",mountpoint="/var/lib/a {b}"} 10
                node_filesystem_size_bytes{device="/dev/b",fstype="xfs",mountpoint="/var/lib/a {b}"} 100
                node_filesystem_avail_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 0
                node_filesystem_size_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run"} 100
                node_filesystem_avail_bytes{device="/dev/c",fstype="ext4",mountpoint="/image"} 0
                node_filesystem_size_bytes{device="/dev/c",fstype="ext4",mountpoint="/image"} 100
                node_filesystem_readonly{device="/dev/b",fstype="xfs",mountpoint="/var/lib/a {b}"} 0
                node_filesystem_readonly{device="/dev/c",fstype="ext4",mountpoint="/image"} 1
                node_filesystem_avail_bytes{device="proc",fstype="proc",mountpoint="/proc"} 0
                node_filesystem_size_bytes{device="proc",fstype="proc",mountpoint="/proc"} 0
                """);
        try (HttpClient client = HttpClient.newHttpClient()) {
            MachineLoad load = exporter(client).load();
            assertThat(load.memory()).isCloseTo(0.75, within(1e-9));
            assertThat(load.disk()).isCloseTo(0.9, within(1e-9));
            metrics.set("node_memory_MemAvailable_bytes 1\n");
            assertThat(exporter(client).load()).isEqualTo(MachineLoad.UNKNOWN);
        }
    }

    /** A collector that was switched off must not cost what was told before. */
    @Test
    void anExporterThatHasNoSuchCollectorIsAskedForCpuAlone() throws Exception {
        refusesFileSystems = true;
        try (HttpClient client = HttpClient.newHttpClient()) {
            NodeExporter exporter = exporter(client);
            assertThatThrownBy(exporter::load).hasMessage("status 400");
            exporter.load();
            metrics.set(metrics(101, 13));
            assertThat(exporter.load().cpu()).isCloseTo(0.75, within(1e-9));
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
