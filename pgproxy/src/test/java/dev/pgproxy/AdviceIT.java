package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** SHOW ADVICE and SHOW INDEXES of statements that clients have run through the proxy. */
final class AdviceIT {
    private static final String CONTROL =
            "control_user = postgres\ncontrol_password = \"" + TestCluster.PASSWORD + "\"\n";

    private final ProxyUnderTest.InThisJvm under = ProxyUnderTest.with(CONTROL);
    private final Endpoint console = under.proxied().withDatabase("pgproxy");
    private RawClient client;

    @BeforeEach
    void begin() {
        under.direct().run("CREATE TABLE accounts (id int PRIMARY KEY, owner int, secret text, balance int)");
        under.direct()
                .run(
                        "INSERT INTO accounts SELECT i, i * 31 % 50000, 'secret' || i, 0 FROM generate_series(1, 150000) i");
        under.direct().run("VACUUM ANALYZE accounts");
        client = under.proxied().login();
    }

    @AfterEach
    void end() {
        client.close();
        under.proxy().close();
    }

    private List<Message> query(String sql) {
        return client.query(sql).readUntilReady();
    }

    /** The rows of this database: kind, table, SQL and everything. */
    private List<List<@Nullable String>> shown(String what) {
        List<List<@Nullable String>> rows = new ArrayList<>();
        for (List<@Nullable String> row : Message.rows(console.run("SHOW " + what))) {
            if (under.database().equals(row.getFirst())) {
                rows.add(row);
            }
        }
        return rows;
    }

    private static List<@Nullable String> only(List<List<@Nullable String>> rows, String kind) {
        List<List<@Nullable String>> of =
                rows.stream().filter(row -> kind.equals(row.get(1))).toList();
        assertThat(of).as("%s in %s", kind, rows).hasSize(1);
        return of.getFirst();
    }

    @Test
    void aSlowStatementGetsAnIndexAndNothingMoreOnceItIsThere() {
        for (int i = 0; i < 20; i++) {
            query("SELECT id FROM accounts WHERE owner = " + i + " AND secret <> 'hidden" + i + "'");
        }
        List<@Nullable String> index = only(shown("ADVICE"), "index");
        assertThat(index.get(14)).isEqualTo("CREATE INDEX CONCURRENTLY ON public.accounts (owner)");
        assertThat(Long.parseLong(Objects.requireNonNull(index.get(2)))).isPositive();
        assertThat(Long.parseLong(Objects.requireNonNull(index.get(8))))
                .isGreaterThan(10 * Long.parseLong(Objects.requireNonNull(index.get(9))));
        assertThat(index.toString())
                .doesNotContain("hidden")
                .contains("Not verified by the planner: plan_capture is off");
        under.direct().run(Objects.requireNonNull(index.get(14)));
        assertThat(shown("ADVICE").stream().map(row -> row.get(1))).doesNotContain("index");
    }

    @Test
    void withoutHypoPgAnIndexIsNotVerifiedAndThePlanIsThereAllTheSame() {
        ProxyUnderTest.InThisJvm planning = ProxyUnderTest.with(CONTROL + "plan_capture = on\n");
        try (var proxy = planning.proxy();
                RawClient user = planning.proxied().login()) {
            planning.direct()
                    .run("CREATE TABLE parcels AS SELECT i AS id, i * 31 % 50000 AS sender, 'note' || i AS note"
                            + " FROM generate_series(1, 150000) i");
            planning.direct().run("VACUUM ANALYZE parcels");
            Endpoint shows = planning.proxied().withDatabase("pgproxy");
            await().untilAsserted(() -> {
                user.query("SELECT note FROM parcels WHERE sender = 77 AND id > 5")
                        .readUntilReady();
                List<@Nullable String> index = Message.rows(shows.run("SHOW ADVICE")).stream()
                        .filter(row -> planning.database().equals(row.get(0)) && "index".equals(row.get(1)))
                        .findFirst()
                        .orElseThrow(AssertionError::new);
                assertThat(index.get(7)).contains("Not verified by the planner: hypopg is not installed.");
                assertThat(index.subList(11, 14)).containsExactly("no", null, null);
            });
            assertThat(Message.rows(shows.run("SHOW PLANS")).toString()).contains("Seq Scan on parcels");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "owner, 1700, numeric, true",
        "owner, 701, double precision, true",
        "owner, 20, bigint, false",
        "code, 25, text, true",
        "code, 1043, varchar, false"
    })
    void aDriverThatDeclaresAnotherTypeLosesTheIndexAndIsTold(String column, int oid, String type, boolean isLost) {
        under.direct().run("ALTER TABLE accounts ADD code char(4)");
        under.direct().run("UPDATE accounts SET code = (id % 9000)::text");
        under.direct().run("CREATE INDEX ON accounts (owner)");
        under.direct().run("CREATE INDEX ON accounts (code)");
        under.direct().run("VACUUM ANALYZE accounts");
        for (int i = 0; i < 20; i++) {
            client.batch(b -> b.parse("", "SELECT id FROM accounts WHERE secret <> $1 AND " + column + " = $2", 25, oid)
                            .bind("", "", "hidden", "77")
                            .execute("")
                            .sync())
                    .readUntilReady();
        }
        String plan = under.direct()
                .run("EXPLAIN SELECT id FROM accounts WHERE secret <> 'x' AND " + column + " = '77'::" + type)
                .toString();
        assertThat(plan.contains("accounts_" + column + "_idx")).isEqualTo(!isLost);
        List<List<@Nullable String>> casts = shown("ADVICE").stream()
                .filter(row -> "implicit_cast".equals(row.get(1)))
                .toList();
        if (!isLost) {
            assertThat(casts).isEmpty();
        } else {
            assertThat(only(casts, "implicit_cast").toString())
                    .contains("have the driver send the value as " + (column.equals("code") ? "character" : "integer"))
                    .contains("not as " + type)
                    .doesNotContain("hidden");
        }
    }

    @Test
    void patternsAreSeenThoughTheyAreMasked() {
        for (int i = 0; i < 5; i++) {
            query("SELECT id FROM accounts WHERE secret LIKE '%ret77" + i + "'");
        }
        List<@Nullable String> wildcard = only(shown("ADVICE"), "leading_wildcard");
        assertThat(wildcard.get(14)).startsWith("CREATE EXTENSION pg_trgm; CREATE INDEX CONCURRENTLY");
        assertThat(wildcard.toString()).doesNotContain("ret77");
    }

    @Test
    void bothStatementsOfADeadlockAreTold() {
        try (RawClient other = under.proxied().login()) {
            query("BEGIN; UPDATE accounts SET balance = 1 WHERE id = 1");
            other.query("BEGIN; UPDATE accounts SET balance = 2 WHERE id = 2").readUntilReady();
            client.query("UPDATE accounts SET balance = 3 WHERE id = 2");
            await().until(() -> !Message.rows(under.direct().run("SELECT 1 FROM pg_locks WHERE NOT granted"))
                    .isEmpty());
            other.query("UPDATE accounts SET secret = 'x' WHERE id = 1");
            List<Message> one = other.readUntilReady();
            boolean failed = one.stream().anyMatch(message -> message.type() == 'E');
            (failed ? other : client).query("ROLLBACK");
            List<Message> two = client.readUntilReady();
            assertThat(failed || two.stream().anyMatch(message -> message.type() == 'E'))
                    .isTrue();
        }
        await().untilAsserted(
                        () -> { // the other's loop was asked meanwhile
                            List<@Nullable String> dead = only(shown("ADVICE"), "deadlock");
                            assertThat(dead.get(5)).isEqualTo("public.accounts");
                            assertThat(dead.get(7))
                                    .matches(
                                            "1 of 1 calls ended in a deadlock \\(40P01\\): 1 time with [0-9a-f]{32} \\(UPDATE accounts SET .*");
                            String both = dead.get(7) + dead.getLast();
                            assertThat(both).contains("SET balance = ? WHERE id = ?", "SET secret = ? WHERE id = ?");
                        });
    }

    @Test
    void threeStatementsOfARingAreTold() {
        List<RawClient> clients =
                List.of(client, under.proxied().login(), under.proxied().login());
        for (int i = 0; i < 3; i++) {
            clients.get(i)
                    .query("BEGIN; UPDATE accounts SET balance = 1 WHERE id = " + (i + 1))
                    .readUntilReady();
        }
        for (int i = 0; i < 3; i++) {
            int waiting = i + 1;
            clients.get(i)
                    .query("UPDATE accounts SET balance = " + "1 + ".repeat(i) + "1 WHERE id = " + ((i + 1) % 3 + 1));
            await().until(() -> waiting == 3
                    || Message.rows(under.direct().run("SELECT 1 FROM pg_locks WHERE NOT granted"))
                                    .size()
                            == waiting);
        }
        await().untilAsserted(() -> assertThat(only(shown("ADVICE"), "deadlock").get(7))
                .matches(".*: 1 time with [0-9a-f]{32} \\(UPDATE .*\\) and [0-9a-f]{32} \\(UPDATE .*\\)"));
        clients.subList(1, 3).forEach(RawClient::close);
    }

    @Test
    void whoDoesNotPassThroughIsUnknownInADeadlock() {
        try (RawClient other = under.direct().login()) {
            query("BEGIN; UPDATE accounts SET balance = 1 WHERE id = 1");
            other.query("BEGIN; SET deadlock_timeout = '1h'; UPDATE accounts SET balance = 2 WHERE id = 2")
                    .readUntilReady();
            other.query("UPDATE accounts SET secret = 'x' WHERE id = 1");
            await().until(() -> !Message.rows(under.direct().run("SELECT 1 FROM pg_locks WHERE NOT granted"))
                    .isEmpty());
            assertThat(client.query("UPDATE accounts SET balance = 3 WHERE id = 2")
                            .readUntilReady())
                    .anyMatch(message -> message.type() == 'E');
        }
        assertThat(only(shown("ADVICE"), "deadlock").get(7)).endsWith("is not known: it did not pass through here");
    }

    @Test
    void aWellIndexedDatabaseGetsNoAdvice() {
        under.direct().run("CREATE TABLE history (id bigint GENERATED ALWAYS AS IDENTITY, account int, delta int)");
        for (int i = 1; i <= 300; i++) {
            query("BEGIN");
            query("UPDATE accounts SET balance = balance + 5 WHERE id = " + i);
            query("SELECT balance FROM accounts WHERE id = " + i);
            query("INSERT INTO history (account, delta) VALUES (" + i + ", 5)");
            query("COMMIT");
        }
        query("SELECT id, owner FROM accounts WHERE id IN (1, 2, 3)");
        query("SELECT a.balance FROM accounts a JOIN history h ON h.account = a.id WHERE h.id = 5");
        assertThat(shown("ADVICE")).isEmpty();
        assertThat(shown("INDEXES")).isEmpty();
    }

    @Test
    void indexesThatAreOfNoUseAreTold() {
        Endpoint direct = under.direct();
        direct.run("CREATE TABLE parents (id int PRIMARY KEY, code int UNIQUE)");
        direct.run("INSERT INTO parents SELECT i, i FROM generate_series(1, 100) i");
        direct.run(
                "CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents, other int REFERENCES parents,"
                        // autovacuum would analyze it before the advice is read, once in a while
                        + " a int, b int, c int, gone boolean) WITH (autovacuum_enabled = false)");
        direct.run(
                "INSERT INTO children SELECT i, i % 100 + 1, i % 100 + 1, i, i, i, false FROM generate_series(1, 50000) i");
        direct.run("CREATE INDEX used ON children (b)");
        direct.run("CREATE INDEX \"Un Used\" ON children (c)");
        direct.run("CREATE INDEX first ON children (a)");
        direct.run("CREATE INDEX second ON children (a)");
        direct.run("CREATE INDEX longer ON children (b, c)");
        direct.run("CREATE INDEX partly ON children (b) WHERE gone");
        direct.run("CREATE INDEX other_key ON children (other, a)");
        direct.run("SET enable_seqscan = off; SELECT * FROM children WHERE b = 5; SELECT * FROM children WHERE a = 5");
        query("SELECT 1");
        await().untilAsserted(() -> {
            List<String> found = shown("INDEXES").stream()
                    .map(row -> row.get(1) + " " + row.get(2) + " " + row.get(3) + " " + row.get(7))
                    .toList();
            assertThat(found)
                    .contains(
                            "unused public.children Un Used DROP INDEX CONCURRENTLY public.\"Un Used\"",
                            "duplicate public.children second DROP INDEX CONCURRENTLY public.second",
                            "redundant public.children used DROP INDEX CONCURRENTLY public.used",
                            "foreign_key public.children null CREATE INDEX CONCURRENTLY ON public.children (parent)",
                            "analyze public.children null ANALYZE public.children")
                    .noneMatch(each -> each.contains("other_key")
                            || each.contains("children_pkey")
                            || each.contains("parents")
                            || each.contains("(other)"));
        });
    }

    @Test
    void tablesThatAreReadFromEndToEndAreTold() {
        for (int i = 0; i < 30; i++) {
            query("SELECT sum(balance) FROM accounts");
        }
        client.close();
        await().untilAsserted(() ->
                assertThat(only(shown("INDEXES"), "sequential_scans").get(6)).contains("read from end to end"));
    }

    @Test
    void withoutAControlUserTheTablesSayWhatIsMissing() {
        ProxyUnderTest.InThisJvm without = ProxyUnderTest.with("");
        try {
            without.proxied().run("SELECT 1");
            List<Message> answer = without.proxied().withDatabase("pgproxy").run("SHOW ADVICE");
            assertThat(Message.rows(answer).stream().map(row -> row.get(1) + ": " + row.get(7)))
                    .containsExactly("problem: control_user is not set, or no host is the primary");
        } finally {
            without.proxy().close();
        }
    }
}
