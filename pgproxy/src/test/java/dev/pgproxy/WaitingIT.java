package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What clients do while they wait for a server. */
final class WaitingIT {
    /** The one server is a holder's, who is in a transaction. */
    private static void withAHolder(BiConsumer<Endpoint, RawClient> test) {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1\nquery_wait_timeout = 1min");
        try (PgProxy proxy = under.proxy();
                RawClient holder = under.proxied().login()) {
            holder.query("BEGIN").readUntilReady();
            test.accept(under.proxied(), holder);
        }
    }

    private static void awaitWaiting(Endpoint endpoint, long count) {
        Endpoint console =
                new Endpoint(endpoint.host(), endpoint.port(), "pgproxy", endpoint.user(), endpoint.password());
        Awaitility.await()
                .until(() -> Message.rows(console.run("SHOW CLIENTS")).stream()
                                .filter(row -> row.contains("waiting"))
                                .count()
                        == count);
    }

    private static String first(List<Message> answer) {
        return String.valueOf(Message.row(answer).getFirst());
    }

    @Test
    void aCancelIsAnsweredFromTheQueue() {
        withAHolder((endpoint, holder) -> {
            try (RawClient waiting = endpoint.login()) {
                Message key = waiting.keyData();
                waiting.query("SELECT 1");
                awaitWaiting(endpoint, 1);
                try (RawClient canceller = endpoint.connect()) {
                    canceller.cancelRequest(key.processId(), key.secretKey()).readUntilClosed();
                }
                List<Message> answer = waiting.readUntilReady();
                assertThat(Message.types(answer)).isEqualTo("EZ");
                assertThat(answer.getFirst().field('C')).isEqualTo("57014");
                assertThat(answer.getFirst().field('M')).isEqualTo("canceling statement due to user request");
                holder.query("COMMIT").readUntilReady();
                assertThat(first(waiting.query("SELECT 'and goes on'").readUntilReady()))
                        .isEqualTo("and goes on");
            }
        });
    }

    @Test
    void whatComesMeanwhileIsAnsweredInItsOrder() {
        withAHolder((endpoint, holder) -> {
            try (RawClient waiting = endpoint.login()) {
                waiting.query("SELECT 0");
                awaitWaiting(endpoint, 1);
                for (int i = 1; i <= 50; i++) {
                    waiting.batch(i % 2 == 0 ? query("SELECT " + i) : extended("SELECT " + i));
                }
                holder.query("COMMIT").readUntilReady();
                for (int i = 0; i <= 50; i++) {
                    assertThat(first(waiting.readUntilReady())).isEqualTo("" + i);
                }
            }
        });
    }

    private static Consumer<RawClient> query(String sql) {
        return b -> b.query(sql);
    }

    private static Consumer<RawClient> extended(String sql) {
        return b -> b.parse("", sql).bind("", "").execute("").sync();
    }

    @Test
    void whoVanishesGivesUpItsPlace() {
        withAHolder((endpoint, holder) -> {
            RawClient vanishing = endpoint.login();
            vanishing.query("SELECT 'of nobody'");
            awaitWaiting(endpoint, 1);
            try (RawClient next = endpoint.login()) {
                next.query("SELECT 'of the next'");
                awaitWaiting(endpoint, 2);
                vanishing.close();
                awaitWaiting(endpoint, 1);
                holder.query("COMMIT").readUntilReady();
                assertThat(first(next.readUntilReady())).isEqualTo("of the next");
            }
        });
    }

    @Test
    void whoSaysGoodbyeIsServedBefore() {
        withAHolder((endpoint, holder) -> {
            holder.query("CREATE TABLE it_goodbye (a int)").readUntilReady();
            try (RawClient leaving = endpoint.login()) {
                leaving.query("INSERT INTO it_goodbye VALUES (1)");
                awaitWaiting(endpoint, 1);
                leaving.terminate();
                holder.query("COMMIT").readUntilReady();
                assertThat(Message.types(leaving.readUntilClosed())).startsWith("CZ");
            }
            assertThat(first(holder.query("SELECT count(*) FROM it_goodbye").readUntilReady()))
                    .isEqualTo("1");
        });
    }

    @Test
    void theFirstToComeIsTheFirstToBeServed() {
        withAHolder((endpoint, holder) -> {
            holder.query("CREATE TABLE it_order (n serial, who int)").readUntilReady();
            RawClient[] waiting = new RawClient[5];
            for (int i = 0; i < waiting.length; i++) {
                waiting[i] = endpoint.login();
                waiting[i].query("INSERT INTO it_order (who) VALUES (" + i + ")");
                awaitWaiting(endpoint, i + 1);
            }
            holder.query("COMMIT").readUntilReady();
            for (RawClient client : waiting) {
                client.readUntilReady();
                client.close();
            }
            assertThat(first(holder.query("SELECT string_agg(who::text, '' ORDER BY n) FROM it_order")
                            .readUntilReady()))
                    .isEqualTo("01234");
        });
    }
}
