package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code cache_warm}: results are kept before the first client asks, as if it had. */
final class CacheWarmingIT {
    private static final String READ = "SELECT v FROM t WHERE id = 1";
    private static final String WIDE = "SELECT * FROM wide WHERE id <= $1";

    private final EmbeddedPostgres server = TestCluster.replicated().primary();
    private final String database = TestCluster.freshDatabase(server);
    private final Endpoint direct =
            new Endpoint(server.host(), server.port(), database, "postgres", TestCluster.PASSWORD);
    private String text = "";
    private @Nullable PgProxy proxy;

    @BeforeEach
    void schema() {
        Stream.of(
                        "CREATE TABLE t (id int PRIMARY KEY, v float8)",
                        "INSERT INTO t SELECT i, i * 10 FROM generate_series(1, 3) i",
                        "CREATE TABLE wide AS SELECT i AS id, repeat('x', 1000) FROM generate_series(1, 200) i")
                .forEach(direct::run);
    }

    @AfterEach
    void stop() {
        if (proxy != null) {
            proxy.close();
        }
    }

    /** Clients need their password here: a warming query has none. */
    private void start(String settings) throws ConfigProblems, IOException {
        text = text(settings);
        proxy = PgProxy.start(ConfigLoader.parse(text), () -> ConfigLoader.parse(text));
    }

    private String text(String settings) {
        return "listen_port = 0\nhttp_addr = []\nlog_connections = false\nlog_disconnections = false\nadmin_users = [postgres]\n"
                + "cache_mode = on\nchange_feed = off\ndatabases { \"*\" { primary = \"" + server.host() + ":"
                + server.port() + "\" } }\n" + TestCluster.watching(TestCluster.replicated())
                + "users { postgres { password = \"" + server.superuserPassword() + "\" } }\n" + settings;
    }

    private String warm(String name, String query, String more) {
        return "cache_warm { " + name + " { database = " + database + ", user = postgres, query = \"" + query + "\" "
                + more + " } }\n";
    }

    private PgProxy proxy() {
        return Objects.requireNonNull(proxy);
    }

    private Endpoint proxied(String to) {
        return new Endpoint("127.0.0.1", proxy().port(), to, "postgres", TestCluster.PASSWORD);
    }

    private List<String> shown(String name) {
        return Message.rows(proxied("pgproxy").run("SHOW CACHE WARMING")).stream()
                .map(row -> row.stream().map(String::valueOf).toList())
                .filter(row -> row.getFirst().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private void awaitShown(String name) {
        await().until(() -> Message.rows(proxied("pgproxy").run("SHOW CACHE WARMING")).stream()
                .anyMatch(row -> name.equals(row.getFirst())));
    }

    private long runs(String name) {
        return Long.parseLong(shown(name).get(4));
    }

    private String result(String name) {
        return shown(name).getLast();
    }

    private void awaitKept(String name) {
        await().untilAsserted(() -> assertThat(result(name)).isEqualTo("kept"));
    }

    private DatabaseState state() {
        return proxy().services().routes().all().stream()
                .filter(state -> state.database().name().equals(database))
                .findFirst()
                .orElseThrow();
    }

    private boolean isHit(RawClient client, String sql) {
        long before = state().counts().of(CacheReason.HIT);
        client.query(sql).readUntilReady();
        return state().counts().of(CacheReason.HIT) > before;
    }

    @Test
    void theFirstClientFindsTheResult() throws Exception {
        start(warm("one", READ, "") + warm("large", "SELECT * FROM wide", ""));
        awaitKept("one");
        awaitKept("large");
        try (RawClient c = proxied(database).login()) {
            assertThat(isHit(c, READ)).isTrue();
            assertThat(isHit(c, "SELECT * FROM wide")).isTrue();
            assertThat(Message.rows(c.query("SELECT * FROM wide").readUntilReady()))
                    .hasSize(200);
        }
        List<String> shown = shown("one");
        assertThat(shown.subList(0, 6)).containsExactly("one", database, "postgres", "", "1", "0");
        assertThat(shown.get(6)).startsWith("20");
        assertThat(Long.parseLong(shown.get(7))).isNotNegative();
        assertThat(Message.rows(proxied("pgproxy").run("SHOW CLIENTS"))).noneMatch(row -> row.contains(database));
    }

    @Test
    void settingsMakeTheSessionTheApplications() throws Exception {
        start(warm("one", READ, ", settings { extra_float_digits = 0, DateStyle = \"German\" }"));
        awaitKept("one");
        try (RawClient other = proxied(database).login();
                RawClient c = RawClient.connect("127.0.0.1", proxy().port())) {
            c.login(
                    196608,
                    TestCluster.PASSWORD,
                    RawClient.parameters(
                            "user",
                            "postgres",
                            "database",
                            database,
                            "datestyle",
                            "German",
                            "extra_float_digits",
                            "0"));
            assertThat(isHit(other, READ)).isFalse();
            assertThat(isHit(c, READ)).isTrue();
        }
    }

    @Test
    void whatWasWrittenIsAskedAnewByTheClock() throws Exception {
        start(warm("one", READ, ", every = 200ms"));
        awaitKept("one");
        try (RawClient c = proxied(database).login()) {
            for (int i = 0; i < 3; i++) {
                c.query("UPDATE t SET v = v + 1 WHERE id = 1").readUntilReady();
                long before = runs("one");
                await().until(() -> runs("one") >= before + 2);
                awaitKept("one");
                assertThat(isHit(c, READ)).isTrue();
            }
            assertThat(value(c, READ)).isEqualTo("13");
        }
    }

    @Test
    void whyAResultIsNotKeptIsShown() throws Exception {
        start(warm("time", "SELECT now(), v FROM t", "")
                + warm("wrong", "SELECT missing FROM t", ", every = 200ms")
                + "cache_warm { nobody { database = " + database + ", user = nobody_here, query = \"" + READ
                + "\" } }\n");
        await().untilAsserted(() -> assertThat(result("time")).startsWith("moment: "));
        await().untilAsserted(() -> assertThat(result("wrong")).startsWith("42703: "));
        await().untilAsserted(() -> assertThat(result("nobody")).matches("(?s)[0-9A-Z]{5}: .*nobody_here.*"));
        assertThat(runs("time")).isEqualTo(1);
        direct.run("ALTER TABLE t ADD COLUMN missing int");
        awaitKept("wrong");
    }

    @Test
    void theDefinitionsAreAwaited() throws Exception {
        try (RawClient locking = direct.login()) {
            locking.query("BEGIN; LOCK TABLE pg_policy IN ACCESS EXCLUSIVE MODE")
                    .readUntilReady();
            start(warm("one", READ, ""));
            await().until(() -> !"0".equals(value(locking, "SELECT count(*) FROM pg_locks WHERE NOT granted")));
            await().untilAsserted(() -> assertThat(result("one")).startsWith("the definitions"));
            assertThat(runs("one")).isZero();
            locking.query("ROLLBACK").readUntilReady();
        }
        awaitKept("one");
        try (RawClient c = proxied(database).login()) {
            assertThat(isHit(c, READ)).isTrue();
        }
    }

    /** The driver asks by name and without Describe, and reads by heart what the column gives. */
    @Test
    void whatClientsAskMostIsAskedAgainOnceAllIsForgotten() throws Exception {
        start("cache_warm_most_asked = 2\n");
        try (RawClient simple = proxied(database).login();
                RawClient named = proxied(database).login();
                RawClient rare = proxied(database).login()) {
            simple.query("SET DateStyle = 'German'").readUntilReady();
            named.query("SET extra_float_digits TO -3").readUntilReady();
            named.parse("s", WIDE).describeStatement("s").sync().readUntilReady();
            awaitCatalog();
            askOften(simple, named);
            isHit(rare, "SELECT v FROM t WHERE id = 2");
            awaitShown("(most asked)");
            for (String forget : List.of("CACHE FLUSH", "ALTER TABLE t ADD COLUMN more int")) {
                Endpoint where = forget.startsWith("CACHE") ? proxied("pgproxy") : proxied(database);
                long rounds = runs("(most asked)");
                where.run(forget);
                await().until(() -> runs("(most asked)") > rounds);
                assertThat(result("(most asked)")).isEqualTo("asked again: 2");
                assertThat(isHit(simple, READ)).isTrue();
                assertThat(isHit(named, 100)).isTrue();
                assertThat(isHit(rare, "SELECT v FROM t WHERE id = 2")).isFalse();
            }
        }
    }

    @Test
    void afterARestartToo(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("most-asked");
        String settings = "cache_warm_most_asked = 2\ncache_warm_file = \"" + file + "\"\n";
        start(settings);
        try (RawClient simple = proxied(database).login();
                RawClient named = proxied(database).login()) {
            named.parse("s", WIDE).describeStatement("s").sync().readUntilReady();
            awaitCatalog();
            askOften(simple, named);
        }
        proxy().close();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        start(settings);
        awaitShown("(most asked)");
        await().untilAsserted(() -> assertThat(result("(most asked)")).isEqualTo("asked again: 2"));
        try (RawClient simple = proxied(database).login();
                RawClient named = proxied(database).login()) {
            named.parse("s", WIDE).describeStatement("s").sync().readUntilReady();
            assertThat(isHit(simple, READ)).isTrue();
            assertThat(isHit(named, 100)).isTrue();
        }
        proxy().close();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        start(settings);
        assertThat(proxy().services().routes().results().hot().top()).isEmpty();
    }

    /** Until the one in 64 that is looked at was met of both. */
    private void askOften(RawClient simple, RawClient named) {
        for (int i = 0; i < 200; i++) {
            isHit(simple, READ);
            isHit(named, 100);
        }
        assertThat(proxy().services().routes().results().hot().top()).hasSize(2);
    }

    private void awaitCatalog() {
        await().until(() -> state().catalog() != null);
    }

    private boolean isHit(RawClient client, int most) {
        long before = state().counts().of(CacheReason.HIT);
        client.batch(
                all -> all.bind("", "s", Integer.toString(most)).execute("").sync());
        client.readUntilReady();
        return state().counts().of(CacheReason.HIT) > before;
    }

    @Test
    void itGivesWayToClientsThatWaitForServers() throws Exception {
        start("default_pool_size = 1\n");
        try (RawClient holding = proxied(database).login();
                RawClient waiting = proxied(database).login()) {
            isHit(holding, READ);
            awaitCatalog();
            holding.query("BEGIN").readUntilReady();
            holding.query("UPDATE t SET v = 0 WHERE id = 1").readUntilReady();
            waiting.query("SELECT count(*) FROM pg_class");
            await().until(() -> proxy().pools().all().stream().anyMatch(Pool::hasWaiting));
            text = text("default_pool_size = 1\n" + warm("one", READ, ", every = 100ms"));
            proxy().reload().toCompletableFuture().join();
            awaitShown("one");
            await().until(() -> skipped() > 0);
            long runs = runs("one");
            long skipped = skipped();
            await().until(() -> skipped() > skipped + 1);
            assertThat(runs("one")).isEqualTo(runs);
            holding.query("COMMIT").readUntilReady();
            waiting.readUntilReady();
            await().until(() -> runs("one") > runs);
        }
    }

    private long skipped() {
        return Long.parseLong(shown("one").get(5));
    }

    @Test
    void reloadChangesWhatIsAsked() throws Exception {
        start(warm("one", READ, ""));
        awaitKept("one");
        text = text(warm("two", "SELECT v FROM t WHERE id = 2", ""));
        proxied("pgproxy").run("RELOAD");
        awaitKept("two");
        assertThat(Message.rows(proxied("pgproxy").run("SHOW CACHE WARMING"))).hasSize(1);
        text = text("cache_mode = off\n" + warm("two", "SELECT v FROM t WHERE id = 2", ""));
        proxied("pgproxy").run("RELOAD");
        text = text(warm("two", "SELECT v FROM t WHERE id = 2", ""));
        proxied("pgproxy").run("RELOAD");
        await().until(() -> runs("two") >= 2);
        awaitKept("two");
        try (RawClient c = proxied(database).login()) {
            assertThat(isHit(c, "SELECT v FROM t WHERE id = 2")).isTrue();
        }
    }
}
