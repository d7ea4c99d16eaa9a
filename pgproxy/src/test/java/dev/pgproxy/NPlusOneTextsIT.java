package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Rows;
import dev.pgproxy.workload.Shop;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What SHOW NPLUSONE proposes, what it says of where a statement comes from, and how it is asked. */
final class NPlusOneTextsIT {
    private final CachingProxy proxy = CachingProxy.start("", Shop.schema());
    private final Endpoint proxied = proxy.routed().proxied();
    private final Endpoint console = proxied.withDatabase("pgproxy");
    private RawClient client;

    @BeforeEach
    void begin() {
        client = proxy.login();
    }

    @AfterEach
    void end() {
        client.close();
        proxy.close();
    }

    private List<List<String>> rows(String sql) {
        List<List<String>> rows = new ArrayList<>();
        for (List<String> row : Message.rows(client.query(sql).readUntilReady())) {
            rows.add(new ArrayList<>(row));
        }
        return rows;
    }

    /** The parent, and the child for each of its first values; what all children gave together. */
    private List<List<String>> loop(String parent, String child, String tag) {
        List<List<String>> all = new ArrayList<>();
        for (int times = 0; times < 3; times++) { // the first time the texts are read
            all.clear();
            rows("BEGIN");
            for (List<String> row : rows(parent)) {
                all.addAll(rows(child.replace("?", row.getFirst()) + tag));
            }
            rows("COMMIT");
        }
        return all;
    }

    private List<Rows.Row> shown(String show) {
        return Rows.of(console, show);
    }

    /** As soon as its texts are read, which nobody's query waits for. */
    private Rows.Row only() {
        await().untilAsserted(() -> assertThat(shown("SHOW NPLUSONE"))
                .extracting(row -> row.get("parent_by"))
                .containsExactly("foreign key"));
        return shown("SHOW NPLUSONE").getFirst();
    }

    /** Whatever order; the value in front of a row that is not the first's own is left out. */
    private static Set<String> texts(List<List<String>> rows, int from) {
        Set<String> texts = new TreeSet<>();
        rows.forEach(row -> texts.add(String.valueOf(row.subList(from, row.size()))));
        return texts;
    }

    @Test
    void whatIsProposedGivesTheSameRows() {
        List<List<String>> one = loop(
                "SELECT id, title FROM posts ORDER BY id LIMIT 12",
                "SELECT id, post_id, body FROM comments WHERE post_id = ?",
                "");
        Rows.Row row = only();
        String batched = row.get("batched").replace("ANY(?)", "ANY('{1,2,3,4,5,6,7,8,9,10,11,12}')");
        assertThat(texts(rows(batched), 0)).isEqualTo(texts(one, 0)).isNotEmpty();
        String joined = row.get("joined").replace("LIMIT ?", "LIMIT 12");
        assertThat(texts(rows(joined), 1)).isEqualTo(texts(one, 0));
    }

    @Test
    void whatIsProposedForTheLastOfEachGivesTheSameRows() {
        List<List<String>> one = loop(
                "SELECT id, title FROM posts ORDER BY id LIMIT 8",
                "SELECT id, body FROM comments WHERE post_id = ? ORDER BY id DESC LIMIT 1",
                "");
        String batched = only().get("batched")
                .replace("unnest(?)", "unnest('{1,2,3,4,5,6,7,8}'::int[])")
                .replace("LIMIT ?", "LIMIT 1");
        assertThat(texts(rows(batched), 1)).isEqualTo(texts(one, 0)).hasSize(8);
    }

    @Test
    void whatIsProposedForCountsGivesTheSameCounts() {
        List<List<String>> one = loop(
                "SELECT id, title FROM posts ORDER BY id LIMIT 8",
                "SELECT count(*) FROM comments WHERE post_id = ?",
                "");
        String batched = only().get("batched").replace("ANY(?)", "ANY('{1,2,3,4,5,6,7,8}')");
        assertThat(rows(batched)).hasSize(one.size());
        assertThat(texts(rows(batched), 1)).isEqualTo(texts(one, 0));
    }

    @Test
    void tagsSayWhereItComesFromAndNoLiteralIsShown() {
        loop(
                "SELECT id, title FROM posts ORDER BY id LIMIT 9",
                "SELECT body FROM comments WHERE post_id = ? AND body <> 'secret word'",
                " /*action='in%2Fdex',controller='posts',traceparent='00-4-5-01'*/");
        Rows.Row row = only();
        assertThat(row.get("tags")).isEqualTo("action='in/dex', controller='posts'");
        assertThat(row.values().toString()).doesNotContain("secret").doesNotContain("traceparent");
        assertThat(row.number("executions")).isGreaterThanOrEqualTo(9);
        assertThat(row.number("lost_us")).isBetween(1L, row.number("total_us"));
    }

    @Test
    void itIsLimitedForgottenAndSwitchedOff() {
        loop("SELECT id, title FROM posts LIMIT 9", "SELECT body FROM comments WHERE post_id = ?", "");
        loop("SELECT id, title FROM posts LIMIT 9", "SELECT word FROM labels WHERE post_id = ?", "");
        assertThat(shown("SHOW NPLUSONE")).hasSize(2);
        assertThat(shown("SHOW NPLUSONE LIMIT 1")).hasSize(1);
        assertThat(shown("SHOW REPETITIONS").getFirst().get("findings")).isEqualTo("2");
        console.run("RESET QUERIES");
        assertThat(shown("SHOW NPLUSONE")).isEmpty();
        console.run("SET n_plus_one_threshold = 0");
        loop("SELECT id, title FROM posts LIMIT 9", "SELECT body FROM comments WHERE post_id = ?", "");
        assertThat(shown("SHOW NPLUSONE")).isEmpty();
        console.run("SET n_plus_one_threshold = 9");
        loop("SELECT id, title FROM posts LIMIT 9", "SELECT body FROM comments WHERE post_id = ?", "");
        assertThat(shown("SHOW NPLUSONE")).hasSize(1);
    }

    @Test
    void answersOfTheCacheAreExecutionsToo() {
        String parent = "SELECT id, title FROM posts ORDER BY id LIMIT 9";
        String child = "SELECT body FROM comments WHERE post_id = ";
        for (int times = 0; times < 3; times++) {
            for (List<String> row : rows(parent)) {
                rows(child + row.getFirst());
            }
        }
        long cached = shown("SHOW QUERIES").stream()
                .filter(row -> row.get("query").startsWith(child))
                .mapToLong(row -> row.number("cached"))
                .sum();
        assertThat(cached).isPositive();
        assertThat(only().number("occurrences")).isGreaterThanOrEqualTo(2);
    }
}
