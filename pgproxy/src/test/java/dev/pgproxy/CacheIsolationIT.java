package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Nobody gets another's rows or another's format from the cache. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CacheIsolationIT {
    private static final String OWN = "SELECT string_agg(v, ',' ORDER BY v) FROM owned";
    private CachingProxy caching;
    private static final String ALICE = "cache_alice";
    private static final String BOB = "cache_bob";

    @BeforeAll
    void start() {
        caching = CachingProxy.start(
                "users { cache_alice { password = postgres }, cache_bob { password = postgres } }",
                "CREATE TABLE owned (owner text, v text)",
                "CREATE TABLE tenants (tenant text, v text)",
                "INSERT INTO tenants VALUES ('a', 'of a'), ('b', 'of b')",
                "CREATE TABLE formats (d date, t timestamptz, f float8, b bytea, i interval, s text)",
                "INSERT INTO formats VALUES ('2024-03-01', '2024-03-01 12:00+00', 1/3::float8, '\\xff00', '1 mon 2 d', 'ä')",
                "CREATE TABLE secret (v int)",
                "INSERT INTO secret VALUES (1)",
                "CREATE SCHEMA one CREATE TABLE thing (v text)",
                "CREATE SCHEMA two CREATE TABLE thing (v text)",
                "INSERT INTO one.thing VALUES ('one')",
                "INSERT INTO two.thing VALUES ('two')");
        for (String role : List.of(ALICE, BOB)) {
            direct("CREATE ROLE \"" + role + "\" LOGIN PASSWORD 'postgres'");
            direct("INSERT INTO owned VALUES ('" + role + "', 'of " + role.charAt(6) + "')");
            direct("GRANT SELECT ON owned, tenants, secret TO \"" + role + "\"");
        }
        direct("ALTER TABLE owned ENABLE ROW LEVEL SECURITY");
        direct("CREATE POLICY own ON owned USING (owner = current_user)");
        direct("ALTER TABLE tenants ENABLE ROW LEVEL SECURITY");
        direct("CREATE POLICY tenant ON tenants USING (tenant = current_setting('app.tenant', true))");
    }

    @AfterAll
    void stop() {
        caching.close();
        caching.routed().direct().run("DROP OWNED BY \"" + ALICE + "\", \"" + BOB + "\"");
        caching.routed().direct().run("DROP ROLE \"" + ALICE + "\", \"" + BOB + "\"");
    }

    private void direct(String sql) {
        caching.routed().direct().run(sql);
    }

    private RawClient login(String user) {
        Endpoint proxied = caching.routed().proxied();
        RawClient client =
                new Endpoint(proxied.host(), proxied.port(), proxied.database(), user, TestCluster.PASSWORD).login();
        caching.awaitCatalog();
        return client;
    }

    @Test
    void rowSecurityByRole() {
        try (RawClient a = login(ALICE);
                RawClient b = login(BOB);
                RawClient all = login("postgres")) {
            for (int i = 0; i < 2; i++) {
                assertThat(value(a, OWN)).isEqualTo("of a");
                assertThat(value(b, OWN)).isEqualTo("of b");
                assertThat(value(all, OWN)).isEqualTo("of a,of b");
            }
            await().until(() -> caching.isHit(a, OWN));
        }
    }

    @Test
    void setRoleAndSessionAuthorization() {
        try (RawClient c = login("postgres")) {
            assertThat(value(c, OWN)).isEqualTo("of a,of b");
            c.query("SET ROLE \"" + ALICE + "\"").readUntilReady();
            assertThat(value(c, OWN)).isEqualTo("of a");
            c.query("RESET ROLE; SET SESSION AUTHORIZATION \"" + BOB + "\"").readUntilReady();
            assertThat(value(c, OWN)).isEqualTo("of b");
            c.query("RESET SESSION AUTHORIZATION").readUntilReady();
            assertThat(value(c, OWN)).isEqualTo("of a,of b");
            c.query("BEGIN; SET LOCAL ROLE \"" + ALICE + "\"").readUntilReady();
            assertThat(value(c, OWN)).isEqualTo("of a");
            c.query("ROLLBACK").readUntilReady();
            assertThat(value(c, OWN)).isEqualTo("of a,of b");
        }
    }

    @Test
    void rowSecurityByAParameter() {
        String read = "SELECT string_agg(v, ',') FROM tenants";
        try (RawClient one = login(ALICE);
                RawClient two = login(ALICE);
                RawClient never = login(ALICE)) {
            for (int i = 0; i < 2; i++) {
                one.query("SET app.tenant = 'a'").readUntilReady();
                two.query("SELECT set_config('app.tenant', 'b', false)").readUntilReady();
                assertThat(value(one, read)).isEqualTo("of a");
                assertThat(value(two, read)).isEqualTo("of b");
                assertThat(value(never, read)).isNull();
            }
            await().until(() -> caching.isHit(one, read));
            one.query("SET app.tenant = 'b'").readUntilReady();
            assertThat(value(one, read)).isEqualTo("of b");
            one.query("RESET app.tenant").readUntilReady();
            assertThat(value(one, read)).isNull();
        }
    }

    @Test
    void rightsThatAreTakenAwayAreGone() {
        String read = "SELECT v FROM secret";
        try (RawClient a = login(ALICE);
                RawClient owner = login("postgres")) {
            assertThat(value(a, read)).isEqualTo("1");
            await().until(() -> caching.isHit(a, read));
            owner.query("REVOKE SELECT ON secret FROM \"" + ALICE + "\"").readUntilReady();
            assertThat(a.query(read).readUntilReady().getFirst().field('C')).isEqualTo("42501");
            owner.query("GRANT SELECT ON secret TO \"" + ALICE + "\"").readUntilReady();
            assertThat(value(a, read)).isEqualTo("1");
        }
    }

    @Test
    void searchPathAndTemporaryTables() {
        try (RawClient c = login("postgres");
                RawClient d = login("postgres")) {
            c.query("SET search_path = one").readUntilReady();
            d.query("SET search_path = two").readUntilReady();
            for (int i = 0; i < 2; i++) {
                assertThat(value(c, "SELECT v FROM thing")).isEqualTo("one");
                assertThat(value(d, "SELECT v FROM thing")).isEqualTo("two");
            }
            c.query("CREATE TEMP TABLE thing AS SELECT 'mine'::text AS v").readUntilReady();
            assertThat(value(c, "SELECT v FROM thing")).isEqualTo("mine");
            assertThat(value(d, "SELECT v FROM thing")).isEqualTo("two");
            c.query("DROP TABLE pg_temp.thing").readUntilReady();
            assertThat(value(c, "SELECT v FROM thing")).isEqualTo("one");
        }
    }

    @Test
    void everyFormat() {
        String read = "SELECT d, t, f, b, i, s FROM formats";
        List<String> settings = List.of(
                "DateStyle = 'German'",
                "TimeZone = 'Asia/Tokyo'",
                "extra_float_digits = -3",
                "bytea_output = 'escape'",
                "IntervalStyle = 'iso_8601'",
                "client_encoding = 'LATIN1'");
        try (RawClient direct = caching.routed().direct().login();
                RawClient warm = login("postgres");
                RawClient c = login("postgres")) {
            warm.query(read).readUntilReady();
            for (String setting : settings) {
                for (RawClient each : List.of(direct, c)) {
                    each.query("SET " + setting).readUntilReady();
                }
                List<Message> wanted = direct.query(read).readUntilReady();
                assertThat(c.query(read).readUntilReady()).as(setting).isEqualTo(wanted);
                assertThat(c.query(read).readUntilReady())
                        .as(setting + ", again")
                        .isEqualTo(wanted);
            }
        }
    }

    @Test
    void equalTablesOfTwoDatabases() {
        CachingProxy second = caching;
        String other = TestCluster.freshDatabase(caching.routed().cluster().primary());
        Endpoint direct = caching.routed().direct();
        Endpoint there = new Endpoint(direct.host(), direct.port(), other, direct.user(), direct.password());
        there.run("CREATE TABLE secret (v int)");
        there.run("INSERT INTO secret VALUES (2)");
        Endpoint proxied = second.routed().proxied();
        try (RawClient c = login("postgres");
                RawClient d =
                        new Endpoint(proxied.host(), proxied.port(), other, "postgres", TestCluster.PASSWORD).login()) {
            for (int i = 0; i < 3; i++) {
                assertThat(value(c, "SELECT v FROM secret")).isEqualTo("1");
                assertThat(value(d, "SELECT v FROM secret")).isEqualTo("2");
            }
        }
    }

    /** What is written by one name of a server the other would not know. */
    @Test
    void twoNamesOfOneServerAreNotCached() throws Exception {
        Endpoint direct = caching.routed().direct();
        String config = "listen_port = 0\nhttp_addr = []\nauth_type = trust\ncache_mode = on\nchange_feed = off\n"
                + TestCluster.watching(caching.routed().cluster())
                + "databases { a { primary = \"127.0.0.1:" + direct.port() + "\", dbname = " + direct.database()
                + " }, b { primary = \"localhost:" + direct.port() + "\", dbname = " + direct.database() + " } }\n"
                + "users { postgres { password = \"" + direct.password() + "\" } }\n";
        try (PgProxy proxy = PgProxy.start(ConfigLoader.parse(config));
                RawClient a = new Endpoint("127.0.0.1", proxy.port(), "a", "postgres", direct.password()).login();
                RawClient b = new Endpoint("127.0.0.1", proxy.port(), "b", "postgres", direct.password()).login()) {
            value(a, "SELECT 1");
            value(b, "SELECT 1");
            await().until(() -> proxy.services().routes().all().stream().allMatch(state -> state.routes() == null));
        }
    }
}
