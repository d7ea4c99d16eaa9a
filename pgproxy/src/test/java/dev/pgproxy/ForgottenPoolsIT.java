package dev.pgproxy;

import static dev.pgproxy.testing.SecurePostgres.stored;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** A pool is there while it is used and for a while after: names that clients make up must not fill the memory. */
final class ForgottenPoolsIT {
    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();
    private final String alice = TestCluster.freshRole("secret");

    private TestProxy start(String settings) {
        return TestProxy.start(
                server, TestProxy.user(alice, stored(server, alice)) + "admin_users = [" + alice + "]\n" + settings);
    }

    private static List<String> databases(TestProxy proxy) {
        return proxy.proxy().pools().all().stream()
                .map(Pool::key)
                .map(key -> key.database())
                .toList();
    }

    private Map<String, Long> totals(TestProxy proxy) {
        Map<String, Long> totals = new HashMap<>();
        for (List<String> row :
                Message.rows(proxy.as(alice, "secret", "pgproxy").run("SHOW TOTALS"))) {
            totals.put(row.get(0), Long.valueOf(row.get(1)));
        }
        return totals;
    }

    private List<String> rowOf(TestProxy proxy, String name) {
        return Message.rows(proxy.as(alice, "secret", "pgproxy").run("SHOW STATS_TOTALS")).stream()
                .filter(row -> name.equals(row.getFirst()))
                .map(row -> String.valueOf(row.get(2)))
                .toList();
    }

    @Test
    void databasesThatDoNotExistLeaveNothing() {
        try (TestProxy proxy = start("")) {
            for (int i = 0; i < 30; i++) {
                assertThat(proxy.attempt(alice, "secret", "no_such_" + i).field('C'))
                        .isEqualTo("3D000");
            }
            Awaitility.await().until(() -> databases(proxy).isEmpty());
        }
    }

    @Test
    void aHostThatDoesNotAnswerIsRememberedUntilItIsTriedAgain() {
        String away = "databases { \"*\" { primary = \"127.0.0.1:1\" } }\nserver_login_retry = 1s\n";
        try (TestProxy proxy = start(away)) {
            assertThat(proxy.attempt(alice, "secret", "anything").field('C')).isEqualTo("08006");
            assertThat(databases(proxy)).containsExactly("anything");
            Awaitility.await().until(() -> databases(proxy).isEmpty());
        }
    }

    @Test
    void anUnusedPoolIsForgottenAndWhatItHasCountedIsNot() {
        try (TestProxy proxy = start("server_idle_timeout = 500ms\n")) {
            proxy.as(alice, "secret", database).run("SELECT 1");
            long before = totals(proxy).getOrDefault("total_xact_count", -1L);
            assertThat(before).isEqualTo(1);
            Awaitility.await().until(() -> databases(proxy).isEmpty());
            assertThat(totals(proxy)).containsEntry("total_xact_count", before);
            assertThat(rowOf(proxy, database)).isEmpty();
            proxy.as(alice, "secret", database).run("SELECT 1");
            assertThat(totals(proxy)).containsEntry("total_xact_count", before + 1);
            assertThat(rowOf(proxy, database)).containsExactly("1");
        }
    }

    @Test
    void theCountsOfADatabaseWithABlockOfItsOwnAreKeptByName() {
        String named = "databases { " + database + " { primary = \"" + server.host() + ":" + server.port() + "\" } }\n";
        try (TestProxy proxy = start("server_idle_timeout = 500ms\n" + named)) {
            proxy.as(alice, "secret", database).run("SELECT 1");
            Awaitility.await().until(() -> databases(proxy).isEmpty());
            proxy.as(alice, "secret", database).run("SELECT 1");
            assertThat(rowOf(proxy, database)).containsExactly("2");
        }
    }

    @Test
    void aPoolWithAClientOrServersToKeepStays() {
        String kept = TestCluster.freshDatabase();
        String settings = "server_idle_timeout = 300ms\ndatabases { " + kept + " { primary = \"" + server.host() + ":"
                + server.port() + "\", min_pool_size = 1 } }\n";
        try (TestProxy proxy = start(settings);
                RawClient client = proxy.as(alice, "secret", database).login()) {
            proxy.as(alice, "secret", kept).run("SELECT 1");
            Awaitility.await()
                    .during(Duration.ofMillis(1200))
                    .until(() -> databases(proxy).containsAll(List.of(database, kept)));
            assertThat(Message.types(client.query("SELECT 1").readUntilReady())).isEqualTo("TDCZ");
            client.terminate().readUntilClosed();
            Awaitility.await().until(() -> databases(proxy).equals(List.of(kept)));
        }
    }
}
