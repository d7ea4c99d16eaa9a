package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.redis.TestRedis;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Instances;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two instances before one server, over one Redis: each sees what passes through the other. */
class InstancesIT {
    private static final String READ = "SELECT v FROM t WHERE id = 1";

    private final EmbeddedPostgres primary = TestCluster.primary();
    private final String database = TestCluster.freshDatabase(primary);
    private TestRedis redis;
    private PgProxy one;
    private PgProxy two;

    @BeforeEach
    void start() throws Exception {
        Endpoint direct = new Endpoint(primary.host(), primary.port(), database, "postgres", TestCluster.PASSWORD);
        direct.run("CREATE TABLE t (id int PRIMARY KEY, v int)");
        direct.run("INSERT INTO t VALUES (1, 10), (2, 20)");
        redis = new TestRedis();
        one = PgProxy.start(ConfigLoader.parse(configuration(redis.port())));
        two = PgProxy.start(ConfigLoader.parse(configuration(redis.port())));
    }

    private String configuration(int redisPort) {
        return "listen_port = 0\nhttp_addr = []\nlog_connections = false\nlog_disconnections = false\nadmin_users = [postgres]\n"
                + "auth_type = trust\ncache_mode = on\nchange_feed = off\nredis_url = \"redis://127.0.0.1:" + redisPort
                + "\"\nredis_secret = \"no secret, but long enough\"\ndatabases { \"*\" { primary = \""
                + primary.host()
                + ":" + primary.port() + "\" } }\ncontrol_user = postgres\ncontrol_password = \""
                + primary.superuserPassword() + "\"\nusers { postgres { password = \"" + primary.superuserPassword()
                + "\" }\nreader { password = \"of the reader\" } }\n";
    }

    @AfterEach
    void stop() throws Exception {
        two.close();
        one.close();
        redis.close();
    }

    private RawClient login(PgProxy proxy) {
        RawClient client = new Endpoint("127.0.0.1", proxy.port(), database, "postgres", TestCluster.PASSWORD).login();
        await().until(() -> state(proxy).catalog() != null && state(proxy).knowsOfAll());
        return client;
    }

    private DatabaseState state(PgProxy proxy) {
        return proxy.services().routes().all().stream()
                .filter(state -> state.database().name().equals(database))
                .findFirst()
                .orElseThrow();
    }

    private boolean isHit(PgProxy proxy, RawClient client, String sql) {
        long before = state(proxy).counts().of(CacheReason.HIT);
        client.query(sql).readUntilReady();
        return state(proxy).counts().of(CacheReason.HIT) > before;
    }

    @Test
    void aWriteThroughTheOtherIsSeenByTheNextRead() {
        try (RawClient a = login(one);
                RawClient b = login(two)) {
            for (int i = 0; i < 20; i++) {
                RawClient writer = i % 2 == 0 ? a : b;
                RawClient reader = i % 2 == 0 ? b : a;
                PgProxy readers = i % 2 == 0 ? two : one;
                await().until(() -> isHit(readers, reader, READ));
                writer.query("UPDATE t SET v = " + (100 + i) + " WHERE id = 1").readUntilReady();
                assertThat(value(reader, READ)).isEqualTo(String.valueOf(100 + i));
            }
        }
    }

    @Test
    void aDefinitionChangedThroughTheOtherIsSeen() {
        try (RawClient a = login(one);
                RawClient b = login(two)) {
            a.query("CREATE VIEW w AS SELECT v FROM t WHERE id = 1").readUntilReady();
            await().until(() -> state(two).catalog() != null && isHit(two, b, "SELECT v FROM w"));
            a.query("CREATE OR REPLACE VIEW w AS SELECT v FROM t WHERE id = 2").readUntilReady();
            assertThat(value(b, "SELECT v FROM w")).isEqualTo("20");
        }
    }

    @Test
    void aRightTakenAwayInAnotherDatabaseThroughTheOtherIsGone() {
        Endpoint elsewhere = new Endpoint(
                "127.0.0.1", one.port(), TestCluster.freshDatabase(primary), "postgres", TestCluster.PASSWORD);
        try (RawClient a = elsewhere.login();
                RawClient owner = login(two)) {
            for (String sql : List.of(
                    "CREATE ROLE readers",
                    "CREATE ROLE reader LOGIN PASSWORD 'of the reader'",
                    "GRANT SELECT ON t TO readers")) {
                owner.query(sql).readUntilReady();
            }
            try (RawClient b =
                    new Endpoint("127.0.0.1", two.port(), database, "reader", TestCluster.PASSWORD).login()) {
                for (int i = 0; i < 5; i++) {
                    a.query("GRANT readers TO reader").readUntilReady();
                    await().until(() -> state(two).catalog() != null && isHit(two, b, READ));
                    a.query("REVOKE readers FROM reader").readUntilReady();
                    assertThat(b.query(READ).readUntilReady().toString()).contains("permission denied");
                }
            } finally {
                owner.query("DROP OWNED BY readers").readUntilReady();
                owner.query("DROP ROLE reader, readers").readUntilReady();
            }
        }
    }

    @Test
    void anInstanceThatDoesNotKnowTheDatabasesNameYetIsHeardAllTheSame() {
        try (RawClient b = login(two)) {
            await().until(() -> isHit(two, b, READ));
            Instances others = Objects.requireNonNull(one.services().routes().instances());
            await().until(others::mayServe);
            Endpoint first = new Endpoint("127.0.0.1", one.port(), database, "postgres", TestCluster.PASSWORD);
            try (RawClient a = first.login()) {
                a.query("UPDATE t SET v = 11 WHERE id = 1").readUntilReady();
                assertThat(value(b, READ)).isEqualTo("11");
            }
        }
    }

    @Test
    void whatOneHasKeptTheOtherNeedNotAsk() {
        try (RawClient a = login(one);
                RawClient b = login(two)) {
            Instances shared = Objects.requireNonNull(state(one).instances());
            Instances others = Objects.requireNonNull(state(two).instances());
            AtomicInteger other = new AtomicInteger();
            await().untilAsserted(
                            () -> { // the first look-up only connects, and Redis may be late
                                String read = "SELECT v FROM t WHERE id = 2 AND v > -" + other.incrementAndGet();
                                long stores = shared.tier().counters().stores();
                                await().until(() -> isHit(one, a, read));
                                await().until(() -> shared.tier().counters().stores() > stores);
                                assertThat(isHit(two, b, read)).isTrue();
                            });
            assertThat(others.tier().counters().hits()).isPositive();
        }
    }

    @Test
    void whatIsNotToBeSharedIsAskedByEach() {
        for (PgProxy proxy : List.of(one, two)) {
            new Endpoint("127.0.0.1", proxy.port(), "pgproxy", "postgres", TestCluster.PASSWORD)
                    .run("SET cache_shared = false");
        }
        try (RawClient a = login(one);
                RawClient b = login(two)) {
            await().until(() -> isHit(one, a, READ));
            await().until(() -> isHit(one, a, READ)); // from the second time on it would be shared
            long misses = state(two).counts().of(CacheReason.MISS);
            await().until(() -> isHit(two, b, READ));
            assertThat(state(two).counts().of(CacheReason.MISS)).isGreaterThan(misses);
            for (PgProxy proxy : List.of(one, two)) {
                Instances instances = Objects.requireNonNull(state(proxy).instances());
                assertThat(instances.tier().counters().stores()).isZero();
                assertThat(instances.tier().counters().hits()).isZero();
            }
            a.query("UPDATE t SET v = 55 WHERE id = 1").readUntilReady();
            assertThat(value(b, READ)).isEqualTo("55");
        }
    }

    @Test
    void withoutRedisEveryReadIsTheServers() throws Exception {
        try (RawClient a = login(one);
                RawClient b = login(two)) {
            await().until(() -> isHit(two, b, READ));
            redis.kill();
            a.query("UPDATE t SET v = 77 WHERE id = 1").readUntilReady();
            assertThat(value(b, READ)).isEqualTo("77");
            await().until(() -> !state(one).knowsOfAll() && !state(two).knowsOfAll());
            for (RawClient each : List.of(a, b)) {
                assertThat(value(each, READ)).isEqualTo("77");
            }
            assertThat(state(two).counts().of(CacheReason.APART)).isPositive();
            redis.start();
            await().until(() ->
                    Stream.of(one, two).allMatch(proxy -> state(proxy).knowsOfAll()));
            await().until(() -> isHit(two, b, READ));
        }
    }
}
