package dev.pgproxy.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The name of a host gets another address, where another server is, while both live; or an address at all. */
@Timeout(120)
final class MovingHostIT {
    private static final String PORT = "SELECT inet_server_port()";

    /** Column of SHOW SERVERS. */
    private static final int ADDR = 5;

    @TempDir
    private Path directory;

    private static String ask(RawClient client, String sql) {
        List<@Nullable String> row = Message.row(client.query(sql).readUntilReady());
        return String.valueOf(row.getFirst());
    }

    private Path hosts(String address) throws IOException {
        return Files.writeString(directory.resolve("hosts"), "127.0.0.1 localhost\n" + address + " moving.test\n");
    }

    @Test
    void whoConnectsBehindTheTimeToLiveGoesThereAndWhoIsElsewhereLeavesWhenFree() throws Exception {
        EmbeddedPostgres before = TestCluster.primary();
        EmbeddedPostgres behind = TestCluster.replicated().primary();
        try (FaultyWire first = new FaultyWire(before.port());
                FaultyWire second = new FaultyWire(behind.port(), first.port(), InetAddress.getByName("127.0.0.2"));
                ProxyProcess proxy = ProxyProcess.run(
                        directory.resolve("pgproxy.conf"),
                        "dns_max_ttl = 1s\ndatabases { \"*\" { primary = \"moving.test:" + first.port() + "\" } }\n",
                        List.of("-Djdk.net.hosts.file=" + hosts("127.0.0.1")));
                RawClient old = proxy.endpoint("postgres").login();
                RawClient other = proxy.endpoint("postgres").login()) {
            assertThat(ask(old, "BEGIN; " + PORT)).isEqualTo(port(before));
            hosts("127.0.0.2");
            Endpoint console = proxy.endpoint("pgproxy");
            await().until(() -> Message.rows(console.run("SHOW DNS_HOSTS")).stream()
                    .allMatch(row -> Long.parseLong("" + row.get(1)) < 0));
            assertThat(ask(other, PORT)).as("a new connection").isEqualTo(port(behind));
            assertThat(ask(old, PORT)).as("a transaction stays").isEqualTo(port(before));
            old.query("COMMIT").readUntilReady();
            await().until(() -> Message.rows(console.run("SHOW SERVERS")).stream()
                    .noneMatch(row -> "127.0.0.1".equals(row.get(ADDR))));
            for (RawClient client : List.of(old, other)) {
                assertThat(ask(client, PORT)).isEqualTo(port(behind));
            }
            assertThat(second.port()).isEqualTo(first.port());
        }
    }

    @Test
    void aProxyThatIsStartedBeforeItsPrimaryHasAnAddressServesWhenThereIsOne() throws Exception {
        EmbeddedPostgres server = TestCluster.primary();
        Path hosts = Files.writeString(directory.resolve("hosts"), "127.0.0.1 localhost\n");
        // longer than the test has time: whoever keeps to what Java remembers never finds it
        Path security =
                Files.writeString(directory.resolve("java.security"), "networkaddress.cache.negative.ttl=3600\n");
        try (ProxyProcess proxy = ProxyProcess.run(
                directory.resolve("pgproxy.conf"),
                "databases { \"*\" { primary = \"late.test:" + server.port() + "\" } }\n",
                List.of("-Djdk.net.hosts.file=" + hosts, "-Djava.security.properties=" + security))) {
            assertThatThrownBy(() -> proxy.endpoint("postgres").login()).hasMessageContaining("connection closed");
            proxy.awaitLine("unknown host late.test");
            Files.writeString(hosts, "127.0.0.1 localhost late.test\n");
            await().ignoreExceptions().untilAsserted(() -> {
                try (RawClient client = proxy.endpoint("postgres").login()) {
                    assertThat(ask(client, PORT)).isEqualTo(port(server));
                }
            });
        }
    }

    private static String port(EmbeddedPostgres server) {
        return Integer.toString(server.port());
    }
}
