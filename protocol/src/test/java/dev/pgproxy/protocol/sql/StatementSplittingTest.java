package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatementSplittingTest {
    private static List<String> texts(String sql) {
        byte[] bytes = sql.getBytes(UTF_8);
        return Analysis.of(sql).statements().stream()
                .map(s -> {
                    int end = s.endIn(bytes.length);
                    return new String(bytes, s.start(), end - s.start(), UTF_8);
                })
                .collect(Collectors.toList());
    }

    @Test
    void emptyStatementsAreNotCounted() {
        assertThat(Analysis.of("")).isSameAs(QueryFacts.EMPTY);
        assertThat(Analysis.of(" ; /* x */ ;-- y").kind()).isEqualTo(StatementKind.EMPTY);
        assertThat(texts("SELECT 1; ; SET x=1")).containsExactly("SELECT 1", "SET x=1");
        assertThat(Analysis.of("SELECT 1; ; SET x=1").kind()).isEqualTo(StatementKind.MULTIPLE);
    }

    @Test
    void offsetsAreBytes() {
        assertThat(texts("SELECT 'äöü'; /* é */ SELECT 2 ; COMMIT -- x"))
                .containsExactly("SELECT 'äöü'", "SELECT 2", "COMMIT");
    }

    @Test
    void semicolonsInLiteralsNamesAndCommentsDoNotSplit() {
        assertThat(texts("SELECT ';', \";\", $$;$$, E'\\';' /* ; */ -- ;\n FROM t; SELECT 2"))
                .hasSize(2);
    }

    @Test
    void semicolonsInRulesAndAtomicBodiesDoNotSplit() {
        assertThat(texts("CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; NOTIFY x); SELECT 1"))
                .hasSize(2);
        assertThat(
                        texts(
                                "CREATE OR REPLACE FUNCTION f(a int) RETURNS int BEGIN ATOMIC"
                                        + " SELECT CASE WHEN a = 1 THEN 1 ELSE (CASE a WHEN 2 THEN 2 END) END; SELECT 2; END; SELECT 3"))
                .hasSize(2);
        assertThat(texts("BEGIN; SELECT 1; END; SELECT 2")).hasSize(4);
    }

    @Test
    void unbalancedParenthesesAndOpenEndsAreOpaque() {
        assertThat(Analysis.of("SELECT (1; SELECT 2").has(StatementFlags.OPAQUE))
                .isTrue();
        assertThat(Analysis.of("SELECT 1); SELECT 2").has(StatementFlags.OPAQUE))
                .isTrue();
        assertThat(Analysis.of("SELECT 'a").has(StatementFlags.OPAQUE)).isTrue();
        assertThat(Analysis.of("SELECT 1 /* a").has(StatementFlags.OPAQUE)).isTrue();
        assertThat(Analysis.of("CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; ").has(StatementFlags.OPAQUE))
                .isTrue();
        assertThat(Analysis.of("SELECT 1\u0000").has(StatementFlags.OPAQUE)).isTrue();
    }

    @Test
    void statementListsAreBounded() {
        QueryFacts full = Analysis.of("SELECT 1;".repeat(QueryFacts.MAX_STATEMENTS));
        assertThat(full.statementCount()).isEqualTo(QueryFacts.MAX_STATEMENTS);
        assertThat(full.has(StatementFlags.OPAQUE)).isFalse();
        QueryFacts over = Analysis.of("SELECT 1;".repeat(5000));
        assertThat(over.statementCount()).isEqualTo(QueryFacts.MAX_STATEMENTS);
        assertThat(over.has(StatementFlags.OPAQUE)).isTrue();
    }

    @Test
    void textsOfUnsafeEncodingsAreOpaqueUnlessTheyAreAscii() {
        SqlAnalyzer analyzer = new SqlAnalyzer();
        byte[] sjis = {'S', 'E', 'L', 'E', 'C', 'T', ' ', '\'', (byte) 0x83, '\'', ';'};
        assertThat(analyzer.analyze(Unpooled.wrappedBuffer(sjis), 0, sjis.length, true, true))
                .isSameAs(QueryFacts.OPAQUE);
        byte[] ascii = "SELECT 1".getBytes(StandardCharsets.US_ASCII);
        assertThat(analyzer.analyze(Unpooled.wrappedBuffer(ascii), 0, ascii.length, true, true)
                        .kind())
                .isEqualTo(StatementKind.SELECT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0001',
            value = {
                "select 1 | SELECT",
                "((SELECT 1) UNION SELECT 2) | SELECT",
                "VALUES (1), (2) | VALUES",
                "TABLE t | TABLE",
                "WITH a AS (SELECT 1) SELECT * FROM a | SELECT",
                "WITH RECURSIVE a(x) AS (SELECT 1), b AS (UPDATE t SET x = 1 RETURNING *) DELETE FROM c | DELETE",
                "WITH a AS (SELECT 1) (SELECT * FROM a) | SELECT",
                "WITH a AS (SELECT 1) ((VALUES (1)) UNION SELECT 2) | VALUES",
                "WITH a AS (SELECT 1) MERGE INTO t USING a ON true WHEN MATCHED THEN DELETE | MERGE",
                "(WITH a AS (SELECT 1) TABLE a) | TABLE",
                "INSERT INTO t DEFAULT VALUES | INSERT",
                "UPDATE t SET a = 1 | UPDATE",
                "DELETE FROM t | DELETE",
                "COPY t (a, b) FROM STDIN | COPY_FROM",
                "COPY t TO STDOUT | COPY_TO",
                "COPY (SELECT a FROM t) TO STDOUT | COPY_TO",
                "EXPLAIN (ANALYZE) SELECT 1 | EXPLAIN",
                "SHOW search_path | SHOW",
                "ABORT | ROLLBACK",
                "END | COMMIT",
                "START TRANSACTION | BEGIN",
                "BEGIN WORK | BEGIN",
                "ROLLBACK TO a | ROLLBACK_TO",
                "ROLLBACK WORK TO SAVEPOINT a | ROLLBACK_TO",
                "COMMIT PREPARED 'a' | COMMIT_PREPARED",
                "ROLLBACK PREPARED 'a' | ROLLBACK_PREPARED",
                "PREPARE TRANSACTION 'a' | PREPARE_TRANSACTION",
                "SET CONSTRAINTS ALL DEFERRED | SET_CONSTRAINTS",
                "SECURITY LABEL ON TABLE t IS 'x' | SECURITY_LABEL",
                "ANALYSE | ANALYZE",
                "\"select\" 1 | OTHER",
                "1 SELECT | OTHER",
                "FROBNICATE t | OTHER",
            })
    void kindsComeFromTheFirstWords(String sql, StatementKind kind) {
        assertThat(Analysis.single(sql).kind()).isEqualTo(kind);
    }

    @Test
    void plainStatementsShareTheirFacts() {
        assertThat(Analysis.of("SELECT 1")).isSameAs(Analysis.of("select x from t where y = 'z';"));
        assertThat(Analysis.of("BEGIN")).isSameAs(Analysis.of("begin ;"));
    }
}
