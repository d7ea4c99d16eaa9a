package dev.pgproxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Transcript;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** That a server goes to the next client when, and only when, nothing of the last one is left on it or under way. */
final class ReleaseIT {
    private static final String FUNCTION =
            "CREATE OR REPLACE FUNCTION it_plain() RETURNS int LANGUAGE plpgsql AS" + " 'BEGIN RETURN 1; END'";

    @Test
    void aProbeDoesNotCostTheUnnamedStatement() {
        Transcript.assertSame((c, t) -> {
            t.quietly(FUNCTION);
            c.parse("", "SELECT it_plain()").sync().readUntilReady();
            t.expect("2DCZ", c.bind("", "").execute("").sync().readUntilReady());
        });
    }

    @Test
    void whatIsSentWhileAProbeRunsIsProbedToo() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 2");
        try (PgProxy proxy = under.proxy()) {
            Endpoint proxied = under.proxied();
            proxied.run(FUNCTION);
            for (int key = 1; key <= 20; key++) {
                try (RawClient holder = proxied.login()) {
                    holder.query("SELECT it_plain()").readUntilReady();
                    holder.query("SELECT pg_advisory_lock(" + key + ")").readUntilReady();
                    String holds =
                            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
                    assertThat(Message.row(proxied.run(holds))).containsExactly("0");
                    holder.query("SELECT pg_advisory_unlock_all()").readUntilReady();
                }
            }
        }
    }

    /** While the server waits for a Sync there is no place for queries of ours: what follows must be ready before. */
    @Test
    void anOpenExchangeNamesNobodyElsesStatements() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy()) {
            Transcript.assertSame(under, (c, t) -> {
                RawClient d = t.another("d");
                d.query("PREPARE q AS SELECT 'of d'").readUntilReady();
                t.expect("12Ds", beginOpen(c));
                c.parse("", "EXECUTE q").bind("", "").execute("").sync().readUntilReady();
                c.query("PREPARE q AS SELECT 'of c'").readUntilReady();
                d.query("EXECUTE q").readUntilReady();
                t.expect("12Ds", beginOpen(c));
                c.parse("", "EXECUTE q").bind("", "").execute("").sync().readUntilReady();
                c.query("DEALLOCATE q").readUntilReady();
                d.query("EXECUTE q").readUntilReady();
                t.expect("12Ds", beginOpen(c));
                c.query("EXECUTE q").readUntilReady(); // from here on the server is its own
            });
        }
    }

    /** The server could not be made ready, since the transaction had failed. */
    @Test
    void anOpenExchangeBehindAFailureNamesNoStatementAtAll() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy();
                RawClient d = under.proxied().login();
                RawClient c = under.proxied().login()) {
            d.query("PREPARE q AS SELECT 'of d'").readUntilReady();
            c.query("BEGIN").readUntilReady();
            c.query("SELECT 1/0").readUntilReady();
            c.parse("", "ROLLBACK").bind("", "").execute("").flush();
            assertThat(c.readMessage().type()).isEqualTo('1');
            assertThat(c.readMessage().type()).isEqualTo('2');
            assertThat(c.readMessage().type()).isEqualTo('C');
            List<Message> answer =
                    c.parse("", "EXECUTE q").bind("", "").execute("").sync().readUntilClosed();
            assertThat(answer.getFirst().field('C')).isEqualTo("0A000");
            assertThat(Message.row(d.query("EXECUTE q").readUntilReady())).containsExactly("of d");
        }
    }

    /** Leaves out the Sync. */
    private static List<Message> beginOpen(RawClient client) {
        client.parse("", "SELECT 1").bind("", "").execute("", 1).flush();
        return List.of(client.readMessage(), client.readMessage(), client.readMessage(), client.readMessage());
    }

    @Test
    void aClientThatVanishesWhileItsProbeRunsLeavesItsServerAtOnce() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1\nquery_wait_timeout = 10s");
        try (PgProxy proxy = under.proxy()) {
            Endpoint proxied = under.proxied();
            proxied.run(FUNCTION);
            for (int i = 0; i < 10; i++) {
                RawClient vanishing = proxied.login();
                vanishing.query("SELECT it_plain()").readUntilReady();
                vanishing.close();
                assertThat(Message.row(proxied.run("SELECT 1"))).containsExactly("1");
            }
        }
    }

    @Test
    void whatFollowsTheRestOfABrokenCopyIsAnsweredToNobodyElse() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy()) {
            Endpoint proxied = under.proxied();
            proxied.run("CREATE TABLE it_copy (a int)");
            byte[] half = new byte[50_000];
            byte[] head = ByteBuffer.allocate(5)
                    .put((byte) 'd')
                    .putInt(4 + 2 * half.length)
                    .array();
            try (RawClient c = proxied.login();
                    RawClient d = proxied.login()) {
                c.query("COPY it_copy FROM STDIN").readUntil('G');
                c.batch(data -> data.copyData("no number\n").raw(head).raw(half));
                c.readUntilReady();
                c.batch(rest -> rest.raw(half).query("SELECT pg_sleep(0.3), 'of c'"));
                d.query("SELECT 'of d'");
                assertThat(Message.row(d.readUntilReady())).containsExactly("of d");
                assertThat(Message.row(c.readUntilReady())).containsExactly("", "of c");
            }
        }
    }

    /** PostgreSQL says idle while its implicit transaction is still open; the next statement fails and ends it. */
    @Test
    void whatACallInsideAPipelineLeavesOpenMeetsNobodyElse() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 2");
        try (PgProxy proxy = under.proxy()) {
            Transcript.assertSame(under, (c, t) -> {
                RawClient other = t.another("d");
                c.batch(b -> b.parse("", "SELECT 1")
                        .bind("", "")
                        .execute("")
                        .functionCall(1397, new int[0], List.of("-5".getBytes(UTF_8)), 0)
                        .sync());
                t.expect("12DCVZ", c.readUntilReady());
                t.expect("Z", c.readUntilReady());
                for (int i = 0; i < 5; i++) {
                    t.expect("TDCZ", other.query("SELECT 2").readUntilReady());
                }
                t.expect("EZ", c.query("SELECT 3").readUntilReady());
                t.expect("TDCZ", c.query("SELECT 4").readUntilReady());
                c.batch(b -> b.parse("", "SELECT 5")
                        .bind("", "")
                        .execute("")
                        .query("SELECT 6")
                        .sync());
                t.expect("12DCTDCZ", c.readUntilReady());
                t.expect("Z", c.readUntilReady());
                t.expect("TDCZ", other.query("SELECT 7").readUntilReady());
            });
        }
    }
}
