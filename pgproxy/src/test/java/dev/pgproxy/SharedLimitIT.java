package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.redis.TestRedis;
import dev.pgproxy.cache.redis.TokenBank;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two proxies with one limit, over one Redis. */
class SharedLimitIT {
    private static final String READ = "TDCZ";

    private final EmbeddedPostgres primary = TestCluster.primary();
    private final String database = TestCluster.freshDatabase(primary);
    private final List<PgProxy> proxies = new ArrayList<>();
    private TestRedis redis;

    @BeforeEach
    void startRedis() throws IOException {
        redis = new TestRedis();
    }

    private static TokenBank bank(PgProxy proxy) {
        return Objects.requireNonNull(proxy.services().routes().instances()).bank();
    }

    private void start(String settings) throws Exception {
        for (int i = 0; i < 2; i++) {
            proxies.add(PgProxy.start(ConfigLoader.parse("listen_port = 0\nhttp_addr = []\nlog_connections = false\n"
                    + "log_disconnections = false\nadmin_users = [postgres]\nauth_type = trust\n"
                    + "redis_url = \"redis://127.0.0.1:" + redis.port()
                    + "\"\nredis_secret = \"no secret, but long enough\"\ndatabases { \"*\" { primary = \""
                    + primary.host() + ":" + primary.port() + "\" } }\ncontrol_user = postgres\ncontrol_password = \""
                    + primary.superuserPassword() + "\"\nusers { postgres { password = \""
                    + primary.superuserPassword() + "\" } }\n" + settings)));
        }
        await().until(() -> proxies.stream()
                .allMatch(proxy -> bank(proxy).isOpen() && bank(proxy).instances() == 2));
    }

    @AfterEach
    void stop() throws Exception {
        for (PgProxy proxy : proxies) {
            proxy.close();
        }
        redis.close();
    }

    private RawClient login(int proxy, String name) {
        return login(proxy, name, "postgres");
    }

    private RawClient login(int proxy, String name, String user) {
        return new Endpoint("127.0.0.1", proxies.get(proxy).port(), name, user, TestCluster.PASSWORD).login();
    }

    private static String ask(RawClient client) {
        return ask(client, "SELECT 1");
    }

    private static String ask(RawClient client, String sql) {
        return Message.types(client.query(sql).readUntilReady());
    }

    private static List<String> shown(RawClient console) {
        return Message.rows(console.query("SHOW RATE_LIMITS").readUntilReady()).stream()
                .map(row -> String.join(" ", row.stream().map(String::valueOf).toList()))
                .toList();
    }

    @Test
    void theLimitHoldsOverBothTogetherAndWhatIsLeftIsForWhoAsks() throws Exception {
        start("user_rate_limit = 12/3s");
        try (RawClient a = login(0, database);
                RawClient b = login(1, database);
                RawClient console = login(0, "pgproxy")) {
            // until Redis remembers a window, and none before it counts
            await().pollInterval(Duration.ofMillis(3500)).untilAsserted(() -> {
                int before = 0;
                for (int i = 0; i < 10; i++) {
                    before += ask(a).equals(READ) ? 1 : 0;
                }
                assertThat(before).isEqualTo(10);
            });
            assertThat(shown(console)).singleElement().asString().contains(" 3000 10 ", " yes ");
            assertThat(ask(b) + ask(b)).isEqualTo(READ + READ);
            Message error = b.query("SELECT 1").readUntilReady().getFirst();
            assertThat(error.field('C')).isEqualTo("53400");
            assertThat(error.field('M')).isEqualTo("rate limit of user \"postgres\" is reached: 12/3s");
            assertThat(error.field('H')).matches("Try again in [1234] seconds?\\.");
            assertThat(ask(a)).isEqualTo("EZ");
        }
    }

    @Test
    void theRateOfARuleHoldsOverBothToo() throws Exception {
        start("statement_rules { few { pattern = \"^select few\", rate = \"12/3s\" } }");
        try (RawClient a = login(0, database);
                RawClient b = login(1, database);
                RawClient console = login(1, "pgproxy")) {
            await().pollInterval(Duration.ofMillis(3500)).untilAsserted(() -> {
                int before = 0;
                for (int i = 0; i < 10; i++) {
                    before += ask(a, "SELECT few FROM (SELECT 1) few").equals(READ) ? 1 : 0;
                }
                assertThat(before).isEqualTo(10);
            });
            assertThat(ask(b, "BEGIN")).isEqualTo("CZ");
            assertThat(ask(b, "SELECT 1")).isEqualTo(READ);
            for (int i = 0; i < 2; i++) {
                assertThat(ask(b, "SELECT few FROM (SELECT 1) few"))
                        .as("waits for Redis on a server")
                        .isEqualTo(READ);
            }
            Message error =
                    b.query("SELECT few FROM (SELECT 1) few").readUntilReady().getFirst();
            assertThat(error.field('C')).isEqualTo("53400");
            assertThat(error.field('M')).isEqualTo("rate limit of rule \"few\" is reached: 12/3s");
            assertThat(error.field('H')).matches("Try again in [1234] seconds?\\.");
            assertThat(ask(b, "COMMIT")).as("aborted").isEqualTo("CZ");
            assertThat(ask(a, "SELECT few FROM (SELECT 1) few")).isEqualTo("EZ");
            assertThat(ask(a)).isEqualTo(READ);
            assertThat(shown(console)).singleElement().asString().startsWith("rule few 12 3000 2 2 1 yes ");
        }
    }

    @Test
    void whenRedisIsKilledOrFrozenNoQueryFailsOrWaits() throws Exception {
        String exempt = TestCluster.freshRole("secret");
        start("rate_limit = 1000000/s\ndb_rate_limit = 1000000/s\nuser_rate_limit = 1000000/s\nrate_limit_exempt = ["
                + exempt + "]\nusers { " + exempt + " { password = secret } }");
        try (RawClient a = login(0, database);
                RawClient b = login(1, database);
                RawClient c = login(0, database, exempt);
                RawClient d = login(1, database, exempt);
                RawClient console = login(0, "pgproxy")) {
            read(new Times(a, b), new Times(c, d), 4); // servers are logged in to
            // a machine that stalls strikes one query now and then, a wait for Redis strikes in each round
            List<String> late = new ArrayList<>();
            while (late.size() < 4) {
                Times limited = new Times(a, b);
                Times free = new Times(c, d);
                round(limited, free, console);
                if (limited.longest < 50_000_000L + 2 * free.longest) {
                    return;
                }
                late.add(limited.longest / 1000 + " of " + free.longest / 1000);
            }
            assertThat(late)
                    .as("the longest query in each round, and the longest that nothing limits, in µs")
                    .isEmpty();
        }
    }

    private void round(Times limited, Times free, RawClient console) throws IOException {
        read(limited, free, 300);
        redis.freeze();
        read(limited, free, 500);
        assertThat(shown(console)).allSatisfy(row -> assertThat(row).contains(" apart "));
        redis.thaw();
        read(limited, free, 300);
        redis.kill();
        read(limited, free, 500);
        redis.start();
        await().untilAsserted(() -> {
            read(limited, free, 1);
            assertThat(shown(console)).allSatisfy(row -> assertThat(row).contains(" yes "));
        });
    }

    /** How long queries took: those that nothing limits tell how busy the machine is. */
    private static final class Times {
        private final List<RawClient> clients;
        private long longest;
        private int count;

        Times(RawClient... clients) {
            this.clients = List.of(clients);
        }

        void read() {
            long begun = System.nanoTime();
            List<Message> answer =
                    clients.get(count++ % clients.size()).query("SELECT 1").readUntilReady();
            assertThat(Message.types(answer))
                    .as(() -> answer.getFirst().field('M'))
                    .isEqualTo(READ);
            longest = Math.max(longest, System.nanoTime() - begun);
        }
    }

    private static void read(Times limited, Times free, int times) {
        for (int i = 0; i < times; i++) {
            limited.read();
            free.read();
        }
    }
}
