package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Browser;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyProcess;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What clients write into statements is told to nobody: not by the console, the page, metrics, logs, or files. */
final class SecretsInStatementsIT {
    private static final String SECRET = "hunter2";

    private static final List<String> STATEMENTS = List.of(
            "CREATE USER nobody_at_all NOPE PASSWORD 'hunter2'",
            "ALTER ROLE nobody_at_all PASSWORD E'hun\\'hunter2'",
            "CREATE USER nobody_at_all NOPE ENCRYPTED PASSWORD $$hunter2$$",
            "DO $$ BEGIN PERFORM 'hunter2'; PERFORM pg_sleep(0.11); END $$",
            "DO LANGUAGE plpgsql $x$ BEGIN PERFORM $$hunter2$$; END $x$",
            "DO LANGUAGE plpgsql 'BEGIN PERFORM ''hunter2''; END'",
            "SELECT dblink('host=h password=hunter2', 'SELECT ''hunter2''')",
            "SELECT dblink($a$password=hunter2$a$, U&'hunter2', N'hunter2')",
            "SELECT pg_sleep(0.11), 'hunter2'::text",
            "SELECT 'hunter2'::int",
            "SET app.token = 'hunter2'",
            "SELECT set_config('app.token', 'hunter2', false)",
            "COPY nowhere FROM PROGRAM 'curl -u hunter2'",
            "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1 password=hunter2' PUBLICATION p",
            "CREATE USER MAPPING FOR nobody SERVER nowhere OPTIONS (password 'hunter2')",
            "CREATE FUNCTION says() RETURNS text LANGUAGE sql AS $$ SELECT 'hunter2' $$",
            "PREPARE w AS SELECT 'hunter2'::text, $1::text",
            "EXECUTE w('hunter2')",
            "DEALLOCATE w",
            "LISTEN c; NOTIFY c, 'hunter2'",
            "SELECT 1 /* hunter2 */ -- hunter2",
            "/* hunter2 */ SELECT /* /* hunter2 */ hunter2 */ 2",
            "SELECT 'hunter2 without an end",
            "SELECT $$hunter2 without an end",
            "SELECT 1 /* hunter2 without an end",
            "SELECT 'a' \n 'hunter2'",
            "CREATE TEMP TABLE x AS SELECT 'hunter2' AS a",
            "DECLARE kept CURSOR WITH HOLD FOR SELECT 'hunter2'",
            "SELECT pg_advisory_lock(7), 'hunter2'",
            "SELECT nonsense FROM FROM 'hunter2'",
            "EXPLAIN (ROUTE) SELECT 'hunter2'",
            "SET standard_conforming_strings = off",
            "SELECT 'it\\'s hunter2'");

    private final String database = TestCluster.freshDatabase();
    private final String watcher = TestCluster.freshRole("secret");
    private final String stranger = TestCluster.freshRole("secret");

    @TempDir
    private Path directory;

    private ProxyProcess run() {
        return ProxyProcess.run(
                directory.resolve("secrets.conf"),
                "http_addr = [127.0.0.1]\nhttp_port = 0\nquery_log = file\nquery_log_file = query.log\n"
                        + "query_stats_file = stats\nslow_query_threshold = 100ms\nlog_level = debug\n"
                        + "cache_mode = on\nchange_feed = off\ncontrol_user = postgres\nstats_users = [" + watcher
                        + "]\n" + TestProxy.user(watcher, "secret") + TestProxy.user(stranger, "secret"));
    }

    private static void say(Endpoint endpoint) {
        try (RawClient client = endpoint.login()) {
            for (String statement : STATEMENTS) {
                client.query(statement).readUntilReady();
            }
            client.query("SELECT '" + SECRET + "x".repeat(2 << 20) + "'").readUntilReady();
        }
        try (RawClient client = endpoint.login()) {
            client.batch(c -> c.parse("", "SELECT $1::text, pg_sleep(0.11)")
                            .bind("", "", SECRET)
                            .execute("")
                            .sync())
                    .readUntilReady();
            client.batch(c -> c.parse("", "SELECT $1::int")
                            .bind("", "", SECRET)
                            .execute("")
                            .sync())
                    .readUntilReady();
        }
    }

    /** Every table there is, by the console and over HTTP, and the metrics. */
    private static List<String> everythingShown(Endpoint console, Browser browser) {
        List<String> shown = new ArrayList<>();
        for (String path : browser.json("/api").getStringList("all.tables")) {
            String show = "SHOW " + path.substring("/api/".length()).replace('/', ' ');
            StringBuilder text = new StringBuilder(show);
            Message.rows(console.run(show)).forEach(row -> text.append('\n').append(row));
            shown.add(text.toString());
            shown.add(path + browser.get(path).body());
        }
        shown.add(browser.get("/metrics").body());
        shown.add(browser.get("/health/db/report").body());
        return shown;
    }

    @Test
    void nothingOfThemIsTold() throws IOException {
        try (ProxyProcess process = run()) {
            Endpoint endpoint = process.endpoint(database);
            String line = process.awaitLine("metrics and health at");
            Browser browser = new Browser(Integer.parseInt(line.substring(line.lastIndexOf(':') + 1)));
            try (RawClient pinned = endpoint.login()) {
                say(endpoint);
                pinned.query("CREATE TEMP TABLE mine AS SELECT 'hunter2' AS a").readUntilReady();
                List<String> seen = everythingShown(endpoint.withDatabase("pgproxy"), browser);
                assertThat(String.join("\n", seen))
                        .contains("CREATE USER nobody_at_all NOPE PASSWORD ?", "SELECT pg_sleep(?), ?::text")
                        .contains("temporary"); // the pin is told
                assertThat(seen.stream()
                                .filter(text -> text.contains(SECRET) || text.contains("\u001b"))
                                .map(text -> text.substring(0, Math.min(60, text.length()))))
                        .isEmpty();
            }
            // who may look, and who may not
            Endpoint console = endpoint.withDatabase("pgproxy");
            Endpoint watching = new Endpoint(console.host(), console.port(), "pgproxy", watcher, "secret");
            assertThat(Message.rows(watching.run("SHOW QUERIES"))).isNotEmpty();
            assertThat(watching.run("SHOW QUERIES").toString()).doesNotContain(SECRET);
            assertThat(watching.run("SHOW SLOW").toString()).doesNotContain(SECRET);
            try (RawClient client = watching.login()) {
                assertThat(client.query("RESET QUERIES")
                                .readUntilReady()
                                .getFirst()
                                .field('C'))
                        .isEqualTo("42501");
                assertThat(client.query("SET query_log_sample_rate = 1")
                                .readUntilReady()
                                .getFirst()
                                .field('C'))
                        .isEqualTo("42501");
            }
            try (RawClient client = console.connect()) {
                List<Message> refusal = client.login(stranger, "secret", "pgproxy");
                assertThat(refusal).anyMatch(message -> message.type() == 'E');
                assertThat(refusal).noneMatch(Message::isReady);
            }
            process.signal("TERM");
            assertThat(process.exitCode()).isZero();
            assertThat(process.lines()).noneMatch(each -> each.contains(SECRET));
        }
        for (String name : List.of("query.log", "stats")) {
            String text = Files.readString(directory.resolve(name), StandardCharsets.ISO_8859_1);
            assertThat(text)
                    .contains("CREATE USER nobody_at_all NOPE PASSWORD ?")
                    .doesNotContain(SECRET);
        }
        String log = Files.readString(directory.resolve("query.log"));
        assertThat(log.lines().count()).isGreaterThan(STATEMENTS.size() - 5);
        assertThat(log.lines()).allMatch(each -> each.length() < 2500);
    }

    /** Applications, users and databases that are named to fill memory or to spoil a terminal. */
    @Test
    void namesAreShortAndPrintable() {
        try (ProxyProcess process = ProxyProcess.run(
                directory.resolve("names.conf"),
                "databases { \"*\" { dbname = " + database + " } }\nquery_stats_max = 10\n")) {
            Endpoint console = process.endpoint("pgproxy");
            for (int i = 0; i < 40; i++) {
                Endpoint liar = process.endpoint("\u001b]0;evil\u0007" + i + "d".repeat(8_000));
                try (RawClient client = liar.login()) {
                    client.query("SET application_name = '\u202e" + "a".repeat(100_000) + "'")
                            .readUntilReady();
                    client.query("SELECT 1").readUntilReady();
                }
            }
            await().untilAsserted(() -> {
                String shown = console.run("SHOW QUERIES").toString();
                assertThat(shown).contains("\\u001b]0;evil\\u0007");
                assertThat(shown.codePoints()).noneMatch(c -> c == 0x1b || c == 0x202e || c == 7);
                assertThat(shown.length()).isLessThan(20 * 2000);
            });
        }
    }
}
