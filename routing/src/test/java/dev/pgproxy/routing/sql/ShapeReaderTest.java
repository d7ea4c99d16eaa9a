package dev.pgproxy.routing.sql;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ShapeReaderTest {
    static List<TestShapes.Row> table() {
        return TestShapes.table();
    }

    @Test
    void theTableIsLargeEnoughToMeanSomething() {
        assertThat(TestShapes.table()).hasSizeGreaterThan(250);
    }

    @ParameterizedTest
    @MethodSource("table")
    void namesAreFoundWhereverTheGrammarLetsThemStand(TestShapes.Row row) {
        StatementShape shape = TestShapes.of(row.sql());
        assertThat(shape.understood()).isEqualTo(!row.expected().isEmpty());
        if (shape.understood()) {
            assertThat(TestShapes.describe(shape).stripTrailing()).isEqualTo(row.expected());
        }
    }

    @Test
    void kindAndFlagsAreThoseOfTheScanner() {
        StatementShape shape =
                TestShapes.of("WITH d AS (DELETE FROM a RETURNING *) SELECT nextval('s') FROM d FOR UPDATE");
        assertThat(shape.kind()).isEqualTo(StatementKind.SELECT);
        assertThat(shape.has(StatementFlags.DATA_MODIFYING_CTE)).isTrue();
        assertThat(shape.has(StatementFlags.NEXTVAL)).isTrue();
        assertThat(shape.has(StatementFlags.ROW_LOCK)).isTrue();
        assertThat(TestShapes.of("SELECT 1; SELECT 2").kind()).isEqualTo(StatementKind.MULTIPLE);
        assertThat(TestShapes.of(" ; ").kind()).isEqualTo(StatementKind.EMPTY);
    }

    @Test
    void operatorsAreAsWrittenOrAsTheirWordsMeanThem() {
        assertThat(TestShapes.of("SELECT a @> b, c OPERATOR(s.#>>) d, - 1 FROM t")
                        .operators())
                .containsExactlyInAnyOrder(new Name(null, "@>"), new Name("s", "#>>"), new Name(null, "-"));
        assertThat(operators("SELECT a LIKE b, c IN (1) FROM t")).contains("~~", "!~~", "=", "<>");
        assertThat(operators("SELECT a BETWEEN 1 AND 2, c ILIKE d, e SIMILAR TO f FROM t"))
                .contains(">=", "<=", "~~*", "~");
    }

    private static List<String> operators(String sql) {
        return TestShapes.of(sql).operators().stream().map(Name::name).toList();
    }

    @Test
    void wordsAreAllIdentifiersButReservedOnes() {
        assertThat(TestShapes.of(
                                "SELECT x.Foo, \"Bar\"::s.my_type, u&\"\\0061\", value FROM t AS y WHERE (y).fn = 'no'")
                        .words())
                .containsExactlyInAnyOrder("x", "foo", "Bar", "s", "my_type", "a", "value", "t", "y", "fn");
        assertThat(TestShapes.of("PREPARE p (s.my_type) AS SELECT 1").words()).contains("p", "s", "my_type");
    }

    @Test
    void literalsFollowStandardConformingStrings() {
        byte[] text = "SELECT 'x\\' FROM a --' FROM b".getBytes(UTF_8);
        assertThat(TestShapes.of(text, true).relations()).containsExactly(new Name(null, "a"));
        assertThat(TestShapes.of(text, false).relations()).containsExactly(new Name(null, "b"));
    }

    @Test
    void namesThatAreNotUtf8AreNotUnderstood() {
        assertThat(TestShapes.of("SELECT * FROM caf\u00e9".getBytes(ISO_8859_1), true)
                        .understood())
                .isFalse();
        assertThat(TestShapes.of("SELECT 'caf\u00e9' FROM a".getBytes(ISO_8859_1), true)
                        .understood())
                .isTrue();
    }

    @Test
    void oneStatementThatIsNotUnderstoodSpoilsTheText() {
        assertThat(TestShapes.of("SELECT 1; SELECT 2 FROM a").understood()).isTrue();
        assertThat(TestShapes.of("SELECT 1; SELECT FROM WHERE 2").understood()).isFalse();
    }

    @Test
    void namesAreReadBehindTheFirstStatementThatIsNotUnderstood() {
        StatementShape shape = TestShapes.of("SELECT 1 FROM a FOR READ ONLY; DELETE FROM t; SELECT f(1) FROM b");
        assertThat(shape.understood()).isFalse();
        assertThat(TestShapes.names(shape.mentions())).isEqualTo("a b t");
        assertThat(TestShapes.names(shape.written())).isEqualTo("t");
        assertThat(TestShapes.names(shape.functions())).isEqualTo("f");
    }

    @Test
    void someNamesOfSeveralChangesAreNoneAtAll() {
        StatementShape shape = TestShapes.of("DELETE FROM t; VACUUM");
        assertThat(shape.understood()).isFalse();
        assertThat(shape.mentions()).isEmpty();
        assertThat(shape.written()).isEmpty();
    }

    @Test
    void aVerbMayFollowOnSearchAndCycle() {
        String table = "WITH RECURSIVE b AS (SELECT 1 AS c UNION ALL SELECT c FROM b) ";
        StatementShape update = TestShapes.of(table + "SEARCH DEPTH FIRST BY c SET o UPDATE t SET x = 1");
        assertThat(TestShapes.names(update.mentions())).contains("t");
        assertThat(TestShapes.names(update.written())).isEqualTo("t");
        StatementShape delete = TestShapes.of(
                "WITH a AS (" + table + "CYCLE c SET o USING p DELETE FROM t RETURNING *) SELECT * FROM a");
        assertThat(TestShapes.names(delete.written())).isEqualTo("t");
    }

    @Test
    void theConditionOfCopyIsRead() {
        StatementShape shape = TestShapes.of("COPY t FROM STDIN WITH (FORMAT csv) WHERE s.f(i) @> 1::my_type");
        assertThat(shape.understood()).isTrue();
        assertThat(TestShapes.names(shape.mentions())).isEqualTo("t");
        assertThat(TestShapes.names(shape.functions())).isEqualTo("s.f");
        assertThat(shape.operators()).containsExactly(new Name(null, "@>"));
        assertThat(shape.words()).contains("my_type");
    }

    @Test
    void aColumnNamedAsAStatementDoesNotMakeOne() {
        StatementShape shape = TestShapes.of("SELECT update, delete FROM a WHERE insert = merge");
        assertThat(shape.kind()).isEqualTo(StatementKind.SELECT);
        assertThat(shape.written()).isEmpty();
        assertThat(shape.understood()).isTrue();
    }

    @Test
    void warmUpMayBeCalledAtAnyTime() {
        ShapeReader.warmUp();
        assertThat(TestShapes.of("SELECT * FROM a").understood()).isTrue();
    }
}
