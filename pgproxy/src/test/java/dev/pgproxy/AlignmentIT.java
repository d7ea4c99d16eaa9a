package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.Transcript;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A server that cannot be given the session's settings runs nothing of the session. */
final class AlignmentIT {
    private static final List<Consumer<RawClient>> WRITES = List.of(
            b -> b.query("INSERT INTO it_alignment VALUES (1)"),
            b -> b.parse("", "INSERT INTO it_alignment VALUES (1)")
                    .bind("", "")
                    .execute("")
                    .sync(),
            b -> b.query("BEGIN"));

    private static final List<Consumer<RawClient>> WAYS_OUT = List.of(
            b -> b.query("RESET ROLE"),
            b -> b.parse("", "SET ROLE NONE").bind("", "").execute("").sync(),
            b -> b.query("DISCARD ALL"));

    @Test
    void theClientHearsWhyAndNothingHasRun() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy()) {
            Endpoint proxied = under.proxied();
            proxied.run("CREATE TABLE it_alignment (a int)");
            proxied.run("GRANT ALL ON it_alignment TO PUBLIC");
            for (int i = 0; i < WRITES.size(); i++) {
                Consumer<RawClient> write = WRITES.get(i);
                Consumer<RawClient> out = WAYS_OUT.get(i);
                String role = TestCluster.freshRole("secret");
                try (RawClient c = proxied.login();
                        RawClient d = proxied.login()) {
                    c.query("SET ROLE " + role).readUntilReady();
                    d.query("SELECT 1").readUntilReady();
                    d.query("DROP ROLE " + role).readUntilReady();
                    write.accept(c);
                    List<Message> answer = c.readUntilReady();
                    assertThat(Message.types(answer)).isEqualTo("EZ");
                    assertThat(answer.getFirst().field('C')).isEqualTo("22023");
                    assertThat(answer.getFirst().field('M')).isEqualTo("role \"" + role + "\" does not exist");
                    assertThat(Message.types(
                                    d.query("SELECT * FROM it_alignment").readUntilReady()))
                            .isEqualTo("TCZ");
                    out.accept(c);
                    c.readUntilReady();
                    assertThat(Message.types(
                                    c.query("SELECT * FROM it_alignment").readUntilReady()))
                            .isEqualTo("TCZ");
                }
            }
        }
    }

    /** What undoes a setting may come without it; what comes with it, or behind it, may not. */
    @Test
    void whatIsSentBesideAResetHasItsSettings() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy()) {
            Transcript.assertSame(under, (c, t) -> {
                RawClient d = t.another("d");
                t.quietly("CREATE SCHEMA IF NOT EXISTS it_beside");
                t.quietly("CREATE OR REPLACE VIEW it_beside.v AS SELECT 'beside' AS v");
                t.quietly("CREATE OR REPLACE VIEW public.v AS SELECT 1 AS v");
                c.query("SET search_path = it_beside").readUntilReady();
                List<Consumer<RawClient>> beside = List.of(
                        b -> b.parse("", "RESET search_path")
                                .parse("s1", "SELECT v FROM v")
                                .describeStatement("s1"),
                        b -> b.parse("s2", "SELECT v FROM v")
                                .sync()
                                .parse("", "RESET search_path")
                                .describeStatement("s2"),
                        b -> b.parse("", "RESET search_path")
                                .flush()
                                .parse("s3", "SELECT v FROM v")
                                .describeStatement("s3"));
                for (Consumer<RawClient> messages : beside) {
                    t.expect("TDCZ", d.query("SELECT 1").readUntilReady());
                    c.batch(b -> messages.andThen(RawClient::sync).accept(b));
                    c.readUntil(message -> message.type() == 'T' || message.type() == 'E');
                    c.readUntilReady();
                }
            });
        }
    }

    /** Only the value: our DISCARD ALL does not commit at once, which ReadyForQuery of the Query without Sync tells. */
    @Test
    void aQueryBehindADiscardInAPipelineHasItsSettings() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy();
                RawClient c = under.proxied().login();
                RawClient d = under.proxied().login()) {
            d.query("SET application_name = 'of d'").readUntilReady();
            d.query("SHOW application_name").readUntilReady();
            c.batch(b -> b.parse("", "DISCARD ALL").bind("", "").execute("").query("SHOW application_name"));
            assertThat(Message.row(c.readUntilReady())).containsExactly("");
        }
    }

    /** Its place in the pool is free again: another client gets a server. */
    @Test
    void aServerLostDuringItsAlignmentIsReplaced() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy();
                RawClient locking = under.direct().login();
                RawClient c = under.proxied().login();
                RawClient d = under.proxied().login()) {
            d.query("DROP TABLE IF EXISTS it_locked; CREATE TABLE it_locked (a int)")
                    .readUntilReady();
            c.query("PREPARE aligned AS SELECT a FROM it_locked").readUntilReady();
            d.query("PREPARE aligned AS SELECT 1").readUntilReady();
            locking.query("BEGIN; LOCK TABLE it_locked").readUntilReady();
            c.query("EXECUTE aligned");
            String which = " FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    + " AND query = 'PREPARE aligned AS SELECT a FROM it_locked'";
            await().until(
                            () -> Message.row(under.direct().run("SELECT count(*)" + which)),
                            row -> "1".equals(row.getFirst()));
            under.direct().run("SELECT pg_terminate_backend(pid)" + which);
            Message last = c.readUntilClosed().getFirst();
            assertThat(last.field('C')).isEqualTo("57P01");
            assertThat(last.field('S')).isEqualTo("FATAL");
            locking.query("COMMIT").readUntilReady();
            assertThat(Message.types(d.query("EXECUTE aligned").readUntilReady()))
                    .isEqualTo("TDCZ");
        }
    }
}
