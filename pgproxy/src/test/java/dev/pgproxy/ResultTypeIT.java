package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * A statement is described on one server and executed on another, and definitions have changed in between: who goes by the old
 * description must be told, as a single server tells it, and never gets rows that he would misread.
 */
final class ResultTypeIT {
    private static final String CHANGED = "cached plan must not change result type";
    private static final String TEXT = "SELECT * FROM migrated";

    private final ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 2");

    private static List<Message> execute(RawClient client) {
        return client.batch(b -> b.bind("", "s").execute("").sync()).readUntilReady();
    }

    private static List<Message> describeAndExecute(RawClient client) {
        return client.batch(b -> b.bind("", "s").describePortal("").execute("").sync())
                .readUntilReady();
    }

    private static void assertChanged(List<Message> answer, String status) {
        assertThat(Message.types(answer)).isEqualTo("EZ");
        assertThat(answer.getFirst().field('C')).isEqualTo("0A000");
        assertThat(answer.getFirst().field('M')).isEqualTo(CHANGED);
        assertThat(answer.getLast().toString()).endsWith(status);
    }

    private static void prepare(RawClient client, String text) {
        client.batch(b -> b.parse("s", text).describeStatement("s").sync());
        assertThat(Message.types(client.readUntilReady())).isEqualTo("1tTZ");
        assertThat(Message.types(execute(client))).isEqualTo("2DCZ");
    }

    /** The first server is taken, by a client that keeps it: others use the second one. */
    private static void keepBusy(RawClient client) {
        client.query("BEGIN; SELECT 1; INSERT INTO kept VALUES (1)").readUntilReady();
    }

    @Test
    void anotherServerDoesNotAnswerInAnotherShape() {
        try (PgProxy proxy = under.proxy();
                RawClient old = under.proxied().login();
                RawClient busy = under.proxied().login()) {
            under.direct().run("CREATE TABLE kept (a int); CREATE TABLE migrated AS SELECT 1 AS a, 2 AS b");
            prepare(old, TEXT);
            keepBusy(busy);
            assertThat(Message.types(execute(old))).isEqualTo("2DCZ");
            busy.query("COMMIT").readUntilReady();
            under.direct().run("ALTER TABLE migrated DROP COLUMN a");
            for (int i = 0; i < 4; i++) {
                if (i == 2) {
                    keepBusy(busy);
                }
                assertChanged(execute(old), "I");
            }
            assertThat(Message.row(describeAndExecute(old))).containsExactly("2");
            assertThat(Message.row(execute(old))).containsExactly("2");
            assertThat(proxy.port()).isPositive();
        }
    }

    /** Prepared on the first server, which is busy when definitions change: the second one has never seen the statement. */
    private void onANewServer(String change, Consumer<RawClient> check) {
        try (PgProxy proxy = under.proxy();
                RawClient old = under.proxied().login();
                RawClient busy = under.proxied().login()) {
            under.direct().run("CREATE TABLE kept (a int); CREATE TABLE migrated AS SELECT 1 AS a");
            prepare(old, TEXT);
            keepBusy(busy);
            under.direct().run(change);
            check.accept(old);
            busy.query("COMMIT").readUntilReady();
            assertThat(proxy.port()).isPositive();
        }
    }

    @Test
    void aNewServerDoesNotAnswerInAnotherShape() {
        onANewServer("ALTER TABLE migrated ADD COLUMN b text DEFAULT 'new'", old -> {
            assertChanged(execute(old), "I");

            old.query("BEGIN").readUntilReady();
            assertChanged(execute(old), "E");
            assertThat(Message.types(old.query("SELECT 1").readUntilReady())).isEqualTo("EZ");
            old.query("ROLLBACK").readUntilReady();

            old.batch(b ->
                    b.bind("", "s").execute("").bind("", "s").execute("").sync().query("SELECT 'behind'"));
            assertChanged(old.readUntilReady(), "I");
            assertThat(Message.row(old.readUntilReady())).containsExactly("behind");

            assertThat(Message.row(describeAndExecute(old))).containsExactly("1", "new");
            assertThat(Message.row(execute(old))).containsExactly("1", "new");
        });
    }

    /** PostgreSQL compares names and types only: a table that was made again is the same. */
    @Test
    void whatGivesTheSameColumnsGoesOn() {
        onANewServer(
                "DROP TABLE migrated; CREATE TABLE migrated AS SELECT 2 AS a",
                old -> assertThat(Message.row(execute(old))).containsExactly("2"));
    }

    @Test
    void whatIsGoneIsAnErrorOfTheClientsOwnStatement() {
        onANewServer("DROP TABLE migrated", old -> {
            for (String status : List.of("I", "E")) {
                List<Message> answer = execute(old);
                assertThat(Message.types(answer)).isEqualTo("EZ");
                assertThat(answer.getFirst().field('C')).isEqualTo("42P01");
                assertThat(answer.getLast().toString()).endsWith(status);
                old.query("BEGIN").readUntilReady();
            }
            old.query("ROLLBACK").readUntilReady();
            under.direct().run("CREATE TABLE migrated AS SELECT 3 AS a");
            assertThat(Message.row(execute(old))).containsExactly("3");
        });
    }

    /** The same text means something else in each of two sessions. */
    @Test
    void temporaryTablesAndCursorsAreTheSessionsOwn() {
        try (PgProxy proxy = under.proxy();
                RawClient one = under.proxied().login();
                RawClient two = under.proxied().login()) {
            one.query("CREATE TEMP TABLE migrated AS SELECT 1 AS a").readUntilReady();
            two.query("CREATE TEMP TABLE migrated AS SELECT 1 AS a, 2 AS b").readUntilReady();
            prepare(one, TEXT);
            prepare(two, TEXT);
            for (RawClient client : List.of(one, two, one)) {
                assertThat(Message.types(execute(client))).isEqualTo("2DCZ");
                assertThat(Message.types(describeAndExecute(client))).isEqualTo("2TDCZ");
                assertThat(Message.types(execute(client))).isEqualTo("2DCZ");
            }
            one.parse("f", "FETCH 1 FROM c").sync().readUntilReady();
            two.parse("f", "FETCH 1 FROM c").sync().readUntilReady();
            one.query("BEGIN; DECLARE c CURSOR FOR SELECT 1").readUntilReady();
            two.query("BEGIN; DECLARE c CURSOR FOR SELECT 1, 2").readUntilReady();
            for (RawClient client : List.of(one, two)) {
                client.batch(b -> b.bind("", "f").execute("").sync());
                assertThat(Message.types(client.readUntilReady())).isEqualTo("2DCZ");
                client.query("ROLLBACK").readUntilReady();
            }
            assertThat(proxy.port()).isPositive();
        }
    }

    @Test
    void replicasDoNotAnswerInAnotherShape() {
        try (RoutedProxy routed = RoutedProxy.start(
                        "default_pool_size = 2\n", List.of(1, 1), "CREATE TABLE migrated AS SELECT 1 AS a");
                RawClient old = routed.proxied().login()) {
            routed.awaitReplicas();
            prepare(old, TEXT);
            routed.direct().run("ALTER TABLE migrated ADD COLUMN b int DEFAULT 2");
            routed.cluster().awaitReplicas();
            for (int i = 0; i < 20; i++) {
                assertChanged(execute(old), "I");
            }
            assertThat(Message.row(describeAndExecute(old))).containsExactly("1", "2");
            for (int i = 0; i < 20; i++) {
                assertThat(Message.row(execute(old))).containsExactly("1", "2");
            }
        }
    }
}
