package dev.pgproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.cache.redis.Coherence;
import dev.pgproxy.health.breaker.BreakerRules;
import dev.pgproxy.routing.Balance;
import dev.pgproxy.routing.CacheWish;
import dev.pgproxy.routing.Consistency;
import dev.pgproxy.routing.PrimaryReads;
import dev.pgproxy.routing.Priority;
import java.net.URI;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Defaults, a full mapping, and what follows from the numbers together. */
class ProxyConfigTest {
    private static final String ANY = "databases { \"*\" { primary = db } }\n";

    private static final Path FULL = Path.of("src/test/resources/config/valid").toAbsolutePath();

    @Test
    void everySettingHasItsDefault() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(ANY);
        assertThat(config.listen())
                .isEqualTo(new ListenSettings(
                        List.of("127.0.0.1"),
                        6432,
                        null,
                        PosixFilePermissions.fromString("rwxrwxrwx"),
                        1024,
                        List.of(),
                        false,
                        null,
                        true,
                        Duration.ZERO,
                        Duration.ZERO,
                        0));
        assertDefaultPool(config);
        assertThat(config.routing())
                .isEqualTo(new RoutingSettings(
                        Consistency.TABLE,
                        Duration.ofSeconds(10),
                        Balance.ROUND_ROBIN,
                        true,
                        PrimaryReads.FALLBACK,
                        1,
                        true,
                        true,
                        Duration.ofSeconds(10),
                        Duration.ofMillis(100),
                        Duration.ofSeconds(5)));
        assertThat(config.failover())
                .isEqualTo(
                        new FailoverSettings(Failover.FOLLOW, Duration.ofSeconds(10), Duration.ofSeconds(30), false));
        assertThat(config.breakers())
                .isEqualTo(new BreakerRules(50, Duration.ofSeconds(60), 5, Duration.ofSeconds(30), 2));
        assertThat(config.timeouts()).isEqualTo(timeouts(120, 5, 0, 0, 0, 0, 60, 15, 15, 3600, 300, 10, 30, 0, 15));
        assertDefaultAuth(config);
        assertThat(config.clientTls())
                .isEqualTo(new ClientTlsSettings(
                        SslMode.DISABLE, null, null, null, null, List.of("TLSv1.2", "TLSv1.3"), List.of()));
        assertThat(config.serverTls())
                .isEqualTo(new ServerTlsSettings(
                        SslMode.PREFER, null, null, null, null, List.of("TLSv1.2", "TLSv1.3"), List.of()));
        assertDefaultStatistics(config);
        assertThat(config.admin()).isEqualTo(new AdminSettings(List.of(), List.of()));
        assertThat(config.log())
                .isEqualTo(new LogSettings(
                        true, true, true, true, Duration.ofMinutes(1), LogFormat.TEXT, LogLevel.INFO, null));
        assertThat(config.runtime()).isEqualTo(new RuntimeSettings(0, TransportChoice.AUTO, null));
        assertThat(config.peers()).isEqualTo(new PeerSettings(0, Map.of()));
        assertThat(config.databases()).isEmpty();
        assertThat(config.users()).isEmpty();
    }

    private static void assertDefaultPool(ProxyConfig config) {
        assertThat(config.pool())
                .isEqualTo(new PoolSettings(
                        PoolMode.TRANSACTION,
                        20,
                        0,
                        0,
                        Duration.ofSeconds(5),
                        200,
                        2,
                        false,
                        new StartupRules(Set.of("*"), Set.of()),
                        Set.of(),
                        Set.of()));
    }

    private static void assertDefaultStatistics(ProxyConfig config) {
        assertThat(config.statistics())
                .isEqualTo(new StatisticsSettings(true, 5000, Duration.ofMillis(100), 5, Duration.ofMinutes(10), null));
        assertThat(config.queryLog())
                .isEqualTo(new QueryLogSettings(QueryLogTarget.OFF, 1, null, 100L << 20, 10, 1024));
        assertThat(config.slow())
                .isEqualTo(
                        new SlowSettings(null, 10 << 20, 5, false, Duration.ofHours(1), Duration.ofSeconds(5), false));
    }

    private static void assertFullStatistics(ProxyConfig config) {
        assertThat(config.statistics())
                .isEqualTo(new StatisticsSettings(
                        false, 600, Duration.ofMillis(250), 7, Duration.ofMinutes(20), FULL.resolve("stats")));
        assertThat(config.queryLog())
                .isEqualTo(new QueryLogSettings(QueryLogTarget.FILE, 0.25, FULL.resolve("query.log"), 1 << 20, 3, 200));
        assertThat(config.slow().log()).isNotNull().hasFileName("slow.json");
        assertThat(config.slow())
                .isEqualTo(new SlowSettings(
                        config.slow().log(), 1 << 20, 3, true, Duration.ofMinutes(10), Duration.ofSeconds(2), true));
    }

    private static void assertDefaultAuth(ProxyConfig config) {
        assertThat(config.auth().authType()).isEqualTo(AuthType.SCRAM_SHA_256);
        assertThat(config.auth().authUser()).isNull();
        assertThat(config.auth().authQuery()).contains("pg_authid", "$1", "rolcanlogin", "rolvaliduntil");
        assertThat(config.auth().authCacheTtl()).isEqualTo(Duration.ofMinutes(1));
    }

    @Test
    void limitsHaveTheirDefaults() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(ANY);
        assertThat(config.limits()).isEqualTo(new LimitSettings(1000, 0, 0, 0, 0, 0, 16 * 1024 * 1024));
        assertThat(config.rates())
                .isEqualTo(new RateSettings(RateLimit.NONE, RateLimit.NONE, RateLimit.NONE, Set.of()));
        assertThat(config.limitsRates()).isFalse();
    }

    @Test
    void httpHasItsDefaults() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(ANY);
        assertThat(config.http()).isEqualTo(new HttpSettings(List.of("127.0.0.1"), 9127, null, null, null, false));
    }

    @Test
    void alertsHaveTheirDefaults() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(ANY + "alert_smtp {}");
        assertThat(config.alerts())
                .isEqualTo(new AlertSettings(
                        null,
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(30),
                        Duration.ofMinutes(1),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(1),
                        70,
                        10,
                        90,
                        20,
                        AlertTargets.NONE));
    }

    @Test
    void theCacheHasItsDefaults() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(ANY);
        assertThat(config.cache())
                .isEqualTo(new CacheSettings(
                        CacheMode.OFF,
                        256 << 20,
                        1 << 20,
                        Duration.ofSeconds(60),
                        Duration.ofHours(1),
                        ChangeFeedLevel.LOGICAL,
                        Duration.ofSeconds(1),
                        0,
                        Duration.ZERO,
                        true,
                        10,
                        0,
                        null));
        assertThat(config.cacheRules()).isEmpty();
        assertThat(config.statementRules()).isEmpty();
        assertThat(config.warmQueries()).isEmpty();
    }

    private static void alertsAreMapped(ProxyConfig config) {
        AlertTargets targets = new AlertTargets(
                List.of(
                        new WebhookSettings(
                                "any",
                                new Secret("http://10.0.0.9:8080/alerts"),
                                WebhookFormat.JSON,
                                null,
                                new Secret("t0")),
                        new WebhookSettings(
                                "chat", new Secret("https://chat.example/hooks/T0"), WebhookFormat.SLACK, null, null),
                        new WebhookSettings(
                                "oncall",
                                new Secret("https://events.pagerduty.com/v2/enqueue"),
                                WebhookFormat.PAGERDUTY,
                                new Secret("R0"),
                                null)),
                new SmtpSettings(
                        "mail.example",
                        465,
                        "pgproxy@example.com",
                        List.of("a@example.com", "b@example.com"),
                        "pgproxy",
                        new Secret("m0"),
                        SmtpTls.TLS));
        assertThat(config.alerts())
                .isEqualTo(new AlertSettings(
                        "proxy-1",
                        Duration.ofSeconds(6),
                        Duration.ofSeconds(31),
                        Duration.ofMinutes(2),
                        Duration.ofSeconds(7),
                        Duration.ofSeconds(3),
                        60,
                        4,
                        80,
                        9,
                        targets));
        assertThat(config.alerts().toString()).doesNotContain("T0", "R0", "t0", "m0", "10.0.0.9");
    }

    private static void limitsAreMapped(ProxyConfig config) {
        assertThat(config.limits()).isEqualTo(new LimitSettings(2000, 50, 51, 52, 53, 54, 32 * 1024 * 1024));
        assertThat(config.rates())
                .isEqualTo(new RateSettings(
                        new RateLimit(10_000, Duration.ofMinutes(1)),
                        new RateLimit(5000, Duration.ofSeconds(10)),
                        new RateLimit(100, Duration.ofMinutes(1)),
                        Set.of("root", "ops")));
    }

    private static void httpIsMapped(ProxyConfig config) {
        assertThat(config.http())
                .isEqualTo(new HttpSettings(
                        List.of("::1", "10.0.0.1"),
                        9128,
                        "probe",
                        new Secret("h0"),
                        new Secret("0123456789abcdeX"),
                        true));
        assertThat(config.http().toString()).doesNotContain("h0", "abcdeX");
    }

    private static void statementRulesAreMapped(ProxyConfig config) {
        assertThat(config.statementRules())
                .containsExactly(
                        new StatementRule(
                                "a",
                                null,
                                null,
                                null,
                                null,
                                null,
                                true,
                                null,
                                new RateLimit(100, Duration.ofMinutes(1)),
                                Duration.ofSeconds(5),
                                3,
                                1000,
                                1L << 20,
                                Duration.ofSeconds(3),
                                null,
                                null),
                        new StatementRule(
                                "b",
                                "^delete",
                                "0123456789abcdef0123456789abcdef",
                                "alice",
                                "app",
                                "web",
                                true,
                                "no",
                                null,
                                null,
                                null,
                                null,
                                null,
                                null,
                                null,
                                null),
                        new StatementRule(
                                "c",
                                "^select",
                                null,
                                null,
                                null,
                                null,
                                false,
                                null,
                                null,
                                null,
                                null,
                                null,
                                null,
                                null,
                                "LIMIT least($1, 100)",
                                "(?i)limit (\\d+)"));
    }

    private static void blocksOfTheCacheAreMapped(ProxyConfig config) {
        assertThat(config.cacheRules())
                .containsExactly(
                        new CacheRule(
                                "a",
                                null,
                                "0123456789abcdef0123456789abcdef",
                                null,
                                null,
                                null,
                                new CacheWish(true, true, null, List.of())),
                        new CacheRule(
                                "b",
                                "public.orders",
                                null,
                                "alice",
                                "app",
                                "web",
                                new CacheWish(true, false, Duration.ofMinutes(5), List.of("a", "b"))));
        statementRulesAreMapped(config);
        assertThat(config.warmQueries())
                .containsExactly(
                        new WarmQuery(
                                "often",
                                "app",
                                "bob",
                                "SELECT 2",
                                Duration.ofSeconds(5),
                                Map.of("datestyle", "German")),
                        new WarmQuery("once", "app", "alice", "SELECT 1", null, Map.of()));
    }

    private static void routingAndCacheAreMapped(ProxyConfig config, Path directory) {
        assertThat(config.routing())
                .isEqualTo(new RoutingSettings(
                        Consistency.SESSION,
                        Duration.ofSeconds(3),
                        Balance.LEAST_ACTIVE,
                        false,
                        PrimaryReads.ALWAYS,
                        4,
                        false,
                        false,
                        Duration.ofSeconds(5),
                        Duration.ofMillis(200),
                        Duration.ofSeconds(7)));
        assertThat(config.failover())
                .isEqualTo(new FailoverSettings(Failover.OFF, Duration.ofSeconds(6), Duration.ofSeconds(4), true));
        assertThat(config.breakers())
                .isEqualTo(new BreakerRules(40, Duration.ofSeconds(50), 3, Duration.ofSeconds(20), 4));
        assertThat(config.cache())
                .isEqualTo(new CacheSettings(
                        CacheMode.ON,
                        10 << 20,
                        2 << 20,
                        Duration.ofSeconds(8),
                        Duration.ofSeconds(80),
                        ChangeFeedLevel.NOTIFY,
                        Duration.ofMillis(9),
                        12,
                        Duration.ofSeconds(13),
                        false,
                        11,
                        14,
                        directory.resolve("full.hot")));
        blocksOfTheCacheAreMapped(config);
        statementRulesAreMapped(config);
        assertThat(config.instances())
                .isEqualTo(new InstanceSettings(
                        "redis://127.0.0.1:6379",
                        "proxies",
                        new Secret("word"),
                        directory.resolve("full.conf"),
                        "shop",
                        new Secret("0123456789abcdef"),
                        Coherence.PUSH,
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(40)));
    }

    @Test
    void aPresetSaysWhatIsNotSet() throws ConfigProblems {
        ProxyConfig light = ConfigLoader.parse(ANY + "cache_preset = light, cache_ttl = 20s");
        assertThat(light.cache().size()).isEqualTo(64 << 20);
        assertThat(light.cache().ttl()).isEqualTo(Duration.ofSeconds(20));
        assertThat(light.show())
                .contains(
                        new ShownSetting("cache_covered_ttl", "300s", "3600s", true),
                        new ShownSetting("cache_preset", "light", "moderate", false));
        ProxyConfig loaded = ConfigLoader.parse(ANY + "cache_preset = aggressive, cache_ttl = 30s");
        ConfigChanges changes = ConfigChanges.between(light, loaded);
        assertThat(changes.needRestart()).extracting(change -> change.key()).containsExactly("cache_preset");
        assertThat(changes.applied()).extracting(change -> change.key()).containsExactly("cache_ttl");
        assertThat(changes.result().cache().size()).isEqualTo(64 << 20);
        assertThat(loaded.cache().refreshAhead()).isEqualTo(10);
        assertThat(ConfigLoader.parse(ANY + "cache_preset = memory-only")
                        .cache()
                        .shared())
                .isFalse();
        assertThat(ConfigLoader.parse(ANY + "cache_preset = moderate").cache())
                .isEqualTo(ConfigLoader.parse(ANY).cache());
    }

    @Test
    void everySettingIsMappedToItsPlace() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.load(Path.of("src/test/resources/config/valid/full.conf"), Map.of());
        Path directory = Path.of("src/test/resources/config/valid").toAbsolutePath();
        assertThat(config.show()).allSatisfy(shown -> assertThat(shown.value()).isNotEqualTo(shown.defaultValue()));
        assertThat(config.listen())
                .isEqualTo(new ListenSettings(
                        List.of("10.0.0.1", "::1"),
                        7000,
                        directory,
                        PosixFilePermissions.fromString("rwxrwx---"),
                        64,
                        List.of(Cidr.parse("10.0.0.0/8"), Cidr.parse("::1")),
                        true,
                        directory.resolve("handover.sock"),
                        false,
                        Duration.ofSeconds(61),
                        Duration.ofSeconds(62),
                        3));
        assertFullPool(config);
        routingAndCacheAreMapped(config, directory);
        limitsAreMapped(config);
        assertThat(config.timeouts()).isEqualTo(timeouts(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16));
        Path file = directory.resolve("full.conf");
        assertThat(config.auth())
                .isEqualTo(new AuthSettings(
                        AuthType.HBA,
                        file,
                        file,
                        file,
                        "lookup",
                        "SELECT * FROM lookup($1)",
                        "app",
                        Duration.ofMinutes(2),
                        11,
                        "control",
                        new Secret("c")));
        assertFullTls(config, file);
        assertThat(config.admin()).isEqualTo(new AdminSettings(List.of("root", "ops"), List.of("graphs")));
        assertThat(config.log())
                .isEqualTo(new LogSettings(
                        false,
                        false,
                        false,
                        false,
                        Duration.ofSeconds(30),
                        LogFormat.JSON,
                        LogLevel.DEBUG,
                        directory.resolve("log")));
        alertsAreMapped(config);
        httpIsMapped(config);
        assertFullStatistics(config);
        assertFullDatabasesAndUsers(config, directory);
    }

    private static void assertFullPool(ProxyConfig config) {
        assertThat(config.pool())
                .isEqualTo(new PoolSettings(
                        PoolMode.SESSION,
                        21,
                        2,
                        4,
                        Duration.ofSeconds(6),
                        100,
                        3,
                        true,
                        new StartupRules(Set.of("timezone"), Set.of("options")),
                        Set.of("web"),
                        Set.of("jobs", "cron")));
    }

    private static void assertFullTls(ProxyConfig config, Path file) {
        assertThat(config.clientTls())
                .isEqualTo(new ClientTlsSettings(
                        SslMode.REQUIRE,
                        file,
                        new Secret("k"),
                        file,
                        file,
                        List.of("TLSv1.3"),
                        List.of("TLS_AES_256_GCM_SHA384")));
        assertThat(config.serverTls())
                .isEqualTo(new ServerTlsSettings(
                        SslMode.VERIFY_FULL,
                        file,
                        new Secret("s"),
                        file,
                        file,
                        List.of("TLSv1.2"),
                        List.of("TLS_AES_128_GCM_SHA256")));
    }

    private static void assertFullDatabasesAndUsers(ProxyConfig config, Path directory) {
        assertThat(config.runtime()).isEqualTo(new RuntimeSettings(2, TransportChoice.EPOLL, directory.resolve("pid")));
        assertThat(config.peers()).isEqualTo(new PeerSettings(1, Map.of(2, HostAddress.parse("10.0.0.2:6432"))));
        assertThat(config.databases())
                .containsOnly(Map.entry(
                        "app",
                        new DatabaseSettings(
                                "app",
                                new HostAddress("db1", 5433),
                                List.of(
                                        new ReplicaAddress(
                                                new HostAddress("::1", 5434), 3, URI.create("http://h:9100/metrics")),
                                        new ReplicaAddress(new HostAddress("/run/postgresql", 5432))),
                                List.of(),
                                "app_prod",
                                "service",
                                new Secret("p"),
                                "lookup2",
                                "SELECT 1",
                                "auth",
                                PoolMode.STATEMENT,
                                30,
                                3,
                                5,
                                60,
                                70,
                                new RateLimit(7, Duration.ofHours(1)),
                                Duration.ofSeconds(2),
                                "SELECT 2",
                                Map.of("timezone", "UTC", "work_mem", "64MB"))));
        assertThat(config.wildcard())
                .isNotNull()
                .extracting(DatabaseSettings::dbname)
                .isNull();
        assertThat(config.users())
                .containsOnly(Map.entry(
                        "alice",
                        new UserSettings(
                                "alice",
                                new Secret("a\"b"),
                                PoolMode.SESSION,
                                7,
                                4,
                                8,
                                9,
                                RateLimit.NONE,
                                Priority.BATCH,
                                new UserTimeouts(
                                        Duration.ofSeconds(11),
                                        Duration.ofSeconds(12),
                                        Duration.ofSeconds(13),
                                        Duration.ofSeconds(14)))));
    }

    @Test
    void timeOutsOfAUserWinOverTheGeneralOnes() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(ANY + """
                query_timeout = 1s, transaction_timeout = 2s, idle_transaction_timeout = 3s, client_idle_timeout = 4s
                users { alice { query_timeout = 0, client_idle_timeout = 9s }, bob { reserve_pool_size = 6 } }
                """);
        assertThat(config.timeoutsOf("alice"))
                .isEqualTo(timeouts(120, 5, 0, 2, 3, 9, 60, 15, 15, 3600, 300, 10, 30, 0, 15));
        assertThat(config.timeoutsOf("bob")).isSameAs(config.timeouts());
        assertThat(config.timeoutsOf("carol")).isSameAs(config.timeouts());
        assertThat(config.pool(Objects.requireNonNull(config.wildcard()), "bob").reservePoolSize())
                .isEqualTo(6);
    }

    @Test
    void theUserWinsOverTheDatabaseAndTheDatabaseOverTheGeneralSettings() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse("""
                pool_mode = session, default_pool_size = 10, min_pool_size = 6, max_user_connections = 99
                databases {
                  plain { primary = db }
                  own { primary = db, pool_mode = statement, pool_size = 5, max_db_connections = 3 }
                }
                users { alice { pool_mode = transaction, pool_size = 2, max_user_connections = 1 } }
                """);
        assertThat(config.pool(database(config, "plain"), "bob"))
                .isEqualTo(new EffectivePool(PoolMode.SESSION, 10, 6, 0, 0, 99));
        assertThat(config.pool(database(config, "own"), "bob"))
                .isEqualTo(new EffectivePool(PoolMode.STATEMENT, 5, 5, 0, 3, 99));
        assertThat(config.pool(database(config, "own"), "alice"))
                .isEqualTo(new EffectivePool(PoolMode.TRANSACTION, 2, 2, 0, 3, 1));
    }

    @Test
    void theWildcardServesNamesThatHaveNoBlock() throws ConfigProblems {
        ProxyConfig config =
                ConfigLoader.parse("databases { \"*\" { primary = any }, a { primary = one, dbname = b } }");
        assertThat(database(config, "a").serverDatabase("a")).isEqualTo("b");
        assertThat(database(config, "z").primary()).isEqualTo(new HostAddress("any", 5432));
        assertThat(database(config, "z").serverDatabase("z")).isEqualTo("z");
        assertThat(ConfigLoader.parse("databases { a { primary = one } }").database("z"))
                .isNull();
    }

    @Test
    void numbersOfClientsComeFromDatabaseAndUserFirst() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse("""
                max_db_client_connections = 5, max_user_client_connections = 6
                databases { "*" { primary = db }, a { primary = db, max_db_client_connections = 0 } }
                users { alice { max_user_client_connections = 1 } }
                """);
        assertThat(config.maxClientsOf(database(config, "a"))).isZero();
        assertThat(config.maxClientsOf(database(config, "z"))).isEqualTo(5);
        assertThat(config.maxClientsOf("alice")).isEqualTo(1);
        assertThat(config.maxClientsOf("bob")).isEqualTo(6);
    }

    @Test
    void ratesComeFromDatabaseAndUserFirst() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse("""
                db_rate_limit = 5/s, user_rate_limit = "6 / 90s"
                databases { "*" { primary = db }, a { primary = db, db_rate_limit = 0 } }
                users { alice { user_rate_limit = 1/1500ms } }
                """);
        assertThat(config.rateOfDatabase("a")).isEqualTo(RateLimit.NONE);
        assertThat(config.rateOfDatabase("z")).hasToString("5/s");
        assertThat(config.rateOfUser("alice")).hasToString("1/1500ms");
        assertThat(config.rateOfUser("bob")).hasToString("6/90s");
    }

    @Test
    void aRateThatIsNoneIsComplainedOf() {
        for (String text : List.of("100", "1/2", "-1/s", "1/s/s", "1/10us", "1/2d", "1/0s", "1/week")) {
            assertThatThrownBy(() -> ConfigLoader.parse(ANY + "rate_limit = \"" + text + "\""))
                    .as(text)
                    .hasMessageContaining("rate_limit: ");
        }
    }

    @Test
    void aSettingCanBeChangedByItsNameAsInTheFile() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(ANY);
        ProxyConfig changed = config.with("query_timeout", "5min").with("admin_users", "a, b");
        assertThat(changed.timeouts().queryTimeout()).isEqualTo(Duration.ofMinutes(5));
        assertThat(changed.admin().adminUsers()).containsExactly("a", "b");
        assertThat(changed.databasesAndWildcard()).isEqualTo(config.databasesAndWildcard());
        assertThat(config.timeouts().queryTimeout()).isZero();
    }

    @Test
    void aChangeIsCheckedAsTheFileIs() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(ANY);
        assertThatThrownBy(() -> config.with("pool_modee", "session"))
                .isInstanceOf(ConfigProblems.class)
                .hasMessage("SET: unknown setting 'pool_modee', did you mean 'pool_mode'?");
        assertThatThrownBy(() -> config.with("threads", "2"))
                .hasMessage("SET: threads: is read at the start only; change it in the file and restart");
        assertThatThrownBy(() -> config.with("pool_mode", "fast"))
                .hasMessage("SET: pool_mode: expects one of session, transaction, statement, not 'fast'");
        assertThatThrownBy(() -> config.with("min_pool_size", "21"))
                .hasMessage("SET: min_pool_size: is more than default_pool_size");
    }

    @Test
    void databasesOfOneClusterOfPatronisHaveTheSameInPlaceOfAPrimary() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse("""
                control_user = watch
                databases {
                  a { patroni = ["https://p2:8008/", "http://[::1]"] }
                  b { patroni = ["http://[::1]", "https://p2:8008"], replicas = [] }
                }
                """);
        DatabaseSettings a = database(config, "a");
        assertThat(a.patroni()).containsExactly(URI.create("https://p2:8008"), URI.create("http://[::1]"));
        assertThat(a.primary().isPatroni()).isTrue();
        assertThat(a.primary()).hasToString("[patroni/::1]:80");
        assertThat(a.mayHaveReplicas()).isTrue();
        assertThat(database(config, "b").primary()).isEqualTo(a.primary());
        assertThat(new HostAddress("p2", 8008).isPatroni()).isFalse();
    }

    @Test
    void noSecretIsShown() throws ConfigProblems {
        ProxyConfig config = ConfigLoader.parse(ANY + "control_user = c, control_password = hush\n"
                + "users { a { password = hush } }, databases { d { primary = db, user = u, password = hush } }");
        assertThat(config.toString()).contains("****").doesNotContain("hush");
        assertThat(config.show().toString()).contains("****").doesNotContain("hush");
        assertThat(config.auth().controlPassword()).isEqualTo(new Secret("hush"));
    }

    private static DatabaseSettings database(ProxyConfig config, String name) {
        return Objects.requireNonNull(config.database(name));
    }

    private static TimeoutSettings timeouts(int... seconds) {
        Duration[] d = new Duration[seconds.length];
        for (int i = 0; i < d.length; i++) {
            d[i] = Duration.ofSeconds(seconds[i]);
        }
        return new TimeoutSettings(
                d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14]);
    }
}
