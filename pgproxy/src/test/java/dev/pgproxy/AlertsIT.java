package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import dev.pgproxy.cache.redis.TestRedis;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.demo.ClusterOptions;
import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.LogLines;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.Webhook;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What happens to real servers arrives at a real webhook. */
@Timeout(240)
final class AlertsIT {
    private static final String QUICKLY = "alert_raise_after = 1s, alert_clear_after = 1s\n";

    private final Webhook webhook = new Webhook();

    private String sinks() {
        return "alert_source = test\nalert_webhooks { hook { token = hush1, url = \"" + webhook.url("/hush2")
                + "\" } }\n";
    }

    private static String configuration(EmbeddedPostgres primary, String replicas, String more) {
        return "listen_port = 0\nhttp_addr = []\nauth_type = trust\nlog_connections = false\nlog_disconnections = false\n"
                + "admin_users = [postgres]\ncontrol_user = postgres\ncontrol_password = \""
                + primary.superuserPassword() + "\"\n"
                + "databases { \"*\" { primary = \"" + primary.host() + ":" + primary.port() + "\"" + replicas
                + " } }\n"
                + "users { postgres { password = \"" + primary.superuserPassword() + "\" } }\n" + more;
    }

    private static Endpoint through(PgProxy proxy, String database) {
        return new Endpoint("127.0.0.1", proxy.port(), database, "postgres", "");
    }

    private static List<List<@Nullable String>> console(PgProxy proxy, String command) {
        return Message.rows(through(proxy, "pgproxy").run(command));
    }

    private boolean told(String event, String alert, String subject) {
        return webhook.accepted().stream().anyMatch(request -> {
            Config json = request.json();
            return json.getString("event").equals(event)
                    && json.getString("alert").equals(alert)
                    && json.getString("subject").startsWith(subject);
        });
    }

    private void awaitTold(String event, String alert, String subject) {
        await(event + " " + alert + " " + subject)
                .atMost(Duration.ofSeconds(60))
                .until(() -> told(event, alert, subject));
    }

    private static void assertShownWithoutSecrets(PgProxy proxy) {
        assertThat(console(proxy, "SHOW ALERT_SINKS")).hasSize(2).anySatisfy(row -> {
            assertThat(row.subList(0, 2)).containsExactly("hook", "json");
            assertThat(Integer.parseInt(String.valueOf(row.get(3)))).isGreaterThanOrEqualTo(8);
        });
        String shown = console(proxy, "SHOW CONFIG").toString() + console(proxy, "SHOW ALERT_SINKS");
        assertThat(shown).contains("alert_hit_rate").doesNotContain("hush");
    }

    @Test
    void hostsThatGoAndComeAndAnotherPrimaryAreToldOfAndNoSecretIs() throws Exception {
        try (LogLines log = LogLines.begin();
                webhook;
                EmbeddedCluster cluster =
                        EmbeddedCluster.start(ClusterOptions.temporary().withReplicas(2), line -> {})) {
            EmbeddedPostgres primary = cluster.primary();
            EmbeddedPostgres first = cluster.replicas().get(0);
            EmbeddedPostgres second = cluster.replicas().get(1);
            String text = configuration(
                    primary, ", " + TestCluster.replicasOf(cluster), "cache_mode = on\n" + QUICKLY + sinks());
            try (PgProxy proxy = PgProxy.start(ConfigLoader.parse(text))) {
                through(proxy, "postgres").run("SELECT 1");
                await().until(() -> console(proxy, "SHOW HOSTS").stream()
                        .map(row -> row.get(3))
                        .toList()
                        .equals(List.of("primary", "replica", "replica")));
                await().until(() -> console(proxy, "SHOW CACHE FEED").getFirst().contains("streaming"));
                await().until(() -> proxy.alerts().view().raised().isEmpty());
                webhook.forget(); // on a busy machine the feed takes a while to begin
                String replica = first.host() + ":" + first.port();

                first.kill9();
                awaitTold("raised", "host_down", replica);
                assertThat(console(proxy, "SHOW ALERTS")).anySatisfy(row -> {
                    assertThat(row.subList(0, 4)).containsExactly("raised", "host_down", replica, "critical");
                    assertThat(row.get(4)).endsWith(" UTC");
                    assertThat(row.get(5)).isNull();
                });
                first.start();
                awaitTold("cleared", "host_down", replica);
                assertThat(console(proxy, "SHOW ALERTS"))
                        .anySatisfy(
                                row -> assertThat(row.subList(0, 3)).containsExactly("cleared", "host_down", replica));

                String configured = primary.host() + ":" + primary.port();
                assertThat(told("raised", "change_feed_lost", "postgres on " + configured))
                        .isFalse();
                primary.kill9();
                awaitTold("raised", "no_primary", configured);
                awaitTold("raised", "host_down", configured);
                awaitTold("raised", "change_feed_lost", "postgres on " + configured);
                TestCluster.execute(second, "SELECT pg_promote()");
                awaitTold("raised", "failover", configured + ", now " + second.host() + ":" + second.port());
                awaitTold("cleared", "no_primary", configured);
                awaitTold("cleared", "failover", configured);
                awaitTold("cleared", "change_feed_lost", "postgres on " + configured);

                assertShownWithoutSecrets(proxy);
            }
            assertThat(webhook.accepted()).allSatisfy(request -> {
                assertThat(request.path()).isEqualTo("/hush2");
                assertThat(request.authorization()).isEqualTo("Bearer hush1");
            });
            assertThat(log.lines())
                    .anyMatch(line -> line.contains("alert host_down"))
                    .noneMatch(line -> line.contains("hush"));
        }
    }

    @Test
    void aPoolThatIsFullStatementsThatFailAndACacheThatNeverHitsAreToldOf() throws Exception {
        EmbeddedPostgres primary = TestCluster.primary();
        String database = TestCluster.freshDatabase(primary);
        String settings = "default_pool_size = 1, alert_pool_wait = 100ms, alert_window = 5s, cache_mode = on\n";
        try (webhook;
                PgProxy proxy =
                        PgProxy.start(ConfigLoader.parse(configuration(primary, "", settings + QUICKLY + sinks())))) {
            Endpoint endpoint = through(proxy, database);
            endpoint.run("CREATE TABLE t (v int)");
            try (RawClient holder = endpoint.login();
                    RawClient waiter = endpoint.login()) {
                holder.query("BEGIN").readUntilReady();
                holder.query("INSERT INTO t VALUES (1)").readUntilReady(); // BEGIN alone needs no server
                waiter.query("INSERT INTO t VALUES (0)");
                awaitTold("raised", "pool_saturated", database + "/postgres");
                holder.query("COMMIT").readUntilReady();
                waiter.readUntilReady();
                awaitTold("cleared", "pool_saturated", database + "/postgres");

                assertThat(told("raised", "error_rate", database)).isFalse();
                await().until(() -> {
                    for (int i = 0; i < 60; i++) {
                        holder.query("SELECT 1/0").readUntilReady();
                    }
                    return told("raised", "error_rate", database);
                });
                await().until(() -> {
                    for (int i = 0; i < 60; i++) {
                        holder.query("UPDATE t SET v = v + 1").readUntilReady();
                        holder.query("SELECT v FROM t").readUntilReady();
                    }
                    return told("raised", "cache_hit_rate", database);
                });
                awaitTold("cleared", "error_rate", database);
            }
        }
    }

    @Test
    void redisThatGoesAndComesIsToldOfAndAReloadTakesTheWebhookAway() throws Exception {
        EmbeddedPostgres primary = TestCluster.primary();
        try (webhook;
                TestRedis redis = new TestRedis()) {
            String text = configuration(
                    primary,
                    "",
                    "redis_url = \"redis://127.0.0.1:" + redis.port()
                            + "\"\nredis_secret = \"no secret, but long enough\"\n" + QUICKLY);
            try (PgProxy proxy = PgProxy.start(ConfigLoader.parse(text + sinks()), () -> ConfigLoader.parse(text))) {
                await().until(() -> console(proxy, "SHOW INSTANCES").getFirst().get(1), "yes"::equals);
                await().until(() -> proxy.alerts().view().raised().isEmpty());
                webhook.forget(); // on a busy machine it takes a while to find Redis
                redis.kill();
                awaitTold("raised", "redis_lost", "redis");
                redis.start();
                awaitTold("cleared", "redis_lost", "redis");

                through(proxy, "pgproxy").run("RELOAD");
                await().until(() -> console(proxy, "SHOW ALERT_SINKS").size() == 1);
            }
        }
    }

    private record Outcome(int exit, String out) {}

    private static Outcome tryAlerts(Path directory, String sinks) throws Exception {
        Path file =
                Files.writeString(directory.resolve("pgproxy.conf"), "databases { \"*\" { primary = db } }\n" + sinks);
        StringWriter out = new StringWriter();
        int exit = new CommandLine(new TryAlerts())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(out))
                .execute("-c", file.toString());
        return new Outcome(exit, out.toString());
    }

    @Test
    void theCommandSaysOfEachSinkWhetherItAccepted(@TempDir Path directory) throws Exception {
        try (webhook) {
            Outcome well = tryAlerts(directory, sinks());
            assertThat(well).isEqualTo(new Outcome(0, "hook (json): accepted" + System.lineSeparator()));
            assertThat(webhook.accepted().getFirst().json().getString("alert")).isEqualTo("test");

            webhook.fail(404);
            Outcome badly = tryAlerts(
                    directory,
                    sinks() + "alert_webhooks { a { format = slack, url = \"http://127.0.0.1:1/hush\" } }\n"
                            + "alert_smtp { host = 127.0.0.1, port = 1, from = \"a@b.example\", to = \"c@d.example\" }\n");
            assertThat(badly.exit()).isEqualTo(1);
            assertThat(badly.out().lines())
                    .hasSize(3)
                    .anyMatch(line -> line.equals("a (slack): FAILED could not connect"))
                    .anyMatch(line -> line.equals("hook (json): FAILED HTTP status 404"))
                    .anyMatch(line -> line.startsWith("c@d.example (mail): FAILED "));
            assertThat(badly.out()).doesNotContain("hush");

            assertThat(tryAlerts(directory, "").exit()).isZero();
            assertThat(tryAlerts(directory, "alert_disk = much\n").exit()).isEqualTo(78);
        }
    }
}
