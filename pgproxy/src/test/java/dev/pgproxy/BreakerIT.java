package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import dev.pgproxy.testing.TcpRelay;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Hosts that answer every question and fail logins: a relay before one bars the application's role, while control_user passes.
 * The open time is 2 s here and 30 s by default; nothing else that counts here depends on it.
 */
@Timeout(180)
final class BreakerIT {
    private static final String ROLE = "breaker_app";
    private static final String SETTINGS = """
            consistency = eventual
            threads = 2
            breaker_open_time = 2s
            server_login_retry = 200ms
            server_connect_timeout = 3s
            """;
    private static final Duration AT_ONCE = Duration.ofSeconds(1);
    private static final int STATE = 2;
    private static final int LAST_FAILURE = 6;
    private static final int TIMES_OPENED = 8;

    private final EmbeddedCluster cluster = TestCluster.replicated();
    private final EmbeddedPostgres primary = cluster.primary();
    private final String database = TestCluster.freshDatabase(primary);
    private @Nullable TcpRelay relay;
    private @Nullable PgProxy proxy;

    @BeforeEach
    void begin() {
        Endpoint direct = new Endpoint(primary.host(), primary.port(), database, "postgres", TestCluster.PASSWORD);
        direct.run("DROP ROLE IF EXISTS " + ROLE);
        direct.run("CREATE ROLE " + ROLE + " LOGIN PASSWORD 'secret'");
        RoutedProxy.SCHEMA.forEach(direct::run);
        direct.run("CREATE FUNCTION slowly() RETURNS text STABLE LANGUAGE plpgsql AS $$ DECLARE found text; BEGIN"
                + " EXECUTE 'SELECT pg_sleep(3)'; SELECT port INTO found FROM here; RETURN found; END $$");
        direct.run("CREATE VIEW slow AS SELECT slowly() AS port");
        direct.run("GRANT SELECT ON here, slow TO PUBLIC");
        cluster.awaitReplicas();
    }

    @AfterEach
    void end() {
        if (proxy != null) {
            proxy.close();
        }
        relay().close();
    }

    private TcpRelay relay() {
        return Objects.requireNonNull(relay);
    }

    private String relayed() {
        return "127.0.0.1:" + relay().port();
    }

    private void start(String hosts, String settings) throws ConfigProblems, IOException {
        proxy = PgProxy.start(configuration(hosts, settings));
    }

    private ProxyConfig configuration(String hosts, String settings) throws ConfigProblems {
        return ConfigLoader.parse("listen_port = 0\nhttp_addr = []\nadmin_users = [postgres]\nauth_type = trust\n"
                + "server_tls_sslmode = disable\nlog_connections = false\nlog_disconnections = false\n"
                + "databases { \"*\" { " + hosts + " } }\n"
                + "users { " + ROLE + " { password = secret }, postgres { password = \""
                + primary.superuserPassword() + "\" } }\n" + SETTINGS + settings);
    }

    /** The relay is before the first of two replicas, and both have answered. */
    private RoutedProxy startBeforeReplica() throws ConfigProblems, IOException {
        relay = TcpRelay.to("127.0.0.1", cluster.replicas().getFirst().port());
        EmbeddedPostgres other = cluster.replicas().getLast();
        start(
                "primary = \"" + primary.host() + ":" + primary.port() + "\", replicas = [\"" + relayed() + "\", \""
                        + other.host() + ":" + other.port() + "\"]",
                TestCluster.watching(cluster));
        try (RawClient client = proxied().login()) {
            await().until(() -> RoutedProxy.whoAnswers(client, 20).containsKey(victim()));
        }
        return new RoutedProxy(Objects.requireNonNull(proxy), cluster, database);
    }

    private int victim() {
        return cluster.replicas().getFirst().port();
    }

    private Endpoint proxied() {
        return new Endpoint("127.0.0.1", Objects.requireNonNull(proxy).port(), database, ROLE, "secret");
    }

    private List<List<@Nullable String>> console(String command) {
        int port = Objects.requireNonNull(proxy).port();
        return Message.rows(new Endpoint("127.0.0.1", port, "pgproxy", "postgres", "").run(command));
    }

    private List<@Nullable String> breaker() {
        return console("SHOW BREAKERS").stream()
                .filter(row -> relayed().equals(row.getFirst()))
                .findFirst()
                .orElseThrow();
    }

    private String state() {
        return String.valueOf(breaker().get(STATE));
    }

    private int timesOpened() {
        return Integer.parseInt(Objects.requireNonNull(breaker().get(TIMES_OPENED)));
    }

    /** Who waits does so each time; a machine that stands still does not. */
    private static void assertAtOnce(Runnable work) {
        Duration best = AT_ONCE;
        for (int i = 0; i < 5 && best.compareTo(AT_ONCE) >= 0; i++) {
            long begun = System.nanoTime();
            work.run();
            best = Duration.ofNanos(System.nanoTime() - begun);
        }
        assertThat(best).isLessThan(AT_ONCE);
    }

    /** Reads, none of which fails, until the breaker is open. */
    private void readUntilOpen(RawClient client) {
        await().until(() -> {
            assertThat(RoutedProxy.whoAnswers(client, 20)).doesNotContainKey(victim());
            return state().equals("open");
        });
    }

    private double weight(RoutedProxy routed) {
        return Double.parseDouble(Objects.requireNonNull(
                Objects.requireNonNull(routed.shownReplicas().get(relay().port()))
                        .get(4)));
    }

    @Test
    void aReplicaThatFailsLoginsGetsNoReadsIsTriedByOneLoginAtATimeAndComesBackSlowly() throws Exception {
        RoutedProxy routed = startBeforeReplica();
        try (RawClient client = proxied().login()) {
            relay().bar(ROLE, true);
            relay().cut(ROLE);
            readUntilOpen(client);
            int before = relay().turnedAway();
            int opened = timesOpened();
            assertThat(breaker().get(1)).isEqualTo("replica");
            assertThat(breaker().get(LAST_FAILURE)).startsWith("08006 ");
            assertThat(console("SHOW HOSTS"))
                    .extracting(row -> row.get(3))
                    .containsExactly("primary", "replica", "replica");
            assertThat(RoutedProxy.port(client.query("/* pgproxy: host=" + relayed() + " */ " + RoutedProxy.HERE)
                            .readUntilReady()))
                    .as("a hint does not help")
                    .isEqualTo(primary.port());
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                assertThat(RoutedProxy.whoAnswers(client, 20)).doesNotContainKey(victim());
                return timesOpened() >= opened + 3;
            });
            int again = timesOpened() - opened;
            assertThat(relay().turnedAway() - before)
                    .as("logins for each time that it was tried")
                    .isBetween(again, again + 1);

            long mended = System.nanoTime();
            relay().admit();
            await().atMost(Duration.ofSeconds(10))
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> state().equals("closed"));
            double first = weight(routed);
            assertThat(first).isLessThan(0.5);
            await().until(() -> RoutedProxy.whoAnswers(client, 50).containsKey(victim()));
            assertThat(Duration.ofNanos(System.nanoTime() - mended)).isLessThan(Duration.ofSeconds(20));
            await().until(() -> weight(routed) > first + 0.1);
        }
    }

    @Test
    void aHostThatIsConfiguredNoMoreIsForgotten() throws Exception {
        startBeforeReplica();
        try (RawClient client = proxied().login()) {
            relay().bar(ROLE, true);
            relay().cut(ROLE);
            readUntilOpen(client);
            Objects.requireNonNull(proxy)
                    .reload(configuration(
                            "primary = \"" + primary.host() + ":" + primary.port() + "\"",
                            TestCluster.watching(cluster)));
            assertThat(console("SHOW BREAKERS"))
                    .extracting(List::getFirst)
                    .as("and with them its alert")
                    .doesNotContain(relayed());
            assertThat(RoutedProxy.whoAnswers(client, 5)).containsOnlyKeys(primary.port());
        }
    }

    @Test
    void aReplicaThatHangsDelaysNoReadOnceItsBreakerIsOpen() throws Exception {
        startBeforeReplica();
        try (RawClient client = proxied().login()) {
            relay().bar(ROLE, false);
            relay().cut(ROLE);
            await().atMost(Duration.ofSeconds(60)).until(() -> {
                assertThat(RoutedProxy.port(client.query(RoutedProxy.HERE).readUntilReady()))
                        .isNotEqualTo(victim());
                return state().equals("open");
            });
            int opened = timesOpened();
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                assertAtOnce(
                        () -> RoutedProxy.port(client.query(RoutedProxy.HERE).readUntilReady()));
                return timesOpened() > opened; // it was tried meanwhile, by nobody who reads
            });
            relay().admit();
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> RoutedProxy.whoAnswers(client, 50).containsKey(victim()));
        }
    }

    /** Nobody watches this one, so nobody waits for it to come back. */
    @Test
    void aPrimaryThatHangsIsAnErrorAtOnceAndIsUsedWhenItIsBack() throws Exception {
        relay = TcpRelay.to("127.0.0.1", primary.port());
        start("primary = \"" + relayed() + "\"", "server_connect_timeout = 1s\nbreaker_failures = 3\n");
        relay().bar(ROLE, false);
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            assertThat(refusal().field('C')).isEqualTo("08006");
            return state().equals("open");
        });
        int before = relay().turnedAway();
        await().until(() -> {
            assertAtOnce(() -> assertThat(refusal().field('H')).as("hint").isNotEmpty());
            return relay().turnedAway() > before + 1; // it is tried, by nobody who waits for it
        });
        relay().admit();
        await().atMost(Duration.ofSeconds(10)).ignoreExceptions().until(() -> {
            proxied().login().close();
            return true;
        });
        await().until(() -> state().equals("closed"));
    }

    /** It lets everybody in, and loses them in the middle of something. */
    @Test
    void aReplicaThatBreaksConnectionsIsLeftAloneToo() throws Exception {
        startBeforeReplica();
        console("SET breaker_failures = 1");
        try (RawClient client = proxied().login()) {
            String there = "/* pgproxy: host=" + relayed() + " */ ";
            await().until(() ->
                    RoutedProxy.port(client.query(there + RoutedProxy.HERE).readUntilReady()) != primary.port());
            client.query(there + "SELECT port FROM slow");
            await().until(this::isAsleep);
            relay().cut(ROLE);
            assertThat(RoutedProxy.port(client.readUntilReady())).isEqualTo(primary.port());
            await().until(() -> timesOpened() == 1);
            assertThat(breaker().get(LAST_FAILURE)).isEqualTo("a connection was lost");
        }
    }

    private boolean isAsleep() throws SQLException {
        try (Connection connection = cluster.replicas().getFirst().connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                        + " AND usename = '" + ROLE + "'")) {
            return found.next();
        }
    }

    private Message refusal() {
        try (RawClient client = proxied().connect()) {
            return client.login(ROLE, "secret", database).stream()
                    .filter(message -> message.type() == 'E')
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void whatTheClientIsToBlameForIsNoFailureOfTheHost() throws Exception {
        startBeforeReplica();
        Endpoint direct = new Endpoint(primary.host(), primary.port(), database, "postgres", TestCluster.PASSWORD);
        try (RawClient client = proxied().login()) {
            client.query("/* pgproxy: primary */ " + RoutedProxy.HERE).readUntilReady(); // there is a server on it
            direct.run("ALTER ROLE " + ROLE + " CONNECTION LIMIT 0");
            cluster.awaitReplicas();
            int before = relay().codes().size();
            relay().cut(ROLE);
            await().until(() -> {
                assertThat(RoutedProxy.whoAnswers(client, 20)).doesNotContainKey(victim());
                return relay().codes().size() > before + 10;
            });
            assertThat(state()).isEqualTo("closed");
            assertThat(timesOpened()).isZero();
        }
    }

    @Test
    void reloadChangesWhenItOpens() throws Exception {
        startBeforeReplica();
        console("SET breaker_failures = 1");
        try (RawClient client = proxied().login()) {
            relay().bar(ROLE, true);
            relay().cut(ROLE);
            readUntilOpen(client);
            assertThat(breaker().get(3)).isEqualTo("1");
            console("SET breaker_open_time = 0");
            assertThat(state()).isEqualTo("closed");
        }
    }
}
