package dev.pgproxy.advice;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each index that is advised is made, and PostgreSQL has to use it and to find the statement as much cheaper as was said. */
final class IndexAdviceIT {
    private static final AdviceBench BENCH = new AdviceBench(
            "CREATE TABLE customers (id int PRIMARY KEY, email text, name varchar(80), country int, score int,"
                    + " created_at timestamptz, deleted_at timestamptz, active boolean, \"Mixed Name\" text, mail text COLLATE \"und-x-icu\")",
            "INSERT INTO customers SELECT i, 'user' || (i * 7919 % 100000) || '@example.org', 'name' || (i % 5000), i % 40,"
                    + " i * 31 % 1000, now() - i * interval '1 minute', CASE WHEN i % 200 = 0 THEN now() END, i % 100 <> 0,"
                    + " 'mixed' || (i * 7919 % 100000), 'mail' || (i * 7919 % 100000) FROM generate_series(1, 100000::int8) i",
            "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int, region int, status text, total int,"
                    + " created_at timestamptz, note text, data jsonb, tags text[])",
            "INSERT INTO orders SELECT i, i * 7919 % 100000 + 1, i * 31 % 50, 'status' || i % 4, i * 7907 % 100000,"
                    + " now() - (i * 7919 % 200000) * interval '1 minute', repeat('x', 60),"
                    + " jsonb_build_object('k', i * 31 % 5000, 'v', i), ARRAY['t' || i * 31 % 3000, 'all']"
                    + " FROM generate_series(1, 200000::int8) i",
            "CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint, product_id int, qty int)",
            "INSERT INTO items SELECT i, i * 7919 % 200000 + 1, i * 31 % 20000, i % 9 FROM generate_series(1, 300000::int8) i",
            "CREATE TABLE events (id bigint, at date, device int) PARTITION BY RANGE (at)",
            "CREATE TABLE events_a PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
            "CREATE TABLE events_b PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
            "INSERT INTO events SELECT i, '2026-01-01'::date + (i % 50)::int, i * 31 % 20000 FROM generate_series(1, 120000::int8) i",
            "ANALYZE events",
            "CREATE TABLE small (id int, v int)",
            "INSERT INTO small SELECT i, i FROM generate_series(1, 500) i",
            "CREATE TABLE indexed (id int PRIMARY KEY, a int, b int, c text, gone timestamptz, j jsonb)",
            "INSERT INTO indexed SELECT i, i % 1000, i * 31 % 5000, 'c' || i, CASE WHEN i % 300 = 0 THEN now() END,"
                    + " jsonb_build_object('k', i % 5000) FROM generate_series(1, 100000::int8) i",
            "CREATE INDEX ON indexed (a, b)",
            "CREATE INDEX ON indexed (b DESC)",
            "CREATE INDEX ON indexed (c text_pattern_ops)",
            "CREATE INDEX ON indexed (lower(c))",
            "CREATE INDEX ON indexed (id) WHERE gone IS NOT NULL",
            "CREATE INDEX ON indexed USING gin (j)");

    private static final Pattern COST = Pattern.compile("cost=[\\d.]+\\.\\.([\\d.]+)");

    @AfterAll
    static void end() {
        BENCH.close();
    }

    private static double cost(String plan) {
        Matcher matcher = COST.matcher(plan);
        assertThat(matcher.find()).isTrue();
        return Double.parseDouble(matcher.group(1));
    }

    private static void provesRight(String expected, String sql) {
        List<Advice> advice = BENCH.indexes(sql);
        assertThat(advice).as(sql).isNotEmpty();
        assertThat(advice.stream().map(Advice::sql)).as(sql).anyMatch(each -> each.endsWith(expected));
        double before = cost(BENCH.explain(sql));
        List<String> made = new ArrayList<>();
        for (Advice each : advice) {
            String name = "advised_" + made.size();
            made.add(name);
            BENCH.run(each.sql().replaceFirst("INDEX (CONCURRENTLY )?ON", "INDEX " + name + " ON"));
        }
        try {
            BENCH.run("ANALYZE");
            String plan = BENCH.explain(sql);
            System.out.printf(
                    "%-60s %8.0f -> %6.0f, promised %6.0f -> %6.0f%n",
                    expected,
                    before,
                    cost(plan),
                    Objects.requireNonNull(advice.getFirst().estimate()).before(),
                    Objects.requireNonNull(advice.getFirst().estimate()).after());
            assertThat(cost(plan)).as(plan).isLessThan(before / 2);
            assertThat(plan).containsPattern("advised_|events_._");
            assertThat(BENCH.indexes(sql)).as("advised again").isEmpty();
        } finally {
            made.forEach(name -> BENCH.run("DROP INDEX " + name));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "orders (customer_id) | SELECT * FROM orders WHERE customer_id = 77",
                "orders (customer_id) | SELECT * FROM orders WHERE customer_id IN (1, 2, 3)",
                "orders (customer_id) | SELECT * FROM orders WHERE customer_id = ANY ('{1,2,3}'::int[]) AND status <> 'x'",
                "orders (region, created_at) | SELECT * FROM orders WHERE region = 7 ORDER BY created_at DESC LIMIT 10",
                "orders (region, created_at DESC, id) | SELECT * FROM orders WHERE region = 7 ORDER BY created_at DESC, id LIMIT 10",
                "orders (created_at) | SELECT id, note FROM orders ORDER BY created_at LIMIT 20",
                "orders (created_at, id) | SELECT * FROM orders WHERE (created_at, id) < (now(), 500) ORDER BY created_at DESC, id DESC LIMIT 10",
                "orders (total) | SELECT * FROM orders WHERE total > 99950",
                "orders (region, total) | SELECT * FROM orders o WHERE o.region = 7 AND o.total >= 99000",
                "orders (region, total) | SELECT * FROM orders WHERE region = 7 AND total BETWEEN 500 AND 900",
                "customers (email) | SELECT id FROM customers WHERE email LIKE 'user777%'",
                "customers (mail text_pattern_ops) | SELECT id FROM customers WHERE mail LIKE 'mail777%'",
                "customers (lower(email)) | SELECT id FROM customers WHERE lower(email) = 'user77@example.org'",
                "customers (deleted_at) WHERE deleted_at IS NOT NULL | SELECT id FROM customers WHERE deleted_at IS NOT NULL",
                "customers (country) WHERE NOT active | SELECT id FROM customers WHERE country = 20 AND NOT active",
                "customers (\"Mixed Name\") | SELECT id FROM customers \"C\" WHERE \"C\".\"Mixed Name\" = 'mixed5'",
                "orders USING gin (data jsonb_path_ops) | SELECT id FROM orders WHERE data @> '{\"k\": 5}'",
                "orders USING gin (tags) | SELECT id FROM orders WHERE tags @> '{t5}'",
                "orders (customer_id) | SELECT o.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = 7",
                "orders (customer_id) | SELECT o.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE c.email = 'user77@example.org'",
                "orders (customer_id) | SELECT c.id FROM customers c WHERE c.id = 7 AND EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
                "orders (customer_id) | WITH r AS (SELECT * FROM orders WHERE customer_id = 5) SELECT * FROM r WHERE r.total > 5",
                "items (order_id) | UPDATE items SET qty = 1 WHERE order_id = 5",
                "items (product_id) | DELETE FROM items i WHERE i.product_id = 5",
                "items (order_id) | SELECT i.* FROM orders o JOIN items i ON i.order_id = o.id WHERE o.id = 5 AND i.qty > 0",
                "events (device) | SELECT * FROM events WHERE device = 5"
            })
    void anIndexThatIsAdvisedIsUsedAndMakesTheStatementCheaper(String expected, String sql) {
        provesRight(expected, sql);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM orders WHERE id = 7",
                "SELECT * FROM orders WHERE status = 'status1'",
                "SELECT count(*) FROM orders",
                "SELECT region, sum(total) FROM orders GROUP BY region",
                "SELECT * FROM small WHERE v = 7",
                "SELECT id FROM customers WHERE active",
                "SELECT name FROM customers WHERE email LIKE '%77%'",
                "SELECT id FROM customers WHERE date_trunc('day', created_at) = '2026-01-01'",
                "SELECT id FROM customers WHERE email = 'a' OR score = 5",
                "SELECT * FROM indexed WHERE a = 5",
                "SELECT * FROM indexed WHERE a = 5 AND b > 100",
                "SELECT * FROM indexed WHERE b = 5 AND c <> 'x'",
                "SELECT * FROM indexed ORDER BY b LIMIT 10",
                "SELECT * FROM indexed WHERE c LIKE 'c77%'",
                "SELECT * FROM indexed WHERE c = 'c77'",
                "SELECT * FROM indexed WHERE lower(c) = 'c77'",
                "SELECT * FROM indexed WHERE gone IS NOT NULL",
                "SELECT * FROM indexed WHERE j @> '{\"k\": 5}'",
                "SELECT * FROM events WHERE at = '2026-01-05' AND device = 7",
                "SELECT o.* FROM indexed i JOIN orders o ON o.id = i.id WHERE i.a = 5",
                "SELECT c.id, o.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.total > 1",
                "SELECT * FROM pg_class WHERE relname = 'x'",
                "SELECT * FROM nowhere WHERE x = 1",
                "SELECT * FROM orders LIMIT 10",
                "INSERT INTO small VALUES (1, 2)"
            })
    void nothingIsAdvisedWhereAnIndexWouldBeOfNoUse(String sql) {
        boolean runs = !sql.contains("nowhere") && !sql.startsWith("INSERT");
        List<Advice> advice = runs
                ? BENCH.indexes(sql)
                : new dev.pgproxy.advice.index.IndexAdvice(BENCH.facts(), table -> 0)
                        .of(List.of(BENCH.load(sql, BENCH.facts(), 20, 1)));
        assertThat(advice).isEmpty();
    }

    @Test
    void oneIndexIsAdvisedForStatementsThatCanShareIt() {
        List<Advice> advice = BENCH.indexes(
                "SELECT * FROM orders WHERE region = 7 ORDER BY created_at DESC LIMIT 10",
                "SELECT * FROM orders WHERE region = 7 AND created_at > now() - interval '1 hour'",
                "SELECT * FROM items WHERE order_id = 5",
                "UPDATE items SET qty = 1 WHERE order_id = 5");
        assertThat(advice.stream().map(Advice::sql))
                .containsExactlyInAnyOrder(
                        "CREATE INDEX CONCURRENTLY ON public.orders (region, created_at)",
                        "CREATE INDEX CONCURRENTLY ON public.items (order_id)");
    }

    @Test
    void whatIsFastOrWrittenMoreThanReadNeedsNoIndex() {
        var facts = BENCH.facts();
        String sql = "SELECT * FROM orders WHERE customer_id = 77";
        var advised = new dev.pgproxy.advice.index.IndexAdvice(facts, table -> 100);
        assertThat(advised.of(List.of(BENCH.load(sql, facts, 20, 2)))).hasSize(1);
        var fast = new dev.pgproxy.advice.index.IndexAdvice(facts, table -> 100);
        assertThat(fast.of(List.of(BENCH.load(sql, facts, 0.1, 2)))).isEmpty();
        var written = new dev.pgproxy.advice.index.IndexAdvice(facts, table -> 1e7);
        assertThat(written.of(List.of(BENCH.load(sql, facts, 20, 2)))).isEmpty();
    }
}
