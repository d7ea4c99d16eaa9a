package dev.pgproxy;

import static dev.pgproxy.testing.TestProxy.user;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.typesafe.config.Config;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.Browser;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A control_user whose search_path puts somebody else's functions and tables before the system's. */
final class ControlSearchPathIT {
    /** What {@code HostProbe}, {@code RoleDefaults} and {@code VitalsProbe} ask for, each answering something else. */
    private static final List<String> EVIL = List.of(
            "CREATE SCHEMA evil",
            "CREATE FUNCTION evil.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT true'",
            "CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS $$SELECT '1'$$",
            "CREATE TABLE evil.pg_settings (name text, reset_val text, setting text, source text)",
            "CREATE TABLE evil.pg_stat_activity (pid int)",
            "CREATE TABLE evil.pg_database (oid oid, datname name)",
            "CREATE FUNCTION evil.differs(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false'",
            "CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.differs)",
            "GRANT USAGE ON SCHEMA evil TO PUBLIC",
            "GRANT SELECT ON ALL TABLES IN SCHEMA evil TO PUBLIC");

    @Test
    void theControlUsersSearchPathChangesNothingOfWhatIsAsked() {
        EmbeddedPostgres server = TestCluster.primary();
        String database = TestCluster.freshDatabase();
        String control = TestCluster.freshRole(server, "c", "SUPERUSER");
        Endpoint direct = new Endpoint(server.host(), server.port(), database, "postgres", TestCluster.PASSWORD);
        EVIL.forEach(direct::run);
        direct.run("ALTER ROLE " + control + " SET search_path = evil, pg_catalog");
        String settings = "http_addr = [127.0.0.1]\nhttp_port = 0\ncache_mode = on\nchange_feed = off\n"
                + "control_user = " + control + "\ncontrol_password = c\nauth_type = trust\n"
                + "admin_users = [postgres]\n"
                + "databases { " + database + " { primary = \"" + server.host() + ":" + server.port() + "\" } }\n"
                + user("postgres", TestCluster.PASSWORD);
        try (TestProxy proxy = TestProxy.start(server, settings)) {
            Browser browser = new Browser(proxy.proxy().httpPort());
            Endpoint client = proxy.as("postgres", TestCluster.PASSWORD, database);
            client.run("CREATE TABLE public.t AS SELECT 1 AS a"); // from now on it is watched
            await().untilAsserted(() ->
                    assertThat(browser.get("/health/ready").body()).isEqualTo("ready\n"));
            Config known =
                    browser.json("/health/db").getConfigList("all.databases").getFirst();
            assertThat(known.getString("primary")).isEqualTo(server.host() + ":" + server.port());
            // definitions are read, and the defaults of users with them
            await().untilAsserted(() -> assertThat(Message.rows(client.run("EXPLAIN (ROUTE) SELECT a FROM t")))
                    .contains(List.of("reads", "public.t")));
        }
    }
}
