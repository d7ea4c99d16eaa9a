package dev.pgproxy.migrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.testing.SchemaSnapshot;
import dev.pgproxy.testing.TestCluster;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A migration and then its rollback script leave every definition as it was, whatever the migration is put together from. */
final class RollbackScriptIT {
    private static final String SCHEMA = """
            CREATE SCHEMA s;
            CREATE TYPE mood AS ENUM ('sad', 'glad');
            CREATE TABLE t (id int, a int NOT NULL DEFAULT 5, b text, "C d" numeric(5, 2) DEFAULT 1.5, CONSTRAINT t_check CHECK (a > 0));
            CREATE TABLE s.u (id serial PRIMARY KEY, m mood DEFAULT 'sad', at timestamptz NOT NULL DEFAULT now());
            CREATE TABLE parted (id int, v int) PARTITION BY RANGE (id);
            CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (100);
            CREATE VIEW v AS SELECT a, b FROM t;
            CREATE INDEX t_a ON t (a);
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            """;

    /** Each may stand with any others, in any order. */
    private static final List<String> STATEMENTS = List.of(
            "CREATE TABLE n (id bigserial PRIMARY KEY, t_id int, UNIQUE (t_id));"
                    + " INSERT INTO n (t_id) VALUES (1); ALTER TABLE n ALTER t_id SET NOT NULL",
            "CREATE TABLE IF NOT EXISTS t (x int)",
            "CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (100) TO (200)",
            "CREATE TABLE child (more int) INHERITS (s.u)",
            "CREATE UNIQUE INDEX t_id ON t (id) WHERE a > 3",
            "CREATE INDEX IF NOT EXISTS t_a ON t (a)",
            "CREATE INDEX u_at ON s.u (at)",
            "CREATE VIEW w AS SELECT id FROM s.u",
            "CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM s.u; CREATE UNIQUE INDEX mv_i ON mv (count)",
            "CREATE SEQUENCE s.numbers; CREATE TABLE numbered (id int DEFAULT nextval('s.numbers'))",
            "CREATE TYPE colour AS ENUM ('red'); CREATE TABLE coloured (c colour)",
            "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
            "CREATE SCHEMA other; CREATE TABLE other.x (a int); COMMENT ON TABLE other.x IS 'kept'",
            "CREATE TRIGGER touched BEFORE INSERT OR UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION touch()",
            "ALTER TABLE t ADD COLUMN e int NOT NULL DEFAULT 3, ADD f text; ALTER TABLE t ALTER e DROP DEFAULT",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a bigint",
            "ALTER TABLE parted ADD COLUMN w int DEFAULT 7",
            "ALTER TABLE t ADD CONSTRAINT small CHECK (id < 100) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT small",
            "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY (id, a)",
            "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES s.u",
            "ALTER TABLE t ALTER a SET DEFAULT 9",
            "ALTER TABLE t ALTER a DROP DEFAULT, ALTER b SET DEFAULT 'none'",
            "ALTER TABLE s.u ALTER m DROP DEFAULT, ALTER at DROP DEFAULT, ALTER at DROP NOT NULL",
            "ALTER TABLE s.u ALTER id SET DEFAULT 3",
            "ALTER TABLE t ALTER b SET NOT NULL, ALTER a SET NOT NULL",
            "ALTER TABLE t ALTER \"C d\" SET DEFAULT 2, ALTER \"C d\" SET NOT NULL",
            "ALTER TABLE IF EXISTS nowhere ADD x int",
            "SET lock_timeout = '5s'; ANALYZE t");

    /** Behind these nothing that asks for what was before is understood, so they stand at the end. */
    private static final List<String> RENAMES = List.of(
            "ALTER TABLE s.u RENAME TO users",
            "ALTER TABLE t RENAME COLUMN \"C d\" TO cd",
            "ALTER TABLE t RENAME b TO \"B\"",
            "ALTER TABLE t RENAME CONSTRAINT t_check TO positive_a",
            "ALTER INDEX t_a RENAME TO \"T a\"",
            "ALTER VIEW v RENAME TO vv",
            "ALTER TYPE mood RENAME VALUE 'glad' TO 'happy'; ALTER TYPE mood RENAME TO temper",
            "ALTER SCHEMA s RENAME TO ss");

    private final EmbeddedPostgres server = TestCluster.primary();

    @Test
    void aMigrationAndItsRollbackLeaveEverythingAsItWas() throws SQLException {
        long seed = Long.getLong("rollback.seed", System.nanoTime());
        Random random = new Random(seed);
        try (Connection connection = server.connect(TestCluster.freshDatabase(server));
                Statement statement = connection.createStatement()) {
            statement.execute(SCHEMA);
            SchemaSnapshot before = SchemaSnapshot.of(connection);
            for (String each : STATEMENTS) {
                assertRestored(connection, each, before, seed);
            }
            for (String each : RENAMES) {
                assertRestored(connection, each, before, seed);
            }
            for (int round = 0; round < 40; round++) {
                List<String> chosen = new ArrayList<>(STATEMENTS);
                Collections.shuffle(chosen, random);
                List<String> migration = new ArrayList<>(chosen.subList(0, random.nextInt(chosen.size())));
                List<String> renames = new ArrayList<>(RENAMES.subList(0, RENAMES.size() - 1));
                Collections.shuffle(renames, random);
                migration.addAll(renames.subList(0, random.nextInt(3)));
                assertRestored(connection, String.join(";\n", migration), before, seed);
            }
        }
    }

    private static void assertRestored(Connection connection, String migration, SchemaSnapshot before, long seed)
            throws SQLException {
        String told = migration + " (-Drollback.seed=" + seed + ")";
        RollbackScript script = RollbackScript.of(migration, new CatalogBefore(connection));
        assertThat(script.refusals()).as(told).isEmpty();
        try (Statement statement = connection.createStatement()) {
            statement.execute(migration);
            statement.execute(script.text("V1__x.sql"));
        }
        assertThat(SchemaSnapshot.of(connection)).as(told).isEqualTo(before);
    }
}
