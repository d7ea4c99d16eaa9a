package dev.pgproxy.routing.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class PlainStatementTest {
    private static @Nullable List<PlainStatement> read(String sql) {
        byte[] text = sql.getBytes(UTF_8);
        QueryFacts facts = new SqlAnalyzer().analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
        return PlainStatement.of(text, facts, true);
    }

    private static PlainStatement only(String sql) {
        List<PlainStatement> statements = Objects.requireNonNull(read(sql));
        assertThat(statements).hasSize(1);
        return statements.getFirst();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "select 1 | select ?",
                "SELECT/* a */a.B,\"c\" ,\"D\"FROM  Public.\"t\" -- x | select a.b, c, \"D\" from public.t",
                "insert into t (a,b) values( 'x',$1, 3 ) | insert into t(a, b) values(?)",
                "select * from t where id in (1,2,3) and f ( x )::int = -1;; | "
                        + "select * from t where id in(?) and f(x)::int = - ?",
                "DO $$ begin delete from t; end $$ | do ?",
                "select U&\"d\\0061t\", e'\\'x' | select dat, ?",
                "select \"a\"\"b\", a[1], x'f' | select \"a\"\"b\", a[?], ?"
            })
    void aStatementHasOneSpelling(String sql, String spelled) {
        assertThat(only(sql).text()).isEqualTo(spelled);
    }

    @Test
    void everyStatementIsSeenAndTheOneInsideIt() {
        assertThat(read("BEGIN; prepare P (int) AS DELETE FROM t WHERE id = $1; explain (costs off) select 1; commit"))
                .containsExactly(
                        new PlainStatement("begin", null, false),
                        new PlainStatement(
                                "prepare p(int) as delete from t where id = ?", "delete from t where id = ?", false),
                        new PlainStatement("explain(costs off) select ?", "select ?", false),
                        new PlainStatement("commit", null, false));
        assertThat(read("/* nothing */ ;")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DELETE FROM t",
                "delete/**/from only t",
                "UPDATE t SET a = (SELECT 1 FROM u WHERE u.id = 1)",
                "update t set a = u.where from u",
                "DELETE FROM t RETURNING id AS where",
                "DELETE FROM t USING (SELECT 1 WHERE true) u",
                "WITH x AS (SELECT 1 WHERE true) DELETE FROM t",
                "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x WHERE true",
                "WITH x AS MATERIALIZED (WITH y AS (SELECT 1) UPDATE t SET a = 1 RETURNING *) SELECT 1 WHERE true",
                "WITH RECURSIVE x(a) AS (SELECT 1) SEARCH DEPTH FIRST BY a SET o DELETE FROM t",
                "PREPARE p AS DELETE FROM t",
                "PREPARE p (int) AS WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT 1 WHERE true",
                "EXPLAIN ANALYZE DELETE FROM t",
                "EXPLAIN (ANALYZE, VERBOSE) UPDATE t SET a = 1",
                "COPY (DELETE FROM t RETURNING *) TO STDOUT",
                "UPDATE \"where\" SET \"where\" = 1"
            })
    void whatChangesEveryRowIsSeen(String sql) {
        assertThat(only(sql).changesAll()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DELETE FROM t WHERE id = 1",
                "UPDATE t SET a = 1 WHERE CURRENT OF c",
                "WITH x AS (DELETE FROM t WHERE id = 1 RETURNING *) SELECT * FROM x",
                "WITH x AS (SELECT 1) UPDATE t SET a = 1 FROM x WHERE true RETURNING *",
                "WITH RECURSIVE update (a) AS (SELECT 1) SEARCH DEPTH FIRST BY a SET o SELECT 1",
                "WITH delete AS (SELECT 1) SELECT * FROM delete",
                "SELECT * FROM t FOR UPDATE",
                "SELECT * FROM t FOR NO KEY UPDATE OF t",
                "SELECT substring(delete from 2) FROM t",
                "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1",
                "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
                "EXPLAIN DELETE FROM t",
                "GRANT DELETE, UPDATE ON t TO bob",
                "CREATE TRIGGER g BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()",
                "CREATE TABLE c (id int REFERENCES t ON DELETE CASCADE)",
                "TRUNCATE t"
            })
    void whatDoesNotIsLeftAlone(String sql) {
        assertThat(only(sql).changesAll()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT 'x", "SELECT (1", "SELECT 1 AS \"x", "SELECT \"a!0061\" UESCAPE '!'"})
    void whatCannotBeReadIsNotGuessed(String sql) {
        assertThat(read(sql)).isNull();
    }

    @Test
    void whatIsTooDeepCannotBeRead() {
        assertThat(read("SELECT " + "(".repeat(300) + "1" + ")".repeat(300))).isNull();
        assertThat(read("SELECT 1;".repeat(QueryFacts.MAX_STATEMENTS + 1))).isNull();
    }
}
