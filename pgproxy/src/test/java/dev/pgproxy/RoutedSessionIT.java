package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TestCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a session is and has written holds where its reads are routed, whatever happens on the way. */
final class RoutedSessionIT {
    private static byte status(List<Message> answer) {
        return answer.getLast().body()[0];
    }

    /** BEGIN was answered by us; the server that is to begin it for the first write refuses the session's role. */
    @Test
    void aTransactionThatCannotBeginOnItsServerHasFailed() {
        try (RoutedProxy routed = RoutedProxy.start(
                        "default_pool_size = 1\n", List.of(1), "CREATE TABLE b (v int)", "GRANT ALL ON b TO PUBLIC");
                RawClient c = routed.proxied().login();
                RawClient d = routed.proxied().login()) {
            String role = TestCluster.freshRole(routed.cluster().primary(), "secret", "");
            c.query("SET ROLE " + role).readUntilReady();
            d.query("/* pgproxy: primary */ SELECT 1").readUntilReady();
            d.query("DROP ROLE " + role).readUntilReady();

            assertThat(status(c.query("BEGIN").readUntilReady())).isEqualTo((byte) 'T');
            List<Message> refused = c.query("INSERT INTO b VALUES (1)").readUntilReady();
            assertThat(Message.types(refused)).isEqualTo("EZ");
            assertThat(refused.getFirst().field('C')).isEqualTo("22023");
            assertThat(status(refused)).isEqualTo((byte) 'E');
            List<Message> after = c.query("INSERT INTO b VALUES (2)").readUntilReady();
            assertThat(after.getFirst().field('C')).isEqualTo("25P02");
            List<Message> end = c.query("COMMIT").readUntilReady();
            assertThat(end.getFirst().toString()).contains("ROLLBACK");
            assertThat(status(end)).isEqualTo((byte) 'I');
            assertThat(Message.row(d.query("SELECT count(*) FROM b").readUntilReady()))
                    .containsExactly("0");
        }
    }

    /** Its write was sent when nobody asked what is written. */
    @Test
    void whoCommitsAfterTheFirstReplicasWereConfiguredReadsHisWrite(@TempDir Path folder) throws Exception {
        EmbeddedCluster cluster = TestCluster.replicated();
        EmbeddedPostgres primary = cluster.primary();
        String database = TestCluster.freshDatabase(primary);
        Endpoint direct = new Endpoint(primary.host(), primary.port(), database, "postgres", TestCluster.PASSWORD);
        direct.run("CREATE TABLE t (v int)");
        cluster.awaitReplicas();
        Path file = folder.resolve("pgproxy.conf");
        Files.writeString(file, configuration(cluster, ""));
        PgProxy.ConfigReader config = () -> ConfigLoader.load(file);
        try (PgProxy proxy = PgProxy.start(config.read(), config)) {
            Endpoint proxied = new Endpoint("127.0.0.1", proxy.port(), database, "postgres", TestCluster.PASSWORD);
            Endpoint console = new Endpoint("127.0.0.1", proxy.port(), "pgproxy", "postgres", TestCluster.PASSWORD);
            try (RawClient writer = proxied.login();
                    RawClient reader = proxied.login()) {
                writer.query("BEGIN").readUntilReady();
                writer.query("INSERT INTO t VALUES (1)").readUntilReady();
                Files.writeString(file, configuration(cluster, ", " + TestCluster.replicasOf(cluster)));
                assertThat(Message.types(console.run("RELOAD"))).endsWith("CZ");
                await().until(() -> {
                    reader.query("SELECT v FROM t").readUntilReady();
                    return Message.rows(console.run("SHOW ROUTES")).stream()
                            .anyMatch(row -> "fresh".equals(row.get(2)) && !"1".equals(row.get(3)));
                });
                TestCluster.pauseReplay(cluster);
                try {
                    writer.query("COMMIT").readUntilReady();
                    for (int i = 0; i < 10; i++) {
                        assertThat(Message.rows(writer.query("SELECT v FROM t").readUntilReady()))
                                .containsExactly(List.of("1"));
                        assertThat(Message.rows(reader.query("SELECT v FROM t").readUntilReady()))
                                .containsExactly(List.of("1"));
                    }
                } finally {
                    TestCluster.resumeReplay(cluster);
                }
            }
        }
    }

    private static String configuration(EmbeddedCluster cluster, String replicas) {
        EmbeddedPostgres primary = cluster.primary();
        return "listen_port = 0\nhttp_addr = []\nlog_connections = false\nlog_disconnections = false\nadmin_users = [postgres]\n"
                + "databases { \"*\" { primary = \"" + primary.host() + ":" + primary.port() + "\"" + replicas
                + " } }\n"
                + TestCluster.watching(cluster) + "users { postgres { password = \"" + primary.superuserPassword()
                + "\" } }\n";
    }
}
