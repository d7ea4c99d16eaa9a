package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** EXPLAIN (ROUTE) says what the cache makes of a statement; comments that mean nothing make no other of it. */
class CacheExplainIT {
    private static final String READ = "SELECT v FROM t WHERE id = 1";

    private final CachingProxy caching = CachingProxy.start(
            "cache_ttl = 1234ms\n",
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t SELECT i, i * 10 FROM generate_series(1, 10) i",
            "CREATE FUNCTION odd() RETURNS int VOLATILE LANGUAGE sql AS 'SELECT v FROM t'");

    @AfterEach
    void stop() {
        caching.close();
    }

    private static Map<String, String> facts(List<Message> answer) {
        Map<String, String> said = new LinkedHashMap<>();
        for (List<@Nullable String> row : Message.rows(answer)) {
            said.put(Objects.requireNonNull(row.get(0)), Objects.requireNonNull(row.get(1)));
        }
        return said;
    }

    private static Map<String, String> explain(RawClient client, String sql) {
        return facts(client.query("EXPLAIN (ROUTE) " + sql).readUntilReady());
    }

    /** What it says that is no, and why. */
    private static String whyNot(RawClient client, String sql) {
        Map<String, String> said = explain(client, sql);
        assertThat(said).as(sql).containsEntry("cache", "no").doesNotContainKeys("cache key", "cache age");
        return Objects.requireNonNull(said.get("cache reason"));
    }

    @Test
    void aReadIsAMissUntilItIsAskedAndAHitUntilItsTableIsWritten() {
        try (RawClient c = caching.login()) {
            Map<String, String> first = explain(c, READ);
            assertThat(first)
                    .containsEntry("reads", "public.t")
                    .containsEntry("cache", "miss")
                    .containsEntry("cache level", "ttl")
                    .containsEntry("cache ttl", "1234 ms")
                    .doesNotContainKey("cache age");
            assertThat(first.get("cache key")).matches("[0-9a-f]{32}");
            assertThat(value(c, READ)).isEqualTo("10");
            long hits = caching.count(CacheReason.HIT);
            long misses = caching.count(CacheReason.MISS);
            long found = caching.state().results().counters().hits();
            Map<String, String> then = explain(c, READ);
            assertThat(then).containsEntry("cache", "hit").containsEntry("cache key", first.get("cache key"));
            assertThat(then.get("cache age")).matches("\\d+ ms");
            assertThat(then.get("cache reason")).startsWith("hit: ");
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(hits);
            assertThat(caching.count(CacheReason.MISS)).isEqualTo(misses);
            assertThat(caching.state().results().counters().hits()).isEqualTo(found);
            c.query("UPDATE t SET v = 11 WHERE id = 1").readUntilReady();
            assertThat(explain(c, READ)).containsEntry("cache", "miss");
        }
    }

    @Test
    void whatIsNotLookedUpIsToldWithItsReason() {
        try (RawClient c = caching.login()) {
            assertThat(whyNot(c, "SELECT now(), v FROM t"))
                    .startsWith("moment: ")
                    .endsWith("(now)");
            assertThat(whyNot(c, "SELECT odd() FROM t"))
                    .startsWith("function: ")
                    .contains("odd");
            assertThat(whyNot(c, "SELECT 1")).startsWith("no_table: ");
            assertThat(whyNot(c, "UPDATE t SET v = 1")).startsWith("not_a_read: ");
            assertThat(whyNot(c, "COPY (SELECT v FROM t) TO STDOUT")).startsWith("not_a_read: ");
            assertThat(whyNot(c, "SELECT v FROM t FOR UPDATE")).startsWith("not_a_read: ");
            assertThat(whyNot(c, "SELECT (")).startsWith("unknown: ");
            assertThat(whyNot(c, "/* pgproxy: nocache */ " + READ)).startsWith("hint: ");
            assertThat(explain(c, "/* pgproxy: cache ttl=7s tag=a,b */ " + READ))
                    .containsEntry("cache ttl", "7 s")
                    .containsEntry("cache tags", "a, b");
            c.query("PREPARE p AS " + READ).readUntilReady();
            assertThat(whyNot(c, "EXECUTE p")).startsWith("not_a_read: ");
            c.query("BEGIN").readUntilReady();
            assertThat(explain(c, READ)).containsEntry("cache", "miss");
            c.query("UPDATE t SET v = 12 WHERE id = 2").readUntilReady();
            assertThat(whyNot(c, READ)).startsWith("transaction: ");
            c.query("ROLLBACK").readUntilReady();
            c.query("BEGIN ISOLATION LEVEL REPEATABLE READ").readUntilReady();
            assertThat(whyNot(c, READ)).startsWith("transaction: ");
            c.query("ROLLBACK").readUntilReady();
            c.query("CREATE TEMP TABLE pins (a int)").readUntilReady();
            caching.awaitCatalog();
            assertThat(whyNot(c, READ)).startsWith("pinned: ");
        }
    }

    @Test
    void aStatementWithParametersHasNoKeyOfItsOwn() {
        try (RawClient c = caching.login()) {
            c.batch(b -> b.parse("", "EXPLAIN (ROUTE) SELECT v FROM t WHERE id = $1")
                    .bind("", "", "1")
                    .execute("")
                    .sync());
            assertThat(facts(c.readUntilReady()))
                    .containsEntry("cache", "hit or miss")
                    .containsEntry("cache key", "depends on the parameters");
        }
        try (RawClient console =
                caching.routed().proxied().withDatabase("pgproxy").login()) {
            assertThat(facts(console.query("SHOW ROUTE " + caching.routed().database() + " '" + READ + "'")
                            .readUntilReady()))
                    .containsEntry("cache", "hit or miss")
                    .containsEntry("cache level", "ttl")
                    .containsEntry("cache key", "depends on the session: it can ask by EXPLAIN (ROUTE)");
        }
    }

    @Test
    void commentsThatMeanNothingMakeNoOtherReadOfIt() {
        try (RawClient c = caching.login()) {
            assertThat(value(c, READ + " /*traceparent='00-aa-01'*/")).isEqualTo("10");
            for (String same : List.of(
                    READ + " /*traceparent='00-bb-01'*/",
                    READ + " ",
                    READ + " -- x",
                    "/*a /* b */*/" + READ + " /**/")) {
                assertThat(caching.isHit(c, same)).as(same).isTrue();
            }
            for (String other : List.of(
                    "SELECT v AS \"a/*x*/\" FROM t WHERE id = 1",
                    "SELECT v AS \"a/*y*/\" FROM t WHERE id = 1",
                    "/*+ SeqScan(t) */ " + READ,
                    "/*+ IndexScan(t) */ " + READ,
                    "/* pgproxy: cache tag=a */ " + READ)) {
                assertThat(caching.isHit(c, other)).as(other).isFalse();
                assertThat(caching.isHit(c, other)).as(other).isTrue();
            }
            assertThat(explain(c, READ + " /*traceparent='00-cc-01'*/")).containsEntry("cache", "hit");
        }
    }

    @Test
    void commentsAreLeftOutOfPreparedStatementsToo() {
        try (RawClient c = caching.login()) {
            String text = "SELECT v /*%s*/ FROM t WHERE id = $1";
            for (int i = 0; i < 4; i++) {
                int round = i;
                c.batch(b -> b.parse("", text.formatted(round), 23)
                        .bind("", "", "3")
                        .describePortal("")
                        .execute("")
                        .sync());
                assertThat(Message.row(c.readUntilReady())).containsExactly("30");
            }
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(3);
            for (String name : List.of("s1", "s2")) { // what was never described does not do for who reads by heart
                c.batch(b -> b.parse(name, text.formatted(name), 23)
                        .describeStatement(name)
                        .sync());
                c.readUntilReady();
                c.batch(b -> b.bind("", name, "3").execute("").sync());
                assertThat(Message.row(c.readUntilReady())).containsExactly("30");
            }
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(4);
            c.batch(b -> b.parse("", text.formatted("other type"), 20)
                    .bind("", "", "3")
                    .describePortal("")
                    .execute("")
                    .sync());
            c.readUntilReady();
            assertThat(caching.count(CacheReason.HIT)).isEqualTo(4);
            assertThat(caching.count(CacheReason.MISS)).isEqualTo(3);
        }
    }
}
