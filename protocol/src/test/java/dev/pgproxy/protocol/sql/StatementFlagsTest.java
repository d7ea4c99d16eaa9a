package dev.pgproxy.protocol.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatementFlagsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "SELECT nextval('s') ~ NEXTVAL",
                "SELECT pg_catalog.currval('s'), lastval() ~ CURRVAL",
                "SELECT setval('s', 1) ~ SETVAL",
                "SELECT pg_advisory_lock(1) ~ SESSION_LOCK",
                "SELECT pg_catalog.\"pg_try_advisory_lock_shared\"(1) ~ SESSION_LOCK",
                "SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2) ~ ''",
                "SELECT pg_advisory_unlock_all() ~ SESSION_UNLOCK|MAY_RELEASE_STATE",
                "SELECT * FROM pg_prepared_statements ~ MENTIONS_PREPARED",
                "SELECT * FROM pg_catalog.\"pg_prepared_statements\" ~ MENTIONS_PREPARED",
                "SELECT pg_listening_channels() ~ MENTIONS_CHANNELS",
                "SELECT 1 FROM pg_settings s ~ MENTIONS_SETTINGS",
                "SELECT pg_notify('a', 'b') ~ NOTIFIES",
                "NOTIFY a ~ NOTIFIES",
                "SELECT lo_open(1, 2), loread(1, 2) ~ LARGE_OBJECT",
                "SELECT setseed(0.5) ~ UNPREDICTABLE_STATE",
                "SELECT x.dblink_connect('a') ~ UNKNOWN_FUNCTION|UNPREDICTABLE_STATE",
                "SELECT 1 FOR UPDATE ~ ROW_LOCK",
                "SELECT 1 FROM t FOR NO KEY UPDATE OF t NOWAIT ~ ROW_LOCK",
                "SELECT 1 FROM t FOR KEY SHARE SKIP LOCKED ~ ROW_LOCK",
                "SELECT 1 FROM (SELECT 2 FROM t FOR SHARE) x ~ ROW_LOCK",
                "SELECT a INTO b FROM c ~ SELECT_INTO|DDL|WRITES",
                "SELECT a INTO TEMP b FROM c ~ CREATES_TEMP|SELECT_INTO|DDL|WRITES",
                "SELECT a INTO LOCAL TEMPORARY b FROM c ~ CREATES_TEMP|SELECT_INTO|DDL|WRITES",
                "WITH a AS (INSERT INTO b VALUES (1) RETURNING 1) SELECT 1 ~ DATA_MODIFYING_CTE|WRITES",
                "WITH a AS NOT MATERIALIZED (WITH c AS (SELECT 1) DELETE FROM b) SELECT 1 ~ DATA_MODIFYING_CTE|WRITES",
                "WITH a AS (WITH RECURSIVE b AS (SELECT 1 AS c) SEARCH DEPTH FIRST BY c SET o DELETE FROM t RETURNING *)"
                        + " SELECT * FROM a ~ DATA_MODIFYING_CTE|WRITES",
                "WITH a AS (WITH RECURSIVE b AS (SELECT 1 AS c) CYCLE c SET o USING p UPDATE t SET x = 1 RETURNING *)"
                        + " SELECT * FROM a ~ DATA_MODIFYING_CTE|WRITES",
                "COPY (WITH RECURSIVE b AS (SELECT 1 AS c) SEARCH BREADTH FIRST BY c SET \"o\" DELETE FROM t RETURNING *)"
                        + " TO STDOUT ~ DATA_MODIFYING_CTE|WRITES",
                "COPY (WITH RECURSIVE b AS (SELECT 1 AS c) CYCLE c SET o TO 1 DEFAULT 0 USING p MERGE INTO t USING b"
                        + " ON true WHEN MATCHED THEN DELETE RETURNING *) TO STDOUT ~ DATA_MODIFYING_CTE|WRITES",
                "WITH RECURSIVE b AS (SELECT 1 AS c) SEARCH DEPTH FIRST BY c SET update SELECT * FROM b ~ ''",
                "WITH update AS (SELECT 1), values AS (SELECT 2) SELECT * FROM update ~ ''",
                "SELECT insert INTO x FROM t ~ SELECT_INTO|DDL|WRITES",
                "SELECT 1 AS insert INTO x FROM t ~ SELECT_INTO|DDL|WRITES",
                "SELECT merge INTO x FROM t ~ SELECT_INTO|DDL|WRITES",
                "SELECT (1) insert INTO TEMP x FROM t ~ CREATES_TEMP|SELECT_INTO|DDL|WRITES",
                "WITH a AS (SELECT 1) SELECT 1 insert INTO x FROM t ~ SELECT_INTO|DDL|WRITES",
                "EXPLAIN ANALYZE SELECT 1 AS insert INTO x FROM t ~ SELECT_INTO|DDL|WRITES|EXPLAINS_BY_EXECUTING",
                "EXPLAIN ANALYZE VERBOSE INSERT INTO t VALUES (1) ~ WRITES|EXPLAINS_BY_EXECUTING",
                "WITH a AS (INSERT INTO t VALUES (1) RETURNING 1), b AS (MERGE INTO t USING s ON true WHEN MATCHED THEN"
                        + " DELETE RETURNING 1) SELECT 1 ~ DATA_MODIFYING_CTE|WRITES",
                "INSERT INTO t VALUES (1) ~ WRITES",
                "MERGE INTO t USING s ON true WHEN NOT MATCHED THEN INSERT (a) VALUES (1) ~ WRITES",
                "COPY t FROM STDIN ~ WRITES",
                "COPY t FROM STDIN WHERE nextval('s') > f(1) ~ UNKNOWN_FUNCTION|NEXTVAL|WRITES",
                "COPY t (a) FROM STDIN WHERE set_config('a', 'b', false) > '' ~ UNPREDICTABLE_STATE|WRITES",
                "COPY t TO STDOUT ~ ''",
                "DO $$ BEGIN END $$ ~ DO_OR_CALL|WRITES",
                "CALL p() ~ UNKNOWN_FUNCTION|DO_OR_CALL|WRITES",
                "TRUNCATE t ~ DDL|WRITES",
                "DROP TABLE t ~ MAY_RELEASE_STATE|DDL|WRITES",
                "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'x' ~"
                        + " CREATES_TEMP|DDL|WRITES|MENTIONS_TEMP_SCHEMA|MAY_DEFINE_CODE",
                "SET search_path = pg_temp ~ MENTIONS_TEMP_SCHEMA",
                "PREPARE p AS INSERT INTO t SELECT f(nextval('s')) ~ ''",
                "EXPLAIN INSERT INTO t SELECT f(nextval('s')) ~ UNKNOWN_FUNCTION",
                "EXPLAIN (ANALYZE) WITH a AS (SELECT 1) INSERT INTO t VALUES (1) ~ DATA_MODIFYING_CTE|WRITES|EXPLAINS_BY_EXECUTING",
                "EXPLAIN ANALYZE DELETE FROM t ~ WRITES|EXPLAINS_BY_EXECUTING",
                "EXPLAIN (VERBOSE, ANALYZE) SELECT 1 ~ EXPLAINS_BY_EXECUTING",
                "EXPLAIN VERBOSE SELECT 1 ~ ''",
                "COPY (SELECT 1) TO stdout (FORMAT csv) ~ ''",
                "COPY t TO '/tmp/t' ~ SERVER_FILE",
                "COPY t TO PROGRAM 'cat' ~ SERVER_FILE",
                "COPY t FROM '/tmp/t' ~ WRITES|SERVER_FILE",
                "DECLARE c CURSOR WITH HOLD FOR SELECT 1 ~ HOLD_CURSOR",
                "CLOSE c ~ MAY_RELEASE_STATE",
                "UNLISTEN a ~ MAY_RELEASE_STATE",
            })
    void flagsSayWhatAStatementMayDo(String sql, String flags) {
        String expected = flags.equals("''") ? "" : flags;
        assertThat(StatementFlags.describe(Analysis.of(sql).flags())).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "VACUUM",
                "VACUUM (FULL) t",
                "CREATE DATABASE a",
                "DROP DATABASE IF EXISTS a",
                "CREATE TABLESPACE a LOCATION 'b'",
                "DROP TABLESPACE a",
                "CREATE INDEX CONCURRENTLY ON t (a)",
                "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
                "DROP INDEX CONCURRENTLY a",
                "REINDEX (VERBOSE) DATABASE a",
                "REINDEX INDEX CONCURRENTLY a",
                "CLUSTER",
                "ALTER SYSTEM SET a = 1",
                "ALTER DATABASE a SET TABLESPACE b",
                "ALTER TABLE a DETACH PARTITION b CONCURRENTLY",
                "CREATE SUBSCRIPTION a CONNECTION 'b' PUBLICATION c",
                "ALTER SUBSCRIPTION a REFRESH PUBLICATION",
                "DROP SUBSCRIPTION a",
                "DISCARD ALL",
                "COMMIT PREPARED 'a'",
                "ROLLBACK PREPARED 'a'",
            })
    void statementsThatRefuseATransactionBlockAreFlagged(String sql) {
        assertThat(Analysis.of(sql).has(StatementFlags.REFUSES_TRANSACTION_BLOCK))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER DATABASE a SET x = 1",
                "CREATE INDEX concurrently_not ON t (a)",
                "DROP INDEX a",
                "ANALYZE t",
                "DISCARD PLANS",
                "REFRESH MATERIALIZED VIEW CONCURRENTLY a",
                "CALL p()",
            })
    void statementsThatAllowATransactionBlockAreNotFlagged(String sql) {
        assertThat(Analysis.of(sql).has(StatementFlags.REFUSES_TRANSACTION_BLOCK))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT count(*), max(a), lower(b), coalesce(a, 1), nullif(a, b), greatest(a, b) FROM t",
                "SELECT * FROM t WHERE a IN (1, 2) AND b = ANY ($1) AND EXISTS (SELECT 1) AND (c) IS NOT NULL",
                "SELECT CAST(a AS varchar(10)), b::numeric(10,2), b::character varying(10), c::public.geometry(Point), 'x'::char(3)",
                "SELECT EXTRACT(epoch FROM a), SUBSTRING(a FROM 1 FOR 2), TRIM(BOTH FROM a), POSITION(a IN b)",
                "SELECT row_number() OVER (PARTITION BY (a) ORDER BY (b)), sum(a) FILTER (WHERE b) OVER (w)",
                "SELECT a FROM t GROUP BY GROUPING SETS ((a), ()) HAVING (a) > 1 LIMIT (1) OFFSET (2)",
                "SELECT * FROM a JOIN b USING (id) LEFT JOIN LATERAL (SELECT 1) x (y) ON (true) CROSS JOIN (c)",
                "SELECT * FROM unnest(ARRAY[1]) AS t(a), generate_series(1, 2) g(i), (VALUES (1)) v (w)",
                "SELECT * FROM ROWS FROM (generate_series(1, 2)) WITH ORDINALITY AS t(a, b)",
                "SELECT DISTINCT ON (a) b FROM t ORDER BY a",
                "SELECT a LIKE ('x'), b ILIKE ('y'), (c, d) OVERLAPS (e, f), g AT TIME ZONE ('utc')",
                "SELECT ARRAY(SELECT 1), ROW(1, 2), a[1], (a).b, timestamp(3) 'now', interval(3) '1 s'",
                "INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET (b) = (SELECT 1) WHERE (t.a) = 1",
                "INSERT INTO \"public\".\"User\" AS u (\"id\") VALUES ($1) RETURNING (id)",
                "UPDATE t SET (a, b) = (1, 2) FROM s WHERE (t.id = s.id)",
                "UPDATE ONLY \"t\" SET (a) = ROW(1)",
                "MERGE INTO t USING (SELECT 1) s (a) ON (t.a = s.a) WHEN NOT MATCHED THEN INSERT (a) VALUES (1)",
                "WITH a (x) AS (SELECT 1), b(y) AS MATERIALIZED (SELECT 2) SELECT * FROM a, b",
                "CREATE TABLE IF NOT EXISTS a.t (a varchar(10) PRIMARY KEY, g geometry(Point, 4326), FOREIGN KEY (a)"
                        + " REFERENCES u (b), CHECK (a > 'x'))",
                "CREATE INDEX i ON t USING gin (a jsonb_path_ops) WHERE (a IS NOT NULL)",
                "EXPLAIN (COSTS OFF) SELECT 1",
                "EXPLAIN (SELECT 1) UNION SELECT 2",
                "VACUUM (ANALYZE) t (a, b)",
                "COPY t (a, b) FROM STDIN WITH (FORMAT csv)",
                "COPY \"t\" (a) TO STDOUT (FORMAT csv)",
                "DROP FUNCTION f(int)",
                "GRANT SELECT (a), UPDATE (b) ON t TO u",
                "SELECT a FROM t TABLESAMPLE bernoulli (10) REPEATABLE (1)",
                "SELECT \"lower\"('A'), PG_CATALOG.Upper('b'), left('a', 1), date('2000-01-01')",
            })
    void ordinaryStatementsCallNothingUnknown(String sql) {
        assertThat(Analysis.of(sql).statements().getFirst().unknownFunctions()).isEmpty();
        assertThat(Analysis.of(sql).has(StatementFlags.UNKNOWN_FUNCTION)).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "SELECT F(1) ~ f",
                "SELECT public.lower('x') ~ public.lower",
                "SELECT \"Lower\"('x') ~ Lower",
                "SELECT a.\"B\".c(1) ~ B.c",
                "SELECT pg_catalog.no_such(1) ~ pg_catalog.no_such",
                "SELECT * FROM f (1) AS t(a) ~ f",
                "SELECT * FROM a, LATERAL f(a.b) x(c) ~ f",
                "SELECT * FROM a JOIN f(1) ON true ~ f",
                "SELECT * FROM ROWS FROM (f(1)) ~ f",
                "SELECT DISTINCT ON (a) f(b) FROM t ~ f",
                "SELECT a OPERATOR(public.+) f(b) ~ f",
                "SELECT a FROM t WHERE NOT f(a) ORDER BY g(a) LIMIT h(1) ~ f,g,h",
                "SELECT a AT TIME ZONE f(b), CASE f(c) WHEN g(1) THEN h(2) ELSE i(3) END ~ f,g,h,i",
                "SELECT /* f */ f /* ( */ (1) ~ f",
                "INSERT INTO t (a) VALUES (f(1)) ON CONFLICT (g(a)) DO UPDATE SET a = h(1) RETURNING i(2) ~ f,g,h,i",
                "UPDATE t SET a = f(1), (b, c) = (g(1), 2) WHERE d = h(3) ~ f,g,h",
                "DELETE FROM t USING f(1) WHERE g(2) ~ f,g",
                "CALL public.p(f(1)) ~ public.p,f",
                "SELECT set(1), filter(2), over(3), by(4) ~ set,filter,over,by",
                "SELECT U&\"\\0066\"(1) ~ f",
                "ALTER TABLE t ADD COLUMN a int DEFAULT f(1) ~ f",
                "CREATE TABLE t AS SELECT f(1) ~ f",
                "SELECT query_to_xml('x', true, true, ''), ts_stat('x') ~ query_to_xml,ts_stat",
            })
    void functionsOfUsersAreNamed(String sql, String names) {
        StatementFacts facts = Analysis.single(sql);
        assertThat(facts.unknownFunctions()).containsExactly(names.split(","));
        assertThat(facts.has(StatementFlags.UNKNOWN_FUNCTION)).isTrue();
    }

    @Test
    void theListOfUnknownFunctionsIsBounded() {
        StringBuilder sql = new StringBuilder("SELECT 1");
        for (int i = 0; i < 100; i++) {
            sql.append(", f").append(i).append("(1)");
        }
        assertThat(Analysis.single(sql.toString()).unknownFunctions()).hasSize(StatementFacts.MAX_UNKNOWN_FUNCTIONS);
        assertThat(Analysis.single("SELECT f(1), f(2), F(3)").unknownFunctions())
                .isEqualTo(List.of("f"));
    }

    @Test
    void namesWithEscapesOfTheirOwnAreUnpredictable() {
        assertThat(Analysis.of("SELECT U&\"d!0061t\" UESCAPE '!' (1)").has(StatementFlags.UNPREDICTABLE_STATE))
                .isTrue();
    }
}
