package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code connect_query}: nobody gets a server where it has not run. */
final class ConnectQueryIT {
    private final EmbeddedPostgres server = TestCluster.primary();
    private final String database = TestCluster.freshDatabase();

    private TestProxy start(String query, String more) {
        return TestProxy.start(
                server,
                TestProxy.trusting(server) + "databases { \"*\" { primary = \"" + server.host() + ":" + server.port()
                        + "\", connect_query = \"" + query + "\" } }\n" + more);
    }

    private List<Message> first(TestProxy proxy) {
        try (RawClient client = proxy.connect()) {
            List<Message> login = client.login("postgres", "", database);
            return login.getLast().isReady()
                    ? client.query("SHOW application_name").readUntilReady()
                    : login;
        }
    }

    @Test
    void itRunsBeforeTheFirstClient() {
        try (TestProxy proxy = start("SET work_mem = '77MB'", "");
                RawClient client = proxy.as("postgres", "", database).login()) {
            assertThat(Message.row(client.query("SHOW work_mem").readUntilReady()))
                    .containsExactly("77MB");
        }
    }

    @Test
    void oneThatFailsIsToldToClients() {
        try (TestProxy proxy = start("SELECT 1 / 0", "query_wait_timeout = 2s")) {
            assertThat(first(proxy).toString()).contains("division by zero");
        }
    }

    @Test
    void oneThatHangsIsNotWaitedForForEver() {
        try (TestProxy proxy = start("SELECT pg_sleep(600)", "server_connect_timeout = 1s\nquery_wait_timeout = 30s")) {
            assertThat(first(proxy).toString()).contains("connect_query took longer than server_connect_timeout");
        }
    }
}
