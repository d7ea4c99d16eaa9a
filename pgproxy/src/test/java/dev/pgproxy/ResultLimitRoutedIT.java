package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.RoutedProxy;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rules that limit results where reads go to replicas or come from the cache. */
final class ResultLimitRoutedIT {
    private static final String RULES =
            "statement_rules { few { application = limited, pattern = \"numbers\", max_rows = 10 } }\n";
    private static final String[] SCHEMA = {"CREATE TABLE numbers AS SELECT i FROM generate_series(1, 20) i"};
    private static final String READ = "SELECT i FROM numbers";
    private static final String TEN = "D".repeat(10);

    private static void assertCut(List<Message> answer, String before, char status) {
        assertThat(Message.types(answer)).isEqualTo(before + TEN + "EZ");
        assertThat(answer.get(answer.size() - 2).field('C')).isEqualTo("53400");
        assertThat((char) answer.getLast().body()[0]).isEqualTo(status);
    }

    @Test
    void aReplicaIsCutAndItsTransactionAborted() {
        try (RoutedProxy routed = RoutedProxy.start(RULES, List.of(1), SCHEMA);
                RawClient client = routed.proxied().login()) {
            client.query("SET application_name = limited").readUntilReady();
            String replica =
                    Integer.toString(routed.cluster().replicas().getFirst().port());
            routed.awaitReplicas();
            for (int i = 0; i < 5; i++) {
                assertCut(client.query(READ).readUntilReady(), "T", 'I');
                assertThat(Message.row(client.query(RoutedProxy.HERE).readUntilReady()))
                        .containsExactly(replica);
                client.query("BEGIN").readUntilReady();
                assertCut(client.query(READ).readUntilReady(), "T", 'E');
                assertThat(client.query("SELECT 1").readUntilReady().getFirst().field('C'))
                        .isEqualTo("25P02");
                client.query("COMMIT").readUntilReady();
                assertCut(client.parse("", READ).bind("", "").execute("").sync().readUntilReady(), "12", 'I');
            }
        }
    }

    @Test
    void whatTheCacheHasIsCutForWhoMayNotHaveIt() {
        try (CachingProxy caching = CachingProxy.start(RULES, SCHEMA);
                RawClient free = caching.login();
                RawClient limited = caching.login()) {
            limited.query("SET application_name = limited").readUntilReady();
            caching.know(free, READ, READ + " WHERE i < 5");
            free.query(READ).readUntilReady();
            assertThat(caching.isHit(free, READ)).isTrue();
            assertCut(limited.query(READ).readUntilReady(), "T", 'I');
            assertThat(caching.why(c -> c.query(READ), limited)).isEqualTo(CacheReason.RULE);
            assertThat(caching.isHit(free, READ))
                    .as("what was cut off was not kept")
                    .isTrue();
            assertThat(Message.rows(free.query(READ).readUntilReady())).hasSize(20);
            String few = READ + " WHERE i < 5";
            free.query(few).readUntilReady();
            assertThat(caching.isHit(limited, few)).isTrue();
            free.query("UPDATE numbers SET i = i").readUntilReady();
            assertCut(limited.query(READ).readUntilReady(), "T", 'I');
            assertThat(caching.isHit(free, READ))
                    .as("what was cut off was not kept")
                    .isFalse();
        }
    }
}
