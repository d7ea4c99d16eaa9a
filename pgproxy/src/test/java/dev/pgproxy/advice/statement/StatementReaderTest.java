package dev.pgproxy.advice.statement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.DatabaseFacts.Surroundings;
import dev.pgproxy.advice.facts.PlannerCosts;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.facts.TableFacts.Activity;
import dev.pgproxy.routing.sql.LikePattern;
import dev.pgproxy.routing.sql.MaskedReader;
import dev.pgproxy.routing.sql.ParameterTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class StatementReaderTest {
    private static final MaskedReader READER = new MaskedReader(5000);
    private static final DatabaseFacts FACTS = new DatabaseFacts(
            List.of(
                    table(1, "public", "t", "a b c d:text e:text f:boolean ts:timestamp tags:text[] data:jsonb"),
                    table(2, "public", "u", "x y z a"),
                    table(3, "S", "T t", "C"),
                    table(4, "one", "twice", "a"),
                    table(5, "two", "twice", "a")),
            List.of(),
            List.of(),
            new Surroundings(Set.of(), Set.of("lower", "abs"), PlannerCosts.DEFAULT, null, List.of(), true));

    private static TableFacts table(long oid, String schema, String name, String columns) {
        List<ColumnFacts> list = new ArrayList<>();
        for (String column : columns.split(" ", -1)) {
            String[] parts = column.split(":", -1);
            list.add(new ColumnFacts(parts[0], parts.length > 1 ? parts[1] : "integer", false, true, -1, 0, 0.5, 0, 4));
        }
        Activity none = new Activity(0, 0, 0, 0, 0, true, 0);
        return new TableFacts(oid, schema, name, 'r', 0, 1e6, 1e4, 1, none, Set.of(), list);
    }

    private static ReadStatement read(String sql) {
        return Objects.requireNonNull(new StatementReader(FACTS, LikePattern.PREFIX, ParameterTypes.NONE)
                .read(Objects.requireNonNull(READER.read(sql), sql)));
    }

    /** As {@code t: EQUAL a, RANGE b; u: JOIN x}. */
    private static String terms(ReadStatement statement) {
        return statement.uses().stream()
                .map(use -> use.table().name() + ": "
                        + use.terms().stream()
                                .map(term -> term.kind() + " " + term.key() + (term.isMany() ? "s" : ""))
                                .collect(Collectors.joining(", "))
                        + "?".repeat(use.others()))
                .collect(Collectors.joining("; "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT a, count(*) FROM t WHERE b > ? GROUP BY a | [a, b]",
                "SELECT v.a FROM t v JOIN u ON u.x = v.c | [a, c]",
                "SELECT count(*) FROM t | []",
                "SELECT * FROM t WHERE a = ? | null",
                "SELECT a * b FROM t | null",
                "SELECT t FROM t | null",
                "SELECT to_json(v) FROM t v | null",
                "SELECT b FROM t NATURAL JOIN u | null",
                "SELECT a FROM t FOR UPDATE | null",
                "DELETE FROM t WHERE a = ? | null"
            })
    void columnsThatAreNeededAreThoseThatAreNamedUnlessThereMayBeMore(String sql, String columns) {
        Set<String> needed = read(sql).uses().getFirst().columns();
        assertThat(String.valueOf(needed == null ? null : new TreeSet<>(needed)))
                .isEqualTo(columns);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "SELECT * FROM t WHERE a = ? AND b>-? AND $1 >= c | t: EQUAL a, RANGE b, RANGE c",
                "SELECT * FROM public.t WHERE (a = ?) AND (b BETWEEN ? AND ?) | t: EQUAL a, RANGE b",
                "SELECT * FROM t AS v WHERE v.a IN (?, ?) AND v.b = ANY ($1) | t: EQUAL as, EQUAL bs",
                "SELECT * FROM t WHERE a IS NULL AND b IS NOT NULL AND f AND NOT f AND f IS TRUE | t: IS_NULL a, IS_NOT_NULL b, IS_TRUE f, IS_FALSE f",
                "SELECT * FROM t WHERE f = true AND f = false | t: IS_TRUE f, IS_FALSE f",
                "SELECT * FROM t WHERE d LIKE ? AND e NOT LIKE ? | t: PREFIX d?",
                "SELECT * FROM t WHERE data@>? AND tags && $1 | t: CONTAINS data, CONTAINS tags",
                "SELECT * FROM t WHERE lower(d) = ? AND abs(a) > ? | t: EQUAL lower(d), RANGE abs(a)",
                "SELECT * FROM t WHERE d::text = ? AND ts > now() - interval ? | t: EQUAL d, RANGE ts",
                "SELECT * FROM t WHERE ts >= date ? AND ts < current_date | t: RANGE ts",
                "SELECT * FROM t WHERE (a, b) > (?, ?) ORDER BY a, b | t: RANGE a",
                "SELECT * FROM t WHERE a = ? OR b = ? | t: ?",
                "SELECT * FROM t WHERE a <> ? AND NOT (b = ?) AND b + c = ? | t: ???",
                "SELECT * FROM t JOIN u ON t.b = u.x WHERE c = ? AND z > ? | t: JOIN b, EQUAL c; u: JOIN x, RANGE z",
                "SELECT * FROM t, u WHERE t.b = u.x AND y = ? | t: JOIN b; u: JOIN x, EQUAL y",
                "SELECT * FROM t JOIN u USING (a) WHERE t.b = ? | t: JOIN a, EQUAL b; u: JOIN a",
                "SELECT * FROM t LEFT JOIN u ON u.x = t.b AND u.y = ? AND t.c = ? | t: ?; u: JOIN x, EQUAL y?",
                "SELECT * FROM t FULL JOIN u ON u.x = t.b WHERE y = ? | t: ; u: EQUAL y",
                "SELECT * FROM t WHERE a = ? AND EXISTS (SELECT ? FROM u WHERE u.x = t.b AND y = ?) | t: EQUAL a?; u: JOIN x, EQUAL y",
                "SELECT * FROM t WHERE a IN (SELECT x FROM u WHERE y = ?) | t: ?; u: EQUAL y",
                "WITH u AS (SELECT a FROM t WHERE b = ?) SELECT * FROM u WHERE x = ? | t: EQUAL b",
                "WITH v AS (SELECT a AS q FROM t) SELECT * FROM v JOIN u ON u.x = v.q | t: ; u: JOIN x",
                "SELECT * FROM (SELECT a FROM t WHERE b = ?) s JOIN u ON u.x = s.a | t: EQUAL b; u: JOIN x",
                "SELECT a FROM t WHERE b = ? UNION ALL SELECT x FROM u WHERE y = ? | t: EQUAL b; u: EQUAL y",
                "UPDATE t SET a = ? FROM u WHERE u.x = t.b AND u.y = ? | t: JOIN b; u: JOIN x, EQUAL y",
                "UPDATE t SET a = (SELECT x FROM u WHERE y = ?) WHERE b = ? | t: EQUAL b; u: EQUAL y",
                "DELETE FROM t USING u WHERE t.a = u.x AND u.y = ? | t: JOIN a; u: JOIN x, EQUAL y",
                "INSERT INTO u SELECT a FROM t WHERE b = ? | t: EQUAL b",
                "SELECT * FROM \"S\".\"T t\" \"Q\" WHERE \"Q\".\"C\" = ? | T t: EQUAL C",
                "SELECT * FROM \"T t\" WHERE c = ? | T t: ?",
                "SELECT * FROM t WHERE nowhere = ? AND x.a = ? | t: ??",
                "SELECT * FROM t v JOIN t w ON v.a = w.b WHERE v.c = ? AND a = ? | t: JOIN a, EQUAL c?; t: JOIN b?"
            })
    void conditionsAreFoundByTable(String sql, String expected) {
        assertThat(terms(read(sql))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM twice WHERE a = ?", // of which schema is not known
                "SELECT * FROM nowhere WHERE a = ?",
                "SELECT * FROM f(?) t WHERE a = ?"
            })
    void whatIsNotKnownIsLeftOut(String sql) {
        assertThat(read(sql).uses()).isEmpty();
        assertThat(read(sql).isComplete()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT * FROM t WHERE", "BEGIN; SELECT 1", "SELECT a FROM t WHERE b = …", "((((", ""})
    void whatCannotBeReadIsNot(String sql) {
        assertThat(READER.read(sql)).isNull();
    }

    @Test
    void manyParenthesesAreRefusedBeforeTheyTakeTime() {
        assertThat(READER.read("SELECT " + "(".repeat(400) + "1" + ")".repeat(400)))
                .isNull();
    }

    @Test
    void theOrderCountsOnlyWhereItIsThatOfOneTablesRows() {
        assertThat(read("SELECT * FROM t ORDER BY a DESC, t.b LIMIT ?")
                        .uses()
                        .getFirst()
                        .sort())
                .hasToString("[SortKey[column=a, descending=true], SortKey[column=b, descending=false]]");
        for (String other : List.of(
                "SELECT a FROM t GROUP BY a ORDER BY a",
                "SELECT DISTINCT a FROM t ORDER BY a",
                "SELECT * FROM t ORDER BY a + ?",
                "SELECT * FROM t ORDER BY a NULLS FIRST",
                "SELECT * FROM t JOIN u ON t.a = u.x ORDER BY b",
                "SELECT * FROM t ORDER BY ?")) {
            assertThat(read(other).uses().getFirst().sort()).as(other).isEmpty();
        }
    }
}
