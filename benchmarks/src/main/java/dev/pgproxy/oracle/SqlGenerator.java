package dev.pgproxy.oracle;

import static dev.pgproxy.oracle.Vocabulary.tokens;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Writes SQL that PostgreSQL's grammar mostly accepts, with a relation, function or type in every place that has one,
 * and traps around it. The same seed writes the same text. Confined to its thread.
 */
final class SqlGenerator {
    private static final List<String> UTILITIES = List.of(
            "BEGIN",
            "START TRANSACTION READ ONLY",
            "COMMIT AND CHAIN",
            "END",
            "ABORT",
            "SAVEPOINT a",
            "ROLLBACK TO a",
            "RELEASE a",
            "SET x TO 1",
            "SET LOCAL x = 'a', 'b'",
            "SET TIME ZONE LOCAL",
            "RESET ALL",
            "SHOW ALL",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "SET CONSTRAINTS ALL DEFERRED",
            "LISTEN c",
            "UNLISTEN *",
            "NOTIFY c, 'x'",
            "DISCARD ALL",
            "LOAD 'x'",
            "LOCK TABLE t IN SHARE MODE",
            "CALL p(1)",
            "DO $$ x $$",
            "CHECKPOINT",
            "VACUUM (FULL) t",
            "ANALYZE t (a)",
            "CLUSTER t USING i",
            "REINDEX TABLE t",
            "REFRESH MATERIALIZED VIEW m",
            "COMMENT ON TABLE t IS 'x'",
            "GRANT SELECT ON t TO PUBLIC",
            "REVOKE a FROM b",
            "TRUNCATE t, ONLY u CASCADE",
            "DROP TABLE t",
            "FETCH 5 FROM c",
            "MOVE ALL c",
            "CLOSE ALL",
            "DEALLOCATE p",
            "EXECUTE p(1)",
            "ALTER TABLE t ADD c int",
            "CREATE TABLE t (a int)",
            "PREPARE TRANSACTION 'x'",
            "COMMIT PREPARED 'x'",
            "ROLLBACK PREPARED 'x'",
            "REASSIGN OWNED BY a TO b",
            "IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c",
            "SECURITY LABEL ON TABLE t IS 'x'",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END",
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; DELETE FROM u)",
            "EXPLAIN (COSTS OFF) EXECUTE p");

    private final Vocabulary words;

    SqlGenerator(RandomGenerator random) {
        words = new Vocabulary(random);
    }

    /** The text of a Query message. */
    String next() {
        String text = words.chance(6) ? tokens(statement(), ";", statement(), words.maybe(50, () -> ";")) : statement();
        return words.filled(text);
    }

    private String statement() {
        int choice = words.number(100);
        if (choice < 62) {
            return query(3);
        }
        if (choice < 80) {
            return change(2);
        }
        return choice < 93 ? around() : words.one(UTILITIES);
    }

    private String around() {
        return words.one(
                () -> tokens("COPY", "(", query(2), ")", "TO", "STDOUT", words.maybe(30, () -> "WITH (FORMAT csv)")),
                () -> tokens("COPY", "(", change(1), "RETURNING 1", ")", "TO", "STDOUT"),
                () -> tokens("COPY", words.table(), words.chance(50) ? "FROM STDIN" : "TO STDOUT"),
                () -> tokens("EXPLAIN", words.maybe(30, () -> "VERBOSE"), query(2)),
                () -> tokens("EXPLAIN", "(", "COSTS OFF", words.maybe(50, () -> ", ANALYZE"), ")", change(2)),
                () -> tokens("EXPLAIN", "ANALYZE", query(2)),
                () -> tokens("PREPARE", "p", words.maybe(30, () -> "(integer, text)"), "AS", query(2)),
                () -> tokens("PREPARE", "p", "AS", change(2)),
                () -> tokens("DECLARE", "c", "SCROLL CURSOR", words.maybe(30, () -> "WITH HOLD"), "FOR", query(2)),
                () -> tokens("CREATE TEMP TABLE", "made", "AS", query(2)));
    }

    private String change(int depth) {
        return words.one(
                () -> insert(depth),
                () -> tokens(
                        with(depth),
                        "UPDATE",
                        words.maybe(20, () -> "ONLY"),
                        words.table(),
                        words.maybe(30, () -> "AS a1"),
                        "SET",
                        "c1 =",
                        expression(depth),
                        words.maybe(20, () -> ", (c2, c3) = (" + query(depth - 1) + ")"),
                        words.maybe(40, () -> tokens("FROM", from(depth - 1))),
                        where(depth),
                        returning(depth)),
                () -> tokens(
                        with(depth),
                        "DELETE",
                        "FROM",
                        words.maybe(20, () -> "ONLY"),
                        words.table(),
                        words.maybe(30, () -> "a1"),
                        words.maybe(40, () -> tokens("USING", from(depth - 1))),
                        where(depth),
                        returning(depth)),
                () -> tokens(
                        with(depth),
                        "MERGE",
                        "INTO",
                        words.table(),
                        "AS",
                        "a1",
                        "USING",
                        words.chance(50) ? words.table() : "(" + query(depth - 1) + ")",
                        "AS",
                        "a2",
                        "ON",
                        expression(1),
                        "WHEN MATCHED",
                        words.maybe(40, () -> tokens("AND", expression(1))),
                        "THEN",
                        words.chance(50) ? "DELETE" : tokens("UPDATE SET", "c1 =", expression(1)),
                        words.maybe(50, () -> "WHEN NOT MATCHED BY SOURCE THEN DO NOTHING"),
                        words.maybe(50, () -> tokens("WHEN NOT MATCHED THEN INSERT VALUES (", expression(1), ")"))));
    }

    private String insert(int depth) {
        return tokens(
                with(depth),
                "INSERT",
                "INTO",
                words.table(),
                words.maybe(20, () -> "AS a1"),
                words.maybe(40, () -> "(" + words.list(3, words::alias) + ")"),
                words.chance(50) ? query(depth - 1) : "VALUES (" + words.list(3, () -> expression(1)) + ")",
                words.maybe(
                        30,
                        () -> tokens(
                                "ON CONFLICT",
                                words.chance(50)
                                        ? "DO NOTHING"
                                        : tokens(
                                                "(c1)",
                                                "DO UPDATE SET",
                                                "c1 =",
                                                expression(1),
                                                "WHERE",
                                                expression(1)))),
                returning(depth));
    }

    private String returning(int depth) {
        return words.maybe(25, () -> tokens("RETURNING", words.list(2, () -> expression(depth - 1))));
    }

    private String where(int depth) {
        return words.maybe(60, () -> tokens("WHERE", expression(depth)));
    }

    private String with(int depth) {
        if (depth < 1 || !words.chance(25)) {
            return "";
        }
        return tokens(
                "WITH",
                words.maybe(30, () -> "RECURSIVE"),
                words.list(
                        2,
                        () -> tokens(
                                words.alias(),
                                words.maybe(20, () -> "(c1, c2)"),
                                "AS",
                                words.maybe(20, () -> words.chance(50) ? "MATERIALIZED" : "NOT MATERIALIZED"),
                                "(",
                                words.chance(12)
                                        ? tokens(change(depth - 1), "RETURNING *")
                                                .replaceFirst("(?s)RETURNING.*RETURNING", "RETURNING")
                                        : query(depth - 1),
                                ")",
                                words.maybe(5, () -> "SEARCH DEPTH FIRST BY c1 SET c9"))));
    }

    private String query(int depth) {
        String tail = tokens(
                words.maybe(
                        30,
                        () -> tokens(
                                "ORDER BY",
                                words.list(
                                        2,
                                        () -> tokens(
                                                expression(depth - 1),
                                                words.maybe(
                                                        20, () -> words.chance(50) ? "DESC NULLS LAST" : "USING >"))))),
                words.maybe(20, () -> tokens("LIMIT", words.chance(70) ? "5" : "(" + query(depth - 1) + ")")),
                words.maybe(10, () -> "OFFSET 2 ROWS"));
        String body = words.number(10) < 7 || depth <= 0
                ? select(depth)
                : words.one(
                        () -> "VALUES" + Vocabulary.GAP + "(" + words.list(2, () -> expression(depth - 1)) + ")",
                        () -> tokens("TABLE", words.maybe(20, () -> "ONLY"), words.table()),
                        () -> tokens(
                                select(depth - 1),
                                words.one(List.of("UNION", "UNION ALL", "EXCEPT", "INTERSECT ALL")),
                                select(depth - 1)),
                        () -> "(" + query(depth - 1) + ")",
                        () -> tokens("(" + query(depth - 1) + ")", "UNION", "(" + query(depth - 1) + ")"));
        String lock = words.maybe(
                6,
                () -> tokens(
                        "FOR",
                        words.one(List.of("UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE")),
                        words.maybe(40, () -> "OF a1, a2"),
                        words.maybe(30, () -> words.chance(50) ? "NOWAIT" : "SKIP LOCKED")));
        return tokens(with(depth), body, tail, lock);
    }

    private String select(int depth) {
        return tokens(
                "SELECT",
                words.maybe(10, () -> words.chance(50) ? "DISTINCT" : "DISTINCT ON (" + expression(1) + ")"),
                words.maybe(
                        95,
                        () -> words.list(
                                3,
                                () -> tokens(
                                                words.chance(15) ? "*" : expression(depth - 1),
                                                words.maybe(20, () -> tokens("AS", words.alias())))
                                        .replaceFirst("^\\*\u0001AS.*", "*"))),
                words.maybe(3, () -> tokens("INTO", words.maybe(40, () -> "TEMP TABLE"), words.table())),
                words.maybe(80, () -> tokens("FROM", from(depth))),
                where(depth),
                words.maybe(
                        15,
                        () -> tokens(
                                "GROUP BY",
                                words.chance(70)
                                        ? words.list(2, () -> expression(1))
                                        : "GROUPING SETS ((" + expression(0) + "), CUBE (c1, c2), ())")),
                words.maybe(10, () -> tokens("HAVING", expression(depth - 1))),
                words.maybe(5, () -> "WINDOW w AS (PARTITION BY " + expression(depth - 1) + " ORDER BY c1)"));
    }

    private String from(int depth) {
        return words.list(3, () -> item(depth));
    }

    private String item(int depth) {
        if (depth <= 0 || words.chance(45)) {
            return tokens(
                    words.chance(8)
                            ? words.chance(50) ? "ONLY (" + words.table() + ")" : tokens("ONLY", words.table())
                            : words.table() + words.maybe(3, () -> Vocabulary.GAP + "*"),
                    words.maybe(
                            40,
                            () -> tokens(
                                    words.maybe(50, () -> "AS"), words.alias(), words.maybe(15, () -> "(c1, c2)"))),
                    words.maybe(4, () -> "TABLESAMPLE SYSTEM (" + expression(1) + ") REPEATABLE (1)"));
        }
        return words.one(
                () -> tokens(
                        words.maybe(30, () -> "LATERAL"),
                        "(" + query(depth - 1) + ")",
                        words.maybe(70, () -> tokens("AS", words.alias()))),
                () -> tokens(
                        item(depth - 1),
                        words.one(List.of("JOIN", "LEFT JOIN", "RIGHT OUTER JOIN", "FULL JOIN")),
                        item(depth - 1),
                        words.chance(70)
                                ? tokens("ON", expression(depth - 1))
                                : "USING (c1, c2)" + words.maybe(20, () -> " AS j1")),
                () -> tokens(
                        item(depth - 1),
                        words.one(List.of("CROSS JOIN", "NATURAL JOIN", "NATURAL LEFT JOIN")),
                        item(depth - 1)),
                () -> tokens("(" + item(depth - 1), "JOIN", item(depth - 1), "ON", expression(1) + ")"),
                () -> tokens(
                        words.maybe(20, () -> "LATERAL"),
                        words.function() + "(" + words.list(2, () -> expression(depth - 1)) + ")",
                        words.maybe(30, () -> "WITH ORDINALITY"),
                        words.maybe(60, () -> tokens("AS", words.alias(), words.maybe(30, () -> "(c1, c2)")))),
                () -> "ROWS FROM (" + words.list(2, () -> words.function() + "(" + expression(1) + ")") + ") AS a5",
                () -> tokens(words.function() + "(1)", "AS", "a6", "(c1 " + words.type() + ", c2 text)"),
                () -> "JSON_TABLE(" + expression(1) + ", '$' COLUMNS (c1 " + words.type()
                        + " PATH '$.a', NESTED PATH '$.b' COLUMNS (c2 int))) AS a7",
                () -> "XMLTABLE('/r' PASSING " + expression(1) + " COLUMNS c1 " + words.type() + " PATH 'a') AS a8",
                () -> "(VALUES (" + words.list(2, () -> expression(1)) + ")) AS a4 (c1)");
    }

    private String expression(int depth) {
        if (depth <= 0) {
            return words.chance(50) ? words.column() : words.literal();
        }
        return words.number(3) == 0
                ? withQuery(depth)
                : words.number(2) == 0
                        ? special(depth)
                        : words.one(
                                words::column,
                                words::literal,
                                () -> tokens(expression(depth - 1), words.operator(), expression(depth - 1)),
                                () -> tokens(
                                        "(" + expression(depth - 1) + ")",
                                        words.one(List.of("AND", "OR")),
                                        "NOT",
                                        "(" + expression(depth - 1) + ")"),
                                () -> words.function() + "(" + words.list(2, () -> expression(depth - 1)) + ")",
                                () -> words.function() + "(DISTINCT " + expression(depth - 1) + " ORDER BY "
                                        + expression(0) + ") FILTER (WHERE " + expression(depth - 1) + ")",
                                () -> words.function() + "(x => " + expression(depth - 1) + ", VARIADIC ARRAY[1])",
                                () -> words.function() + "(*) OVER (PARTITION BY " + expression(depth - 1)
                                        + " ORDER BY c1 ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
                                () -> "(" + expression(depth - 1) + ")::" + words.type(),
                                () -> "CAST(" + expression(depth - 1) + " AS " + words.type() + ")",
                                () -> "(" + expression(depth - 1) + ").c1",
                                () -> "(" + expression(depth - 1) + ")[1]");
    }

    private String withQuery(int depth) {
        return words.one(
                () -> "(" + query(depth - 1) + ")",
                () -> tokens("EXISTS", "(" + query(depth - 1) + ")"),
                () -> "ARRAY(" + query(depth - 1) + ")",
                () -> tokens(words.column(), words.maybe(30, () -> "NOT"), "IN", "(" + query(depth - 1) + ")"),
                () -> tokens(
                        words.column(),
                        words.operator(),
                        words.one(List.of("ANY", "ALL", "SOME")),
                        "(" + query(depth - 1) + ")"),
                () -> tokens("(c1, c2)", "=", "(" + query(depth - 1) + ")"));
    }

    private String special(int depth) {
        String inner = expression(depth - 1);
        return words.one(
                () -> tokens("CASE", "WHEN", "(" + inner + ")", "THEN", expression(depth - 1), "ELSE", "NULL", "END"),
                () -> "(" + inner + ") IS NOT DISTINCT FROM (" + expression(0) + ")",
                () -> "EXTRACT(year FROM " + inner + ")",
                () -> "SUBSTRING(" + inner + " FROM 1 FOR 2)",
                () -> "TRIM(BOTH 'x' FROM " + inner + ")",
                () -> "TRIM(FROM " + inner + ")",
                () -> "OVERLAY(" + inner + " PLACING 'x' FROM 1)",
                () -> "POSITION('x' IN (" + inner + "))",
                () -> "(" + inner + ") BETWEEN SYMMETRIC 1 AND (" + expression(0) + ")",
                () -> "(" + inner + ") NOT ILIKE 'x' ESCAPE '!'",
                () -> "(" + inner + ") IN (1, " + expression(0) + ")",
                () -> "(" + inner + ") AT TIME ZONE 'UTC'",
                () -> "(" + inner + ") COLLATE \"C\"",
                () -> "ROW(" + inner + ", 1)",
                () -> "ARRAY[" + inner + ", 1]",
                () -> "coalesce(" + inner + ", nullif(1, 2), greatest(1, 2))",
                () -> "json_object('a': " + inner + ")",
                () -> "JSON_VALUE(" + inner + ", '$.a' RETURNING " + words.type() + ")",
                () -> "(" + inner + ") IS JSON OBJECT",
                () -> "xmlelement(name a, " + inner + ")",
                () -> "(" + inner + ") IS NOT NULL",
                () -> "a1.*");
    }
}
