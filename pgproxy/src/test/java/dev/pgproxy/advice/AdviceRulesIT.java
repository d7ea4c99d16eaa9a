package dev.pgproxy.advice;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.DatabaseFacts.Surroundings;
import dev.pgproxy.advice.facts.OpenTransaction;
import dev.pgproxy.advice.facts.PlannerCosts;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each rule on statements that it is about, and on others that look like them. The tables are real, the figures are not. */
final class AdviceRulesIT {
    private static final AdviceBench BENCH = new AdviceBench(
            "CREATE EXTENSION pg_trgm",
            "CREATE TABLE big (id int PRIMARY KEY, name text, code char(8), at timestamptz, n bigint, found text, body text)",
            "INSERT INTO big SELECT i, 'name' || i, 'c' || i, now() - i * interval '1 s', i, 'found' || i,"
                    + " (SELECT string_agg(md5(i::text || k), '') FROM generate_series(1, 24) k)"
                    + " FROM generate_series(1, 20000) i",
            "CREATE INDEX ON big (at)",
            "CREATE INDEX ON big (n)",
            "CREATE INDEX ON big (code)",
            "CREATE INDEX ON big USING gin (found gin_trgm_ops)",
            "CREATE TABLE lean (id int PRIMARY KEY, v int)",
            "INSERT INTO lean SELECT i, i FROM generate_series(1, 100000) i",
            "CREATE TABLE small (id int PRIMARY KEY, name text, at timestamptz)",
            "CREATE INDEX ON small (at)",
            "INSERT INTO small SELECT i, 'name' || i FROM generate_series(1, 100) i");
    private static final DatabaseFacts FACTS = BENCH.facts();

    @AfterAll
    static void end() {
        BENCH.close();
    }

    private static List<String> kinds(Load... loads) {
        return AdviceBench.rules(FACTS, loads).stream().map(Advice::kind).toList();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "deep_offset | SELECT id FROM big ORDER BY at DESC, id DESC LIMIT 10 OFFSET 5000 | … WHERE (at, id) < ($1, $2) ORDER BY at DESC, id DESC LIMIT $3",
                "deep_offset | SELECT id FROM big ORDER BY id OFFSET 5000 FETCH FIRST 5 ROWS ONLY | … WHERE id > $1 ORDER BY id LIMIT $2",
                "leading_wildcard | SELECT id FROM big WHERE name LIKE '%77' | CREATE INDEX CONCURRENTLY ON public.big USING gin (name gin_trgm_ops)",
                "leading_wildcard | SELECT n FROM big b WHERE b.name ILIKE 'Name7%' | CREATE INDEX CONCURRENTLY ON public.big USING gin (name gin_trgm_ops)",
                "function_on_column | SELECT id FROM big WHERE date_trunc('day', at) = '2026-01-01' | … WHERE at >= $1 AND at < $2",
                "function_on_column | SELECT id FROM big WHERE at::date = '2026-01-01' | … WHERE at >= $1 AND at < $2",
                "function_on_column | SELECT id FROM big WHERE n + 1 = 5 | ``",
                "implicit_cast | SELECT id FROM big WHERE n = 5::numeric | … WHERE n = $1::bigint",
                "implicit_cast | SELECT id FROM big WHERE code = 'c5'::text | … WHERE code = $1::character",
                "not_in | SELECT id FROM lean WHERE id NOT IN (SELECT n FROM big) | … WHERE NOT EXISTS (SELECT FROM big inside WHERE inside.… = lean.id)",
                "count_all | SELECT count(*) FROM lean | SELECT reltuples::int8 FROM pg_class WHERE oid = 'public.lean'::regclass"
            })
    void whatItIsAboutIsFoundWithWhatToDo(String kind, String sql, String what) {
        BENCH.run(sql);
        List<Advice> advice = AdviceBench.rules(FACTS, BENCH.load(sql, FACTS, 20, 10));
        assertThat(advice.stream().map(Advice::kind)).containsExactly(kind);
        assertThat(advice.getFirst().sql()).isEqualTo(what);
        assertThat(advice.getFirst().gain()).isPositive();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "SELECT id FROM small ORDER BY id LIMIT 10 OFFSET 50",
                "SELECT id FROM big ORDER BY id LIMIT 10",
                "SELECT id FROM small WHERE name LIKE '%77'",
                "SELECT id FROM big WHERE found LIKE '%77%'",
                "SELECT id FROM big WHERE code LIKE 'c7%'",
                "SELECT id FROM small WHERE date_trunc('day', at) = '2026-01-01'",
                "SELECT id FROM big WHERE date_trunc('day', now()) < at",
                "SELECT id FROM big WHERE upper(body) = 'X'",
                "SELECT id FROM big WHERE n = 5::bigint",
                "SELECT id FROM big WHERE code = 'c5'",
                "SELECT id FROM big WHERE id NOT IN (1, 2)",
                "SELECT s.id FROM small s WHERE s.id IN (SELECT id FROM big)",
                "SELECT s.id FROM small s WHERE NOT EXISTS (SELECT FROM small i WHERE i.id = s.id + 1)",
                "SELECT count(*) FROM small",
                "SELECT count(*) FROM big WHERE n < 100",
                "SELECT count(name) FROM big GROUP BY code"
            })
    void whatLooksLikeItIsNot(String sql) {
        BENCH.run(sql);
        assertThat(kinds(BENCH.load(sql, FACTS, 20, 10))).isEmpty();
    }

    @Test
    void whatIsFastNeedsNothing() {
        assertThat(kinds(
                        BENCH.load("SELECT id FROM big ORDER BY at LIMIT 10 OFFSET 20", FACTS, 0.2, 10),
                        BENCH.load("SELECT at FROM big WHERE name LIKE '%78'", FACTS, 0.2, 10),
                        BENCH.load("SELECT n FROM big WHERE at::date = '2026-01-01'", FACTS, 0.2, 10),
                        BENCH.load("SELECT count(*) FROM lean", FACTS, 0.2, 1)))
                .isEmpty();
    }

    private static Load load(String sql, long calls, long rows, long bytes, double served, double share) {
        return new Load(
                BENCH.shape(sql).fingerprint(),
                BENCH.shape(sql).masked(),
                BENCH.read(sql, FACTS),
                calls,
                rows,
                bytes,
                0,
                served,
                1,
                0,
                List.of(),
                1,
                share);
    }

    @Test
    void starIsWastefulWhereColumnsAreWide() {
        List<Advice> advice =
                AdviceBench.rules(FACTS, load("SELECT * FROM big WHERE id = 7", 500, 500, 500 * 900, 900, 0.1));
        assertThat(advice.stream().map(Advice::kind)).containsExactly("select_star");
        assertThat(advice.getFirst().why()).contains("900 bytes per row").contains("body (7");
        assertThat(kinds(load("SELECT * FROM lean WHERE id = 7", 500, 500, 500 * 900, 900, 0.1)))
                .isEmpty();
        assertThat(kinds(load("SELECT * FROM big WHERE id = 7", 500, 500, 500 * 90, 900, 0.1)))
                .isEmpty();
        assertThat(kinds(load("SELECT id, name FROM big WHERE id = 7", 500, 500, 500 * 900, 900, 0.1)))
                .isEmpty();
    }

    @Test
    void manyRowsWithoutALimitAreTold() {
        assertThat(kinds(load("SELECT id FROM lean", 10, 1_000_000, 1_000_000, 900, 0.1)))
                .containsExactly("missing_limit");
        assertThat(kinds(load("SELECT id FROM lean LIMIT 99999", 10, 1_000_000, 1_000_000, 900, 0.1)))
                .isEmpty();
        assertThat(kinds(load("SELECT v, count(id) FROM lean GROUP BY v", 10, 1_000_000, 1_000_000, 900, 0.1)))
                .isEmpty();
        assertThat(kinds(load("SELECT v FROM lean", 10, 1000, 1000, 900, 0.1))).isEmpty();
    }

    @Test
    void insertsOfSingleRowsAreToldWhereTheyAreMostOfWhatIsSent() {
        String sql = "INSERT INTO lean (id, v) VALUES (1, 2)";
        List<Advice> advice = AdviceBench.rules(FACTS, load(sql, 5000, 5000, 0, 900, 0.95));
        assertThat(advice.stream().map(Advice::kind)).containsExactly("row_by_row_insert");
        assertThat(advice.getFirst().sql()).startsWith("INSERT INTO public.lean (…) VALUES (…), (…)");
        assertThat(kinds(load(sql, 5000, 5000, 0, 900, 0.2))).isEmpty();
        assertThat(kinds(load(sql, 50, 50, 0, 900, 0.95))).isEmpty();
        assertThat(kinds(load("INSERT INTO lean VALUES (1, 2), (3, 4)", 5000, 10000, 0, 900, 0.95)))
                .isEmpty();
        assertThat(kinds(load("INSERT INTO lean SELECT id, 1 FROM small", 5000, 10000, 0, 900, 0.95)))
                .isEmpty();
    }

    @Test
    void frequentReadsOfWhatIsHardlyWrittenAreForTheCache() {
        Load read = load("SELECT v FROM lean WHERE id = 7", 50_000, 50_000, 0, 9000, 0.3);
        assertThat(kinds(read)).containsExactly("cache");
        assertThat(kinds(read, load("UPDATE lean SET v = 1 WHERE id = 7", 100, 100, 0, 1, 0.1)))
                .containsExactly("cache");
        assertThat(kinds(read, load("UPDATE lean SET v = 1 WHERE id = 7", 9000, 9000, 0, 1, 0.1)))
                .isEmpty();
        for (String other : List.of(
                "SELECT v FROM lean WHERE id = 7 FOR UPDATE",
                "SELECT v, now() FROM lean WHERE id = 7",
                "SELECT v, current_user FROM lean WHERE id = 7",
                "SELECT v FROM lean l JOIN pg_class c ON c.oid = l.id WHERE l.id = 7",
                "SELECT random() FROM lean WHERE id = 7")) {
            assertThat(kinds(load(other, 50_000, 50_000, 0, 9000, 0.3)))
                    .as(other)
                    .isEmpty();
        }
    }

    @Test
    void transactionsThatWaitForTheirClientAreTold() {
        DatabaseFacts facts = new DatabaseFacts(
                List.of(),
                List.of(),
                List.of(),
                new Surroundings(
                        Set.of(),
                        Set.of(),
                        PlannerCosts.DEFAULT,
                        null,
                        List.of(
                                new OpenTransaction(1, "u 1", "app", true, minutes(3), minutes(2)),
                                new OpenTransaction(2, "b", "", false, minutes(9), minutes(0)),
                                new OpenTransaction(3, "c", "", true, minutes(3), Duration.ofSeconds(5)),
                                new OpenTransaction(4, "d", "", false, minutes(3), minutes(3))),
                        true));
        List<Advice> advice = AdviceBench.rules(facts);
        assertThat(advice.stream().map(Advice::kind)).containsExactly("idle_in_transaction", "long_transaction");
        assertThat(advice.getFirst().sql())
                .isEqualTo("ALTER ROLE \"u 1\" SET idle_in_transaction_session_timeout = '60s'");
    }

    private static Duration minutes(int minutes) {
        return Duration.ofMinutes(minutes);
    }
}
