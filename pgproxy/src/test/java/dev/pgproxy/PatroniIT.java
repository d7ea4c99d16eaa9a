package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.LogLines;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Hosts told by members of Patroni, which is played by two HTTP servers that say the same of real servers. */
@Timeout(180)
final class PatroniIT extends FailoverCase {
    private final HttpServer one = http();
    private final HttpServer other = http();
    private volatile int status = 200;
    private volatile String body = "";

    private HttpServer http() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/cluster", exchange -> {
                try (exchange) {
                    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(status, bytes.length);
                    exchange.getResponseBody().write(bytes);
                }
            });
            server.start();
            return server;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @BeforeEach
    void everybodyIsThere() {
        tell(leader(primary()), replica(replica(0), ""), replica(replica(1), ""));
    }

    @AfterEach
    void stop() {
        one.stop(0);
        other.stop(0);
    }

    private void tell(String... members) {
        body = "{\"members\": [" + String.join(", ", members) + "], \"scope\": \"demo\"}";
        status = 200;
    }

    private static String member(EmbeddedPostgres server, String role, String state, String rest) {
        return "{\"name\": \"" + server.name() + "\", \"role\": \"" + role + "\", \"state\": \"" + state
                + "\", \"host\": \"" + server.host() + "\", \"port\": " + server.port() + ", \"timeline\": 1" + rest
                + "}";
    }

    private static String leader(EmbeddedPostgres server) {
        return member(server, "leader", "running", "");
    }

    private static String replica(EmbeddedPostgres server, String tags) {
        return member(server, "replica", "streaming", ", \"lag\": 0, \"tags\": {" + tags + "}");
    }

    @Override
    ProxyConfig configuration(String settings) throws ConfigProblems {
        return ConfigLoader.parse("listen_port = 0\nhttp_addr = []\nauth_type = trust\nadmin_users = [postgres]\n"
                + "databases { \"*\" { patroni = [\"http://127.0.0.1:"
                + one.getAddress().getPort()
                + "\", \"http://127.0.0.1:" + other.getAddress().getPort() + "/\"] } }\n"
                + "control_user = postgres\ncontrol_password = \"" + primary().superuserPassword() + "\"\n"
                + "users { postgres { password = \"" + primary().superuserPassword() + "\" } }\n" + settings);
    }

    private static void awaitReaders(RawClient client, EmbeddedPostgres... servers) {
        Integer[] ports = Stream.of(servers).map(EmbeddedPostgres::port).toArray(Integer[]::new);
        await().untilAsserted(
                        () -> assertThat(RoutedProxy.whoAnswers(client, 20)).containsOnlyKeys(ports));
    }

    private List<String> hosts() {
        return console("SHOW HOSTS").stream()
                .map(row -> String.valueOf(row.get(2)))
                .toList();
    }

    private static String port(EmbeddedPostgres server) {
        return "" + server.port();
    }

    @Test
    void membersComeAndGoAndTakeReadsAsPatroniSays() throws Exception {
        tell(leader(primary()), replica(replica(0), ""));
        start("");
        try (RawClient client = proxied().login()) {
            awaitReaders(client, replica(0));
            tell(leader(primary()), replica(replica(0), ""), replica(replica(1), ""));
            awaitReaders(client, replica(0), replica(1));
            tell(leader(primary()), replica(replica(0), "\"noloadbalance\": true"), replica(replica(1), ""));
            awaitReaders(client, replica(1));
            assertThat(console("SHOW PATRONI"))
                    .filteredOn(row -> port(replica(0)).equals(row.get(3)))
                    .singleElement()
                    .satisfies(row -> {
                        assertThat(row.get(1)).isEqualTo(replica(0).name());
                        assertThat(row.subList(4, 10))
                                .containsExactly("replica", "streaming", "1", "0", "noloadbalance", "no");
                        assertThat(row.get(12)).isNull();
                    });
            tell(leader(primary()), member(replica(0), "replica", "stopped", ""), replica(replica(1), ""));
            awaitReaders(client, replica(1));
            write(client, 1);
            tell(leader(primary()), member(replica(0), "replica", "stopped", ""));
            awaitReaders(client, primary());
            assertThat(hosts()).containsExactlyInAnyOrder(port(primary()), port(replica(0)));
            write(client, 2);
        }
    }

    /** What is acknowledged from now on is there, too. */
    private void makeSynchronous(EmbeddedPostgres replica) {
        direct(primary()).run("ALTER SYSTEM SET synchronous_standby_names = '" + replica.name() + "'");
        direct(primary()).run("SELECT pg_reload_conf()");
        await().until(() ->
                Message.rows(direct(primary()).run("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))
                                .size()
                        == 1);
    }

    @Test
    void writesFollowTheLeaderAndNothingAcknowledgedIsLost() throws Exception {
        makeSynchronous(replica(0));
        start("failover_wait = 60s\ncache_mode = on\n");
        try (Writer writer = new Writer()) {
            writer.awaitMore(20);
            primary().kill9();
            direct(replica(0)).run("SELECT pg_promote()");
            tell(leader(replica(0)), replica(replica(1), "")); // the last one's key has expired
            writer.awaitMore(20);
            await().untilAsserted(
                            () -> assertThat(hosts()).containsExactlyInAnyOrder(port(replica(0)), port(replica(1))));
            writer.awaitMore(5);
            writer.close();
            assertThat(ids(replica(0))).containsAll(writer.acknowledged);
        }
        assertThat(console("SHOW FAILOVER")).singleElement().satisfies(row -> {
            assertThat(row.get(0)).startsWith("patroni/127.0.0.1:");
            assertThat(row.get(1))
                    .isEqualTo(replica(0).host() + ":" + replica(0).port());
            assertThat(row.get(2)).isEqualTo("2");
        });
    }

    /** Its member's key is gone, while its server lives on, as in a pause. */
    @Test
    void thePrimaryStaysUntilAnotherIs() throws Exception {
        start("");
        try (RawClient client = proxied().login()) {
            awaitReaders(client, replica(0), replica(1));
            tell(replica(replica(0), ""), replica(replica(1), "\"nofailover\": true"));
            await().until(() -> console("SHOW PATRONI").size() == 2);
            write(client, 1);
            assertThat(hosts()).hasSize(3);
            tell(leader(replica(1)), replica(replica(0), "")); // Patroni is not believed, its servers are
            await().until(() -> console("SHOW PATRONI").stream().anyMatch(row -> "leader".equals(row.get(4))));
            write(client, 2);
            assertThat(ids(primary())).containsExactly(1, 2);
        }
    }

    @Test
    void withoutAnyMemberTheHostsStay() throws Exception {
        start("");
        try (LogLines log = LogLines.begin();
                RawClient client = proxied().login()) {
            awaitReaders(client, replica(0), replica(1));
            status = 503;
            awaitProblem("answers with status 503");
            body = "<html>hello</html>";
            status = 200;
            awaitProblem("is not what Patroni answers");
            body = "{\"members\": []}";
            awaitProblem("tells of no member");
            one.stop(0);
            awaitProblem("127.0.0.1:" + one.getAddress().getPort() + " cannot be reached");
            other.stop(0);
            awaitProblem("127.0.0.1:" + other.getAddress().getPort() + " cannot be reached");
            write(client, 1);
            awaitReaders(client, replica(0), replica(1));
            assertThat(console("SHOW PATRONI")).hasSize(3);
            assertThat(log.lines())
                    .filteredOn(line -> line.contains("no member answers"))
                    .singleElement()
                    .asString()
                    .startsWith("WARN patroni/127.0.0.1:")
                    .endsWith("the hosts stay those that were told last");
        }
    }

    private void awaitProblem(String problem) {
        await().untilAsserted(() -> assertThat(console("SHOW PATRONI"))
                .isNotEmpty()
                .allSatisfy(row -> assertThat(row.get(12)).contains(problem)));
    }

    @Test
    void aStartWithoutPatroniWaitsForIt() throws Exception {
        status = 503;
        try (LogLines log = LogLines.begin();
                PgProxy proxy = PgProxy.start(configuration("failover_wait = 60s\n"))) {
            var client = new Endpoint(
                    "127.0.0.1", proxy.port(), "postgres", "postgres", primary().superuserPassword());
            CompletableFuture<RawClient> login = CompletableFuture.supplyAsync(client::login);
            await().until(() -> proxy.pools().all().stream().anyMatch(pool -> pool.hasWaiting()));
            assertThat(login).isNotDone();
            await().until(() -> log.lines().stream()
                    .anyMatch(line -> line.startsWith("WARN patroni/127.0.0.1:")
                            && line.endsWith("no host is known, so clients wait; they are asked again every 2 s")));
            status = 200;
            try (RawClient served = login.get(60, TimeUnit.SECONDS)) {
                write(served, 1);
            }
            assertThat(log.lines()).anyMatch(line -> line.startsWith("INFO patroni/") && line.endsWith(" answers"));
        }
    }

    @Test
    void whoHasWaitedForPatroniIsRefusedAsWithoutAPrimary() throws Exception {
        status = 503;
        try (PgProxy proxy = PgProxy.start(configuration("failover_wait = 500ms\n"));
                RawClient client = new Endpoint(
                                "127.0.0.1",
                                proxy.port(),
                                "postgres",
                                "postgres",
                                primary().superuserPassword())
                        .connect()) {
            assertThat(client.login("postgres", primary().superuserPassword(), "postgres"))
                    .anyMatch(message -> message.type() == 'E'
                            && message.field('C').equals("57P03")
                            && message.field('M').equals("the database has no primary now"));
        }
    }

    @Test
    void reloadKeepsTheHostsAndSwitchoverIsPatronis() throws Exception {
        start("");
        try (RawClient client = proxied().login()) {
            awaitReaders(client, replica(0), replica(1));
            status = 503; // what is known from before counts on
            awaitProblem("503");
            console("RELOAD");
            write(client, 1);
            awaitReaders(client, replica(0), replica(1));
            try (RawClient console = proxied().withDatabase("pgproxy").login()) {
                console.query(
                        "SWITCHOVER '" + replica(0).host() + ":" + replica(0).port() + "'");
                assertThat(error(console)).endsWith("use patronictl switchover");
            }
        }
    }
}
