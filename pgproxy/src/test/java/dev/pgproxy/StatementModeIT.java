package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Transcript;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** {@code pool_mode = statement}: a session as in transaction mode, but without transaction blocks. */
final class StatementModeIT {
    private static final ProxyUnderTest.InThisJvm UNDER =
            ProxyUnderTest.with("pool_mode = statement\ndefault_pool_size = 2");

    @AfterAll
    static void stop() {
        UNDER.proxy().close();
    }

    @Test
    void aSessionKeepsWhatItHas() {
        Transcript.assertSame(UNDER, (c, t) -> {
            RawClient d = t.another("d");
            c.query("SET application_name = 'of c'").readUntilReady();
            c.parse("s", "SELECT $1::int + 1").sync().readUntilReady();
            c.query("CREATE TEMP TABLE it_mode (a int)").readUntilReady();
            for (int i = 0; i < 5; i++) {
                t.expect("TDCZ", d.query("SHOW application_name").readUntilReady());
                t.expect("TDCZ", c.query("SHOW application_name").readUntilReady());
                t.expect("2DCZ", c.bind("", "s", "" + i).execute("").sync().readUntilReady());
                t.expect("CZ", c.query("INSERT INTO it_mode VALUES (" + i + ")").readUntilReady());
            }
            t.expect("TDCZ", c.query("SELECT sum(a) FROM it_mode").readUntilReady());
        });
    }

    @Test
    void severalStatementsOfOneQueryAreOneTransaction() {
        Transcript.assertSame(UNDER, (c, t) -> {
            t.quietly("CREATE TABLE IF NOT EXISTS it_implicit (a int)");
            t.expect(
                    "CEZ",
                    c.query("INSERT INTO it_implicit VALUES (1); SELECT 1/0; SELECT 2")
                            .readUntilReady());
            t.expect("TDCZ", c.query("SELECT count(*) FROM it_implicit").readUntilReady());
        });
    }

    @Test
    void aTransactionBlockEndsTheConnectionBeforeAnythingOfItHasRun() {
        UNDER.proxied().run("CREATE TABLE it_block (a int)");
        List<Consumer<RawClient>> blocks = List.of(
                b -> b.query("BEGIN"),
                b -> b.query("START TRANSACTION READ ONLY"),
                b -> b.query("INSERT INTO it_block VALUES (1); BEGIN; INSERT INTO it_block VALUES (2)"),
                b -> b.parse("", "INSERT INTO it_block VALUES (3)")
                        .bind("", "")
                        .execute("")
                        .parse("", "BEGIN")
                        .bind("", "")
                        .execute("")
                        .sync());
        for (Consumer<RawClient> block : blocks) {
            try (RawClient c = UNDER.proxied().login()) {
                block.accept(c.query("SELECT 1"));
                List<Message> answer = c.readUntilClosed();
                assertThat(Message.types(answer)).isEqualTo("TDCZE!");
                Message refusal = answer.get(answer.size() - 2);
                assertThat(refusal.field('S')).isEqualTo("FATAL");
                assertThat(refusal.field('C')).isEqualTo("0A000");
                assertThat(refusal.field('M')).isEqualTo("transaction blocks not allowed in statement pooling mode");
                assertThat(refusal.field('H')).contains("pool_mode = transaction");
            }
        }
        List<Message> rows = UNDER.proxied().run("SELECT a FROM it_block");
        assertThat(Message.types(rows)).isEqualTo("TCZ");
    }

    /** A statement prepared for later is not known as BEGIN when it is executed alone, so it is refused when prepared. */
    @Test
    void aPreparedBeginIsRefusedToo() {
        try (RawClient c = UNDER.proxied().login()) {
            c.parse("b", "BEGIN").sync();
            assertThat(Message.types(c.readUntilClosed())).isEqualTo("E!");
        }
    }
}
