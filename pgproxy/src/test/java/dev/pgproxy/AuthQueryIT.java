package dev.pgproxy;

import static dev.pgproxy.testing.TestProxy.user;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.SecurePostgres;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Users that no file names are looked up in a database: when, how often, and what happens where it fails. */
final class AuthQueryIT {
    private static final String SUPERUSER = user("postgres", TestCluster.PASSWORD);
    private static final String LOOK_UP = SUPERUSER + "auth_user = postgres\nauth_dbname = postgres\n";

    /** Answers as the default query does, and counts. */
    private static final String COUNTING = LOOK_UP + "auth_query = \"SELECT * FROM count_look_up($1)\"\n";

    private static EmbeddedPostgres server() {
        return SecurePostgres.shared();
    }

    @BeforeAll
    static void countLookUps() {
        TestCluster.execute(server(), """
                CREATE TABLE IF NOT EXISTS look_ups (name text);
                CREATE OR REPLACE FUNCTION count_look_up(asked text, OUT name text, OUT secret text)
                RETURNS SETOF record LANGUAGE sql VOLATILE AS
                $$INSERT INTO look_ups VALUES (asked);
                  SELECT rolname::text, rolpassword FROM pg_authid WHERE rolname = asked AND rolcanlogin$$""");
    }

    private static String role(String options) {
        return TestCluster.freshRole(server(), "secret", options);
    }

    private static int lookUps(String role) {
        return Integer.parseInt(
                SecurePostgres.single(server(), "SELECT count(*) FROM look_ups WHERE name = '" + role + "'"));
    }

    private static void assertServes(TestProxy proxy, String user, String password) {
        assertThat(proxy.as(user, password, "by_scram")
                        .run("SELECT current_user")
                        .get(1)
                        .values())
                .containsExactly(user);
    }

    private static void assertRefused(TestProxy proxy, String user, String password) {
        Message refused = proxy.attempt(user, password, "by_scram");
        assertThat(refused.type()).isEqualTo('E');
        assertThat(refused.field('C')).isEqualTo("28P01");
        assertThat(refused.field('M')).isEqualTo("password authentication failed for user \"" + user + "\"");
    }

    @Test
    void usersOfTheDatabaseLogInByTheDefaultQuery() {
        String plain = role("");
        String nologin = role("");
        TestCluster.execute(server(), "ALTER ROLE " + nologin + " NOLOGIN");
        String expired = role("VALID UNTIL '2001-01-01'");
        String valid = role("VALID UNTIL '2100-01-01'");
        try (TestProxy proxy = TestProxy.start(server(), LOOK_UP)) {
            assertServes(proxy, plain, "secret");
            assertServes(proxy, valid, "secret");
            assertRefused(proxy, plain, "wrong");
            assertRefused(proxy, nologin, "wrong");
            assertThat(proxy.attempt(nologin, "secret", "by_scram").field('C')).isEqualTo("28000");
            TestCluster.execute(server(), "ALTER ROLE " + nologin + " LOGIN");
            Awaitility.await()
                    .until(() -> proxy.attempt(nologin, "secret", "by_scram").isReady());
            assertRefused(proxy, expired, "secret");
            assertRefused(proxy, "nobody", "secret");
        }
    }

    @Test
    void withoutADatabaseOfItsOwnTheQueryRunsInTheOneAskedFor() {
        String role = role("");
        try (TestProxy proxy = TestProxy.start(server(), SUPERUSER + "auth_user = postgres\n")) {
            assertServes(proxy, role, "secret");
        }
    }

    @Test
    void namesCannotChangeTheQuery() {
        String evil = "x' OR '1'='1' -- \\' $1";
        TestCluster.execute(server(), "CREATE ROLE \"" + evil + "\" LOGIN PASSWORD 'secret'");
        try (TestProxy proxy = TestProxy.start(server(), LOOK_UP)) {
            assertServes(proxy, evil, "secret");
            assertRefused(proxy, "' OR true --", "secret");
        }
    }

    @Test
    void anAnswerIsKeptForItsTime() {
        String role = role("");
        try (TestProxy proxy = TestProxy.start(server(), COUNTING)) {
            for (int i = 0; i < 5; i++) {
                assertServes(proxy, role, "secret");
            }
            assertThat(lookUps(role)).isEqualTo(1);
            proxy.reload(COUNTING + "auth_cache_ttl = 0\n");
            assertServes(proxy, role, "secret");
            assertServes(proxy, role, "secret");
            assertThat(lookUps(role)).isEqualTo(3);
            proxy.reload(COUNTING + "auth_cache_ttl = 300ms\n");
            Awaitility.await().until(() -> {
                assertServes(proxy, role, "secret");
                return lookUps(role) >= 5;
            });
        }
    }

    @Test
    void noMoreAnswersAreKeptThanConfigured() {
        String first = role("");
        String second = role("");
        try (TestProxy proxy = TestProxy.start(server(), COUNTING + "auth_cache_size = 1\n")) {
            assertServes(proxy, first, "secret");
            assertServes(proxy, second, "secret");
            assertServes(proxy, first, "secret");
            assertThat(lookUps(first)).isEqualTo(2);
            assertThat(lookUps(second)).isEqualTo(1);
        }
    }

    @Test
    void aChangedPasswordIsKnownAfterOneFailure() {
        String role = role("");
        try (TestProxy proxy = TestProxy.start(server(), COUNTING + "server_login_retry = 0\n")) {
            assertServes(proxy, role, "secret");
            TestCluster.execute(server(), "ALTER ROLE " + role + " PASSWORD 'changed'");
            Awaitility.await()
                    .until(() -> proxy.attempt(role, "changed", "by_scram").isReady());
            assertServes(proxy, role, "changed");
            assertRefused(proxy, role, "secret");
        }
    }

    @Test
    void aFloodOfWrongPasswordsIsNoFloodOfLookUps() {
        String role = role("");
        try (TestProxy proxy = TestProxy.start(server(), COUNTING)) {
            long begun = System.nanoTime();
            for (int i = 0; i < 40; i++) {
                assertRefused(proxy, role, "wrong");
            }
            long seconds = (System.nanoTime() - begun) / 1_000_000_000L;
            assertThat(lookUps(role)).isBetween(1, 2 + (int) seconds);
        }
    }

    @Test
    void clientsThatComeTogetherShareOneLookUp() {
        String role = role("");
        String slow = LOOK_UP + "auth_query = \"SELECT name, secret FROM pg_sleep(0.5), count_look_up($1)\"\n";
        try (TestProxy proxy = TestProxy.start(server(), slow)) {
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                RawClient client = proxy.connect();
                clients.add(client);
                client.startup(3 << 16, RawClient.parameters("user", role, "database", "by_scram"));
            }
            for (RawClient client : clients) {
                assertThat(client.authenticate(role, "secret").getLast().toString())
                        .isEqualTo("AuthenticationOk");
                client.close();
            }
            assertThat(lookUps(role)).isEqualTo(1);
        }
    }

    @Test
    void aDatabaseMayHaveItsOwnWay() {
        String role = role("");
        String other = role("");
        TestCluster.execute(server(), "GRANT EXECUTE ON FUNCTION count_look_up TO " + other);
        String settings = SUPERUSER + "databases { by_scram { primary = \"" + server().host() + ":"
                + server().port() + "\", user = " + other + ", password = secret, auth_user = postgres"
                + ", auth_dbname = postgres, auth_query = \"SELECT * FROM count_look_up($1)\" } }\n";
        try (TestProxy proxy = TestProxy.start(server(), settings)) {
            assertThat(proxy.as(role, "secret", "by_scram")
                            .run("SELECT current_user")
                            .get(1)
                            .values())
                    .containsExactly(other);
            assertThat(lookUps(role)).isEqualTo(1);
            assertThat(proxy.attempt(role, "secret", "by_md5").field('C')).isEqualTo("28P01");
        }
    }

    @Test
    void whereTheLookUpFailsTheClientLearnsNothing() {
        String role = role("");
        String poor = role("");
        List<String> broken = List.of(
                "users { " + poor + " { password = secret } }\nauth_user = " + poor + "\n",
                "users { " + poor + " { password = wrong } }\nauth_user = " + poor + "\n",
                LOOK_UP + "auth_dbname = no_such_database\n",
                LOOK_UP + "auth_query = \"SELECT nonsense\"\n",
                LOOK_UP + "auth_query = \"SELECT $1::text\"\n",
                LOOK_UP + "auth_query = \"SELECT $1::text, 'x' FROM generate_series(1, 2)\"\n",
                LOOK_UP + "auth_query = \"SELECT $1::text, 'SCRAM-SHA-256$rubbish'\"\n",
                LOOK_UP + "auth_query = \"SELECT $1::text, pg_sleep(60)::text\"\nclient_login_timeout = 1s\n");
        for (String settings : broken) {
            try (TestProxy proxy = TestProxy.start(server(), settings)) {
                Message refused = proxy.attempt(role, "secret", "by_scram");
                assertThat(refused.type()).as(settings).isEqualTo('E');
                assertThat(refused.field('M'))
                        .as(settings)
                        .isIn("the user could not be looked up", "client_login_timeout");
                assertThat(refused.toString()).doesNotContain("nonsense", "no_such_database", poor, "pg_authid");
            }
        }
    }

    @Test
    void afterAFailureTheNextClientIsLookedUpAnew() {
        String role = role("");
        try (TestProxy proxy =
                TestProxy.start(server(), LOOK_UP + "auth_query = \"SELECT name, secret FROM late($1)\"\n")) {
            assertThat(proxy.attempt(role, "secret", "by_scram").field('M'))
                    .isEqualTo("the user could not be looked up");
            TestCluster.execute(server(), """
                    CREATE FUNCTION late(asked text, OUT name text, OUT secret text) LANGUAGE sql AS
                    $$SELECT * FROM count_look_up(asked)$$""");
            assertServes(proxy, role, "secret");
        }
    }
}
