package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.results.CacheRules;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The rules of the configuration decide which results are kept, how long, and under which tags. */
class CacheRulesIT {
    private static final String READ = "SELECT v FROM t WHERE id = 1";

    private final CachingProxy caching = CachingProxy.start(
            """
            cache_rules {
              a-never { table = secret, never = true }
              b-batch { application = batch, never = true }
              c-short { table = public.t, ttl = 30s, tags = [Tees, all] }
              d-nobody { user = nobody, never = true }
            }
            """,
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t SELECT i, i * 10 FROM generate_series(1, 10) i",
            "CREATE TABLE secret (v int)",
            "INSERT INTO secret VALUES (7)",
            "CREATE VIEW seen AS SELECT v FROM secret",
            "CREATE TABLE plain AS SELECT 1 AS v");

    @AfterEach
    void stop() {
        caching.close();
    }

    private List<Message> console(String command) {
        try (RawClient c = caching.routed().proxied().withDatabase("pgproxy").login()) {
            return c.query(command).readUntilReady();
        }
    }

    private static List<List<@Nullable String>> explain(RawClient c, String sql) {
        return Message.rows(c.query("EXPLAIN (ROUTE) " + sql).readUntilReady());
    }

    private long decided(String name) {
        return caching.state().results().rules().all().stream()
                .filter(rule -> rule.says().name().equals(name))
                .mapToLong(CacheRules.Rule::reads)
                .sum();
    }

    @Test
    void theFirstRuleThatFitsDecidesAndAHintWins() {
        try (RawClient c = caching.login()) {
            for (String read : List.of("SELECT v FROM secret", "SELECT v FROM seen")) {
                assertThat(caching.why(b -> b.query(read), c)).isEqualTo(CacheReason.RULE);
            }
            assertThat(decided("a-never")).isEqualTo(2);
            assertThat(explain(c, "SELECT v FROM seen"))
                    .contains(List.of("cache rule", "a-never"), List.of("cache", "no"));
            assertThat(explain(c, READ))
                    .contains(
                            List.of("cache rule", "c-short"),
                            List.of("cache ttl", "30 s"),
                            List.of("cache tags", "tees, all"));
            assertThat(explain(c, "/* pgproxy: cache ttl=2s */ " + READ))
                    .contains(List.of("cache ttl", "2 s"), List.of("cache tags", "tees, all"));
            assertThat(decided("c-short")).isZero();
            String asked = "/* pgproxy: cache ttl=2s */ SELECT v FROM secret";
            assertThat(caching.why(b -> b.query(asked), c)).isEqualTo(CacheReason.MISS);
            assertThat(caching.why(b -> b.query(asked), c)).isEqualTo(CacheReason.HIT);
            assertThat(explain(c, "SELECT v FROM plain")).noneMatch(row -> "cache rule".equals(row.getFirst()));
        }
    }

    @Test
    void aRuleGivesTags() {
        try (RawClient c = caching.login()) {
            value(c, READ);
            assertThat(caching.isHit(c, READ)).isTrue();
            console("CACHE INVALIDATE TAG tees");
            assertThat(caching.isHit(c, READ)).isFalse();
            assertThat(caching.isHit(c, READ)).isTrue();
            assertThat(decided("c-short")).isEqualTo(4);
        }
    }

    @Test
    void anApplicationIsWhatTheSessionHasSet() {
        try (RawClient c = caching.login()) {
            assertThat(caching.why(b -> b.query(READ), c)).isEqualTo(CacheReason.MISS);
            c.query("SET application_name = 'batch'").readUntilReady();
            assertThat(caching.why(b -> b.query(READ), c)).isEqualTo(CacheReason.RULE);
            c.query("RESET application_name").readUntilReady();
            assertThat(caching.why(b -> b.query(READ), c)).isEqualTo(CacheReason.HIT);
        }
    }

    @Test
    void reloadAppliesOtherRulesAndAFingerprintIsTheSameInEveryProcess() throws ConfigProblems {
        try (RawClient c = caching.login()) {
            value(c, READ);
            assertThat(caching.isHit(c, READ)).isTrue();
            String fingerprint = Objects.requireNonNull(
                    Message.rows(console("SHOW CACHE FINGERPRINTS")).getFirst().getFirst());
            assertThat(Message.rows(console("SHOW CACHE RULES")))
                    .hasSize(4)
                    .contains(List.of("c-short", "table = public.t", "cache ttl=30s tag=tees,all", "2"));
            caching.state()
                    .results()
                    .rules(ConfigLoader.parse("databases { \"*\" { primary = db } }\ncache_rules { one { fingerprint = "
                                    + fingerprint + ", database = "
                                    + caching.routed().database() + ", never = on } }")
                            .cacheRules());
            await().until(() -> caching.state().catalog() != null);
            assertThat(caching.why(b -> b.query(READ), c)).isEqualTo(CacheReason.RULE);
            assertThat(caching.why(b -> b.query("SELECT v FROM secret"), c)).isEqualTo(CacheReason.MISS);
        }
        try (CachingProxy other = CachingProxy.start("", "CREATE TABLE t (id int PRIMARY KEY, v int)");
                RawClient c = other.login()) {
            value(c, "SELECT count(*) FROM t WHERE id = 1");
            c.query(READ).readUntilReady();
            List<String> here = other.routed().proxy().services().routes().shapes().all().stream()
                    .map(shape -> shape.fingerprint())
                    .toList();
            List<String> there = caching.routed().proxy().services().routes().shapes().all().stream()
                    .map(shape -> shape.fingerprint())
                    .toList();
            assertThat(here).containsAnyElementsOf(there);
        }
    }
}
