package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Statement rules where reads go to replicas or come from the cache, and a transaction may be on no server. */
final class StatementRulesRoutedIT {
    private static final String READ = "SELECT v FROM t WHERE id = 1";

    private final CachingProxy caching = CachingProxy.start(
            """
            statement_rules {
              a { without_where = true, deny = "no" }
              b { pattern = "^select slow", timeout = 300ms, max_concurrent = 1 }
              c { pattern = "^select v from t", timeout = 30s, max_concurrent = 1 }
            }
            """,
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t SELECT i, i FROM generate_series(1, 10) i",
            "CREATE VIEW slow AS SELECT 1 AS one FROM pg_sleep(60)");

    @AfterEach
    void stop() {
        caching.close();
    }

    private static String ask(RawClient client, String sql) {
        return Message.types(client.query(sql).readUntilReady());
    }

    private static String code(List<Message> answer) {
        return answer.stream()
                .filter(m -> m.type() == 'E')
                .findFirst()
                .orElseThrow()
                .field('C');
    }

    private static char status(List<Message> answer) {
        return (char) answer.getLast().body()[0];
    }

    @Test
    void aTransactionThatIsOnNoServerIsAborted() {
        try (RawClient client = caching.login()) {
            for (String first : List.of("", READ)) {
                ask(client, "BEGIN");
                ask(client, first);
                List<Message> answer = client.query("DELETE FROM t").readUntilReady();
                assertThat(Message.types(answer)).isEqualTo("EZ");
                assertThat(code(answer)).isEqualTo("42501");
                assertThat(status(answer)).isEqualTo('E');
                assertThat(code(client.query(READ).readUntilReady())).isEqualTo("25P02");
                answer = client.query("COMMIT").readUntilReady();
                assertThat(status(answer)).isEqualTo('I');
                assertThat(Message.row(client.query("SELECT count(*) FROM t").readUntilReady()))
                        .containsExactly("10");
            }
            List<Message> answer = client.batch(c -> c.parse("", "BEGIN")
                            .bind("", "")
                            .execute("")
                            .parse("", "DELETE FROM t")
                            .bind("", "")
                            .execute("")
                            .sync())
                    .readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("12CEZ");
            assertThat(status(answer)).isEqualTo('E');
            assertThat(ask(client, "ROLLBACK")).isEqualTo("CZ");
        }
    }

    @Test
    void whatIsRefusedPutsNoTableInDoubt() {
        try (RawClient client = caching.login()) {
            ask(client, READ);
            assertThat(caching.why(c -> c.query(READ), client)).isEqualTo(CacheReason.HIT);
            String both = "12DCEZ";
            assertThat(Message.types(client.batch(c -> c.parse("", "SELECT 1")
                                    .bind("", "")
                                    .execute("")
                                    .parse("", "DELETE FROM t")
                                    .bind("", "")
                                    .execute("")
                                    .sync())
                            .readUntilReady()))
                    .isEqualTo(both);
            assertThat(caching.why(c -> c.query(READ), client)).isEqualTo(CacheReason.HIT);
            assertThat(ask(client, "DELETE FROM t")).isEqualTo("EZ");
            assertThat(caching.why(c -> c.query(READ), client)).isEqualTo(CacheReason.HIT);
        }
    }

    @Test
    void aReadOfAReplicaIsCancelledAndItsPlaceGivenBack() {
        try (RawClient client = caching.login();
                RawClient other = caching.login()) {
            for (int i = 0; i < 3; i++) {
                client.query("SELECT slow.one FROM slow");
                List<Message> answer = client.readUntilReady();
                assertThat(code(answer)).isEqualTo("57014");
                assertThat(status(answer)).isEqualTo('I');
                assertThat(code(other.query("SELECT slow.one FROM slow").readUntilReady()))
                        .isEqualTo("57014");
                assertThat(Message.row(client.query(READ).readUntilReady())).containsExactly("1");
                assertThat(Message.row(other.query(READ).readUntilReady())).containsExactly("1");
            }
        }
    }
}
