package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code SHOW HOSTS}: a row for each host, whatever it is by now. */
@Timeout(180)
final class ShowHostsIT {
    private static final int PORT = 2;
    private static final int ROLE = 3;
    private static final int TIMELINE = 4;
    private static final int CONNECTIONS = 8;

    private static List<List<@Nullable String>> hosts(PgProxy proxy) {
        return Message.rows(new Endpoint("127.0.0.1", proxy.port(), "pgproxy", "postgres", "").run("SHOW HOSTS"));
    }

    private static void awaitRoles(PgProxy proxy, String... roles) {
        await().untilAsserted(() ->
                assertThat(hosts(proxy)).extracting(row -> row.get(ROLE)).containsExactly(roles));
    }

    @Test
    void eachHostHasARowAlsoOneThatIsDownOrLeftBehind() throws Exception {
        try (EmbeddedCluster cluster =
                EmbeddedCluster.start(ClusterOptions.temporary().withReplicas(2), line -> {})) {
            EmbeddedPostgres primary = cluster.primary();
            String text =
                    "listen_port = 0\nhttp_addr = []\nauth_type = trust\nadmin_users = [postgres]\nhealth_interval = 2s\n"
                            + "databases { \"*\" { primary = \"" + primary.host() + ":" + primary.port() + "\", "
                            + TestCluster.replicasOf(cluster) + " } }\n" + TestCluster.watching(cluster)
                            + "users { postgres { password = \"" + primary.superuserPassword() + "\" } }\n";
            try (PgProxy proxy = PgProxy.start(ConfigLoader.parse(text));
                    RawClient client = new Endpoint("127.0.0.1", proxy.port(), "postgres", "postgres", "").login();
                    RawClient other = new Endpoint("127.0.0.1", proxy.port(), "template1", "postgres", "").login()) {
                client.query("SELECT 1").readUntilReady();
                other.query("SELECT 1").readUntilReady();
                awaitRoles(proxy, "primary", "replica", "replica");
                await().untilAsserted(() -> assertThat(hosts(proxy)).allSatisfy(row -> {
                    assertThat(row.get(0)).isEqualTo(primary.host() + ":" + primary.port());
                    assertThat(row.get(TIMELINE)).isEqualTo("1");
                    assertThat(row.get(5)).matches("\\p{XDigit}+/\\p{XDigit}+");
                    assertThat(row.get(6)).isEqualTo("0");
                    assertThat(row.get(CONNECTIONS)).matches("[1-9]\\d*");
                    assertThat(row.get(16)).as("buffer_hit_ratio").matches("\\d+\\.\\d\\d %");
                    assertThat(row.get(18))
                            .as("memory_used, which a superuser may read")
                            .matches("\\d+\\.\\d\\d %");
                    assertThat(row.get(19)).as("disk_used").isNull();
                    assertThat(row.get(20)).as("asked_ms").matches("\\d{1,5}");
                }));
                assertThat(hosts(proxy))
                        .extracting(row -> row.get(PORT))
                        .containsExactly(
                                "" + primary.port(),
                                "" + cluster.replicas().get(0).port(),
                                "" + cluster.replicas().get(1).port());

                cluster.replicas().get(0).kill9();
                awaitRoles(proxy, "primary", "unknown", "replica");
                await().untilAsserted(() ->
                        assertThat(hosts(proxy).get(1).subList(TIMELINE, 21)).containsOnlyNulls());

                // the last one stays on its timeline and goes on taking writes
                TestCluster.execute(cluster.replicas().get(1), "SELECT pg_promote()");
                awaitRoles(proxy, "left behind", "unknown", "primary");
                await().untilAsserted(() -> assertThat(hosts(proxy))
                        .extracting(row -> row.get(TIMELINE))
                        .containsExactly("1", null, "2"));
            }
        }
    }
}
