package dev.pgproxy.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What takes a statement back, and what is refused. That it restores is shown by RollbackScriptIT. */
final class RollbackScriptTest {
    /** Table t with columns a (NOT NULL, default 5), b (neither), g (generated); parted has partitions. */
    private static final Before BEFORE = new Before() {
        private final Map<String, Column> columns = Map.of(
                "t.a", new Column(true, "5", false, false),
                "t.b", new Column(false, null, false, false),
                "t.\"A b\"", new Column(false, "'x'::text", false, false),
                "t.g", new Column(false, "(a + 1)", true, false),
                "parted.a", new Column(false, null, false, true));

        @Override
        public boolean has(Kind kind, Name name) {
            return kind == Kind.RELATION
                    ? name.toString().equals("t") || name.toString().equals("parted")
                    : name.toString().equals("there");
        }

        @Override
        public @Nullable Column column(Name table, String column) {
            return columns.get(table + "." + column);
        }
    };

    private static RollbackScript of(String sql) throws SQLException {
        return RollbackScript.of(sql, BEFORE);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', nullValues = "none", textBlock = """
            CREATE TABLE n (a int)                                | DROP TABLE n
            create table IF NOT EXISTS S."My T" (a int)           | DROP TABLE s."My T"
            CREATE TABLE IF NOT EXISTS t (a int)                  | none
            CREATE UNLOGGED TABLE n AS SELECT 1                   | DROP TABLE n
            CREATE TABLE p PARTITION OF parted DEFAULT            | DROP TABLE p
            CREATE INDEX i ON t (a)                               | DROP INDEX i
            CREATE UNIQUE INDEX i ON s.t (a)                      | DROP INDEX s.i
            CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY t (a) | DROP INDEX CONCURRENTLY i
            CREATE VIEW v AS SELECT ';'                           | DROP VIEW v
            CREATE MATERIALIZED VIEW v AS SELECT 1                | DROP MATERIALIZED VIEW v
            CREATE SEQUENCE s                                     | DROP SEQUENCE s
            CREATE TYPE mood AS ENUM ('x', 'y')                   | DROP TYPE mood
            CREATE DOMAIN d AS int CHECK (value > 0)              | DROP DOMAIN d
            CREATE SCHEMA s AUTHORIZATION joe                     | DROP SCHEMA s
            CREATE SCHEMA IF NOT EXISTS there                     | none
            CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA x   | DROP EXTENSION hstore
            CREATE TRIGGER g BEFORE UPDATE OF a, b ON t EXECUTE FUNCTION f() | DROP TRIGGER g ON t
            ALTER TABLE t ADD COLUMN c int REFERENCES u (a)       | ALTER TABLE t DROP COLUMN c
            ALTER TABLE ONLY t ADD c numeric(3, 1)                | ALTER TABLE ONLY t DROP COLUMN c
            ALTER TABLE t ADD COLUMN IF NOT EXISTS a int          | none
            ALTER TABLE t ADD COLUMN "C ""d" int                  | ALTER TABLE t DROP COLUMN "C ""d"
            ALTER TABLE t ADD c int, ADD d int                    | ALTER TABLE t DROP COLUMN d; ALTER TABLE t DROP COLUMN c
            ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID | ALTER TABLE t DROP CONSTRAINT k
            ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a, b)     | ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ALTER COLUMN b DROP NOT NULL
            ALTER TABLE t ADD CONSTRAINT k EXCLUDE USING gist (r WITH &&) | ALTER TABLE t DROP CONSTRAINT k
            ALTER TABLE t ALTER a SET DEFAULT 6                   | ALTER TABLE t ALTER COLUMN a SET DEFAULT 5
            ALTER TABLE t ALTER COLUMN a DROP DEFAULT             | ALTER TABLE t ALTER COLUMN a SET DEFAULT 5
            ALTER TABLE t ALTER b SET DEFAULT 6                   | ALTER TABLE t ALTER COLUMN b DROP DEFAULT
            ALTER TABLE t ALTER "A b" DROP DEFAULT                | ALTER TABLE t ALTER COLUMN "A b" SET DEFAULT 'x'::text
            ALTER TABLE t ALTER b SET NOT NULL                    | ALTER TABLE t ALTER COLUMN b DROP NOT NULL
            ALTER TABLE t ALTER a SET NOT NULL                    | none
            ALTER TABLE t ALTER a DROP NOT NULL                   | ALTER TABLE t ALTER COLUMN a SET NOT NULL
            ALTER TABLE IF EXISTS nowhere ADD c int               | none
            ALTER TABLE s.t RENAME TO u                           | ALTER TABLE s.u RENAME TO t
            ALTER TABLE t RENAME COLUMN a TO c                    | ALTER TABLE t RENAME COLUMN c TO a
            ALTER TABLE t RENAME a TO "c"                         | ALTER TABLE t RENAME COLUMN "c" TO a
            ALTER TABLE t RENAME CONSTRAINT a TO b                | ALTER TABLE t RENAME CONSTRAINT b TO a
            ALTER INDEX i RENAME TO j                             | ALTER INDEX j RENAME TO i
            ALTER MATERIALIZED VIEW v RENAME TO w                 | ALTER MATERIALIZED VIEW w RENAME TO v
            ALTER TYPE mood RENAME VALUE 'x' TO 'z'               | ALTER TYPE mood RENAME VALUE 'z' TO 'x'
            ALTER TYPE mood RENAME TO temper                      | ALTER TYPE temper RENAME TO mood
            SET LOCAL lock_timeout = '1s'                         | none
            ANALYZE t                                             | none
            CREATE TABLE n (a int); INSERT INTO n VALUES (1)      | DROP TABLE n
            CREATE TABLE n (a int); ALTER TABLE n DROP COLUMN a   | DROP TABLE n
            CREATE TABLE n (a int); COMMENT ON COLUMN n.a IS 'x'  | DROP TABLE n
            CREATE TABLE n (a int); ALTER TABLE n RENAME TO m; UPDATE m SET a = 1 | ALTER TABLE m RENAME TO n; DROP TABLE n
            ALTER TABLE t ADD c int; ALTER TABLE t ALTER c SET NOT NULL | ALTER TABLE t DROP COLUMN c
            ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT k | ALTER TABLE t DROP CONSTRAINT k
            CREATE TABLE n (a int); CREATE TABLE IF NOT EXISTS n (a int) | DROP TABLE n
            """)
    void whatIsUnderstoodIsTakenBack(String sql, @Nullable String undo) throws SQLException {
        RollbackScript script = of(sql);
        assertThat(script.refusals()).isEmpty();
        assertThat(String.join("; ", script.statements())).isEqualTo(undo == null ? "" : undo);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DROP TABLE t",
                "ALTER TABLE t DROP COLUMN a",
                "ALTER TABLE t ADD c int, DROP COLUMN a",
                "ALTER TABLE t ALTER a TYPE bigint",
                "ALTER TABLE t ALTER a SET DATA TYPE bigint",
                "ALTER TABLE t ALTER g SET DEFAULT 1",
                "ALTER TABLE t ALTER a SET STATISTICS 5",
                "ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY",
                "ALTER TABLE t ALTER nowhere SET NOT NULL",
                "ALTER TABLE parted ALTER a SET NOT NULL",
                "ALTER TABLE parted ADD CONSTRAINT k PRIMARY KEY (a)",
                "ALTER TABLE t ADD PRIMARY KEY (a)",
                "ALTER TABLE t ADD CHECK (a > 0)",
                "ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX i",
                "ALTER TABLE t VALIDATE CONSTRAINT k",
                "ALTER TABLE t OWNER TO joe",
                "ALTER TABLE t RENAME TO u; ALTER TABLE u ALTER a DROP DEFAULT",
                "ALTER TABLE t RENAME TO u; CREATE TABLE IF NOT EXISTS t (a int)",
                "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
                "ALTER TYPE mood ADD VALUE 'z'",
                "ALTER SEQUENCE s RESTART",
                "ALTER VIEW IF EXISTS v RENAME TO w",
                "CREATE INDEX ON t (a)",
                "CREATE OR REPLACE VIEW v AS SELECT 1",
                "CREATE TEMP TABLE n (a int)",
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
                "CREATE SCHEMA AUTHORIZATION joe",
                "CREATE SCHEMA s CREATE TABLE x (a int)",
                "CREATE EXTENSION cube CASCADE",
                "INSERT INTO t VALUES (1)",
                "CREATE TABLE n (a int); INSERT INTO n WITH d AS (DELETE FROM t RETURNING a) SELECT a FROM d",
                "UPDATE t SET a = 1",
                "WITH d AS (DELETE FROM t) SELECT 1",
                "TRUNCATE t",
                "SELECT setval('s', 5)",
                "DO $$ BEGIN END $$",
                "SET search_path = s",
                "GRANT SELECT ON t TO joe",
                "COMMENT ON TABLE t IS 'x'",
                "BEGIN",
                "REFRESH MATERIALIZED VIEW v",
                "nonsense"
            })
    void whatCannotBeToldIsRefused(String sql) throws SQLException {
        RollbackScript script = of("CREATE SEQUENCE first;\n" + sql);
        assertThat(script.refusals()).isNotEmpty().allMatch(why -> why.startsWith("line 2: "));
        String text = script.text("V7__x.sql");
        assertThat(RollbackScript.refusals(text)).isEqualTo(script.refusals());
        assertThat(text.lines()).contains("-- DROP SEQUENCE first;").allMatch(line -> line.startsWith("--"));
    }

    @Test
    void commentsAndBodiesAreNoStatements() throws SQLException {
        RollbackScript script = of("-- first; one\n/* a; b */ CREATE TABLE n (a text DEFAULT ';');\n;;\n  -- end\n");
        assertThat(script.statements()).containsExactly("DROP TABLE n");
        assertThat(script.text("V1__n.sql"))
                .startsWith("-- Takes back V1__n.sql.")
                .endsWith("\nDROP TABLE n;\n");
    }
}
