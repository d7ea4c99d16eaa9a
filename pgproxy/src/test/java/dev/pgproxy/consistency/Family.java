package dev.pgproxy.consistency;

import java.util.List;
import java.util.Locale;

/**
 * Tables whose rows carry one version per key, and every way to read and write them. A read's rows are the key and one or
 * more versions, which must be equal where there are several. A write is guarded by {@code version < new}. Immutable.
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists are of List.of
enum Family {
    /** One table, with views over it, and functions that read and write it. */
    PLAIN(
            """
            CREATE TABLE plain (key int PRIMARY KEY, version bigint NOT NULL, filler text DEFAULT repeat('x', 50));
            INSERT INTO plain SELECT k, 0 FROM generate_series(0, 7) k;
            CREATE VIEW plain_view AS SELECT key, version FROM plain;
            CREATE VIEW plain_view_again AS SELECT v.key, v.version FROM plain_view v WHERE v.key >= 0;
            CREATE FUNCTION read_plain(k int) RETURNS bigint LANGUAGE sql STABLE AS
              'SELECT version FROM plain WHERE key = k';
            CREATE FUNCTION write_plain(k int, v bigint) RETURNS bigint LANGUAGE plpgsql AS
              $$ BEGIN UPDATE plain SET version = v WHERE key = k AND version < v; RETURN v; END $$;
            CREATE FUNCTION write_plain_sql(k int, v bigint) RETURNS bigint LANGUAGE sql AS
              'UPDATE plain SET version = v WHERE key = k AND version < v; SELECT v';
            CREATE FUNCTION write_plain_dynamically(k int, v bigint) RETURNS bigint LANGUAGE plpgsql AS
              $$ BEGIN EXECUTE 'UPDATE pl' || 'ain SET version = $2 WHERE key = $1 AND version < $2' USING k, v;
                 RETURN v; END $$;
            CREATE PROCEDURE write_plain_twice(k int, v bigint) LANGUAGE plpgsql AS
              $$ BEGIN UPDATE plain SET version = v - 1 WHERE key = k AND version < v - 1; COMMIT;
                 UPDATE plain SET version = v WHERE key = k AND version < v; COMMIT; END $$;
            """,
            List.of(
                    "SELECT key, version FROM plain WHERE key = $1",
                    "SELECT key, version FROM plain WHERE key = $1",
                    "SELECT key, version FROM plain_view WHERE key = $1",
                    "SELECT key, version FROM plain_view_again WHERE key = $1",
                    "WITH wanted AS (SELECT * FROM plain) SELECT key, version FROM wanted WHERE key = $1",
                    "SELECT $1::int, read_plain($1::int)",
                    "select p.key, /* UPDATE plain */ max(p.version) from PUBLIC.\"plain\" p where p.key = $1 group by 1",
                    "SELECT a.key, a.version, b.version FROM plain a JOIN plain_view_again b USING (key) WHERE a.key = $1",
                    "SELECT v.key, v.version FROM plain_view_again v JOIN pair_right USING (key) WHERE v.key = $1",
                    "EXECUTE sql_read(:k)",
                    // takes a while, so that others wait for it and much happens meanwhile
                    "SELECT key, version FROM plain WHERE key = $1 AND (SELECT count(*) FROM generate_series(1, 20000)) > 0",
                    "COPY (SELECT key, version FROM plain WHERE key = :k) TO STDOUT"),
            List.of("SELECT key, version FROM plain", "SELECT key, version FROM plain_view_again ORDER BY key"),
            List.of(
                    "UPDATE plain SET version = $2 WHERE key = $1 AND version < $2",
                    "UPDATE plain SET version = $2 WHERE key = $1 AND version < $2",
                    "UPDATE plain SET version = $2 WHERE key = $1 AND version < $2 RETURNING version",
                    "UPDATE plain_view SET version = $2 WHERE key = $1 AND version < $2",
                    "INSERT INTO plain (key, version) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE"
                            + " SET version = excluded.version WHERE plain.version < excluded.version",
                    "INSERT INTO plain (key, version) SELECT key, $2::bigint FROM plain WHERE key = $1 ON CONFLICT (key)"
                            + " DO UPDATE SET version = excluded.version WHERE plain.version < excluded.version",
                    "WITH w AS (UPDATE plain SET version = $2 WHERE key = $1 AND version < $2 RETURNING version)"
                            + " SELECT max(version) FROM w",
                    "MERGE INTO plain USING (VALUES ($1::int, $2::bigint)) AS s (k, v) ON key = s.k"
                            + " WHEN MATCHED AND version < s.v THEN UPDATE SET version = s.v",
                    "SELECT write_plain($1::int, $2::bigint)",
                    "SELECT write_plain_sql($1::int, $2::bigint)",
                    "SELECT write_plain_dynamically($1::int, $2::bigint)",
                    "EXECUTE sql_write(:k, :v)",
                    "SELECT 1; EXECUTE sql_write(:k, :v)",
                    "EXPLAIN (ANALYZE, COSTS OFF) EXECUTE sql_write(:k, :v)",
                    "EXPLAIN (ANALYZE, COSTS OFF) UPDATE plain SET version = :v WHERE key = :k AND version < :v",
                    "DO $$ BEGIN UPDATE plain SET version = :v WHERE key = :k AND version < :v; END $$",
                    "DO $$ BEGIN EXECUTE 'UPDATE pl' || 'ain SET version = :v WHERE key = :k AND version < :v'; END $$")),

    /** Two tables that one statement or transaction writes together. */
    PAIR(
            """
            CREATE TABLE pair_left (key int PRIMARY KEY, version bigint NOT NULL);
            CREATE TABLE pair_right (key int PRIMARY KEY, version bigint NOT NULL);
            INSERT INTO pair_left SELECT k, 0 FROM generate_series(0, 7) k;
            INSERT INTO pair_right SELECT k, 0 FROM generate_series(0, 7) k;
            CREATE TABLE doomed (key int UNIQUE DEFERRABLE INITIALLY DEFERRED);
            CREATE VIEW pair AS SELECT key, l.version AS l, r.version AS r FROM pair_left l JOIN pair_right r USING (key);
            CREATE FUNCTION write_pair(k int, v bigint) RETURNS bigint LANGUAGE plpgsql AS
              $$ BEGIN UPDATE pair_left SET version = v WHERE key = k AND version < v;
                 UPDATE pair_right SET version = v WHERE key = k AND version < v; RETURN v; END $$;
            """,
            List.of(
                    "SELECT key, l.version, r.version FROM pair_left l JOIN pair_right r USING (key) WHERE key = $1",
                    "SELECT key, l, r FROM pair WHERE key = $1",
                    "SELECT key, version, (SELECT version FROM pair_right WHERE key = $1) FROM pair_left WHERE key = $1",
                    "SELECT key, version FROM pair_left WHERE key = $1",
                    "SELECT key, version FROM pair_right WHERE key = $1"),
            List.of("SELECT key, l, r FROM pair"),
            List.of(
                    "WITH l AS (UPDATE pair_left SET version = $2 WHERE key = $1 AND version < $2)"
                            + " UPDATE pair_right SET version = $2 WHERE key = $1 AND version < $2",
                    "SELECT write_pair($1::int, $2::bigint)",
                    "UPDATE pair_left SET version = $2 WHERE key = $1 AND version < $2;"
                            + "UPDATE pair_right SET version = $2 WHERE key = $1 AND version < $2",
                    "DO $$ BEGIN PERFORM write_pair(:k, :v); END $$")),

    /** A trigger writes a second table. */
    TRIGGERED(
            """
            CREATE TABLE triggered (key int PRIMARY KEY, version bigint NOT NULL);
            CREATE TABLE trigger_copy (key int PRIMARY KEY, version bigint NOT NULL);
            INSERT INTO triggered SELECT k, 0 FROM generate_series(0, 7) k;
            INSERT INTO trigger_copy SELECT k, 0 FROM generate_series(0, 7) k;
            CREATE FUNCTION copy_version() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN UPDATE trigger_copy SET version = NEW.version WHERE key = NEW.key AND version < NEW.version;
                 RETURN NULL; END $$;
            CREATE TRIGGER copying AFTER UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION copy_version();
            """,
            List.of(
                    "SELECT key, version FROM trigger_copy WHERE key = $1",
                    "SELECT key, version FROM trigger_copy WHERE key = $1",
                    "SELECT key, version FROM triggered WHERE key = $1",
                    "SELECT key, t.version, c.version FROM triggered t JOIN trigger_copy c USING (key) WHERE key = $1"),
            List.of("SELECT key, version FROM trigger_copy"),
            List.of("UPDATE triggered SET version = $2 WHERE key = $1 AND version < $2")),

    /** A rule writes a second table. */
    RULED(
            """
            CREATE TABLE ruled (key int PRIMARY KEY, version bigint NOT NULL);
            CREATE TABLE rule_copy (key int PRIMARY KEY, version bigint NOT NULL);
            INSERT INTO ruled SELECT k, 0 FROM generate_series(0, 7) k;
            INSERT INTO rule_copy SELECT k, 0 FROM generate_series(0, 7) k;
            CREATE RULE copying AS ON UPDATE TO ruled DO ALSO
              UPDATE rule_copy SET version = NEW.version WHERE key = NEW.key AND version < NEW.version;
            """,
            List.of(
                    "SELECT key, version FROM rule_copy WHERE key = $1",
                    "SELECT key, r.version, c.version FROM ruled r JOIN rule_copy c USING (key) WHERE key = $1"),
            List.of("SELECT key, version FROM rule_copy"),
            List.of("UPDATE ruled SET version = $2 WHERE key = $1 AND version < $2")),

    /** A foreign key's cascade writes a second table. */
    CASCADED(
            """
            CREATE TABLE parent (key int PRIMARY KEY, version bigint NOT NULL, UNIQUE (key, version));
            CREATE TABLE child (key int PRIMARY KEY, version bigint NOT NULL,
              FOREIGN KEY (key, version) REFERENCES parent (key, version) ON UPDATE CASCADE);
            INSERT INTO parent SELECT k, 0 FROM generate_series(0, 7) k;
            INSERT INTO child SELECT k, 0 FROM generate_series(0, 7) k;
            """,
            List.of(
                    "SELECT key, version FROM child WHERE key = $1",
                    "SELECT key, p.version, c.version FROM parent p JOIN child c USING (key) WHERE key = $1"),
            List.of("SELECT key, version FROM child"),
            List.of("UPDATE parent SET version = $2 WHERE key = $1 AND version < $2")),

    /** Written and read through the parent and through the partitions. */
    PARTED(
            """
            CREATE TABLE parted (key int PRIMARY KEY, version bigint NOT NULL) PARTITION BY RANGE (key);
            CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (4);
            CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (4) TO (100);
            INSERT INTO parted SELECT k, 0 FROM generate_series(0, 7) k;
            """,
            List.of(
                    "SELECT key, version FROM parted WHERE key = $1",
                    "SELECT key, version FROM parted_:part WHERE key = $1",
                    "SELECT key, p.version, c.version FROM parted p JOIN parted_:part c USING (key) WHERE key = $1"),
            List.of("SELECT key, version FROM parted"),
            List.of(
                    "UPDATE parted SET version = $2 WHERE key = $1 AND version < $2",
                    "UPDATE parted_:part SET version = $2 WHERE key = $1 AND version < $2")),

    /** Written and read through the ancestor and the table that inherits from it. */
    INHERITED(
            """
            CREATE TABLE ancestor (key int, version bigint NOT NULL);
            CREATE TABLE descendant (PRIMARY KEY (key)) INHERITS (ancestor);
            INSERT INTO descendant SELECT k, 0 FROM generate_series(0, 7) k;
            """,
            List.of(
                    "SELECT key, version FROM ancestor WHERE key = $1",
                    "SELECT key, version FROM descendant WHERE key = $1"),
            List.of("SELECT key, version FROM ancestor"),
            List.of(
                    "UPDATE ancestor SET version = $2 WHERE key = $1 AND version < $2",
                    "UPDATE descendant SET version = $2 WHERE key = $1 AND version < $2")),

    /** Rows are added; the highest counts. */
    APPENDED(
            """
            CREATE TABLE appended (key int, version bigint NOT NULL);
            CREATE INDEX ON appended (key, version);
            INSERT INTO appended SELECT k, 0 FROM generate_series(0, 7) k;
            """,
            List.of(
                    "SELECT $1::int, max(version) FROM appended WHERE key = $1",
                    "SELECT key, version FROM appended WHERE key = $1 ORDER BY version DESC LIMIT 1"),
            List.of("SELECT k, (SELECT max(version) FROM appended WHERE key = k) FROM generate_series(0, 7) k"),
            List.of(
                    "INSERT INTO appended VALUES ($1, $2)",
                    "COPY appended (key, version) FROM STDIN",
                    "INSERT INTO appended SELECT $1::int, $2::bigint RETURNING version")),

    /** Sequences are no tables, and no MVCC: see {@link #isLone}. */
    SEQUENCED(
            """
            CREATE TABLE sequence_guard (key int PRIMARY KEY, version bigint NOT NULL);
            INSERT INTO sequence_guard SELECT k, 0 FROM generate_series(0, 7) k;
            DO $$ BEGIN FOR k IN 0..7 LOOP
              EXECUTE 'CREATE SEQUENCE sequenced_' || k || ' MINVALUE 0 START 0'; END LOOP; END $$;
            CREATE FUNCTION write_sequence(k int, v bigint) RETURNS bigint LANGUAGE plpgsql AS
              $$ BEGIN UPDATE sequence_guard SET version = v WHERE key = k AND version < v;
                 IF FOUND THEN PERFORM setval(('sequenced_' || k)::regclass, v); END IF; RETURN v; END $$;
            """,
            List.of(
                    "SELECT $1::int, last_value FROM sequenced_:k",
                    "SELECT $1::int, s.last_value FROM sequenced_:k AS s JOIN plain ON key = $1"),
            List.of(
                    "SELECT 0, last_value FROM sequenced_0 UNION ALL SELECT 1, last_value FROM sequenced_1"
                            + " UNION ALL SELECT 2, last_value FROM sequenced_2 UNION ALL SELECT 3, last_value FROM sequenced_3"
                            + " UNION ALL SELECT 4, last_value FROM sequenced_4 UNION ALL SELECT 5, last_value FROM sequenced_5"
                            + " UNION ALL SELECT 6, last_value FROM sequenced_6 UNION ALL SELECT 7, last_value FROM sequenced_7"),
            List.of("SELECT write_sequence($1::int, $2::bigint)")),

    /** A format of the session's stands beside the version; see {@link Guise}. */
    DATED(
            """
            CREATE TABLE dated (key int PRIMARY KEY, version bigint NOT NULL, day date DEFAULT '2024-03-05');
            INSERT INTO dated SELECT k, 0 FROM generate_series(0, 7) k;
            CREATE VIEW dated_view AS SELECT key, version, day::text AS day FROM dated;
            """,
            List.of(
                    "SELECT key, version, day FROM dated WHERE key = $1",
                    "SELECT key, version, day FROM dated_view WHERE key = $1",
                    "SELECT key, version, day || '' FROM dated WHERE key = $1"),
            List.of("SELECT key, version, day FROM dated"),
            List.of("UPDATE dated SET version = $2 WHERE key = $1 AND version < $2")),

    /** Two tables of one name, always written together; see {@link Guise}. */
    PATHED(
            """
            CREATE TABLE pathed (key int PRIMARY KEY, version bigint NOT NULL, place text DEFAULT 'public');
            CREATE TABLE elsewhere.pathed (key int PRIMARY KEY, version bigint NOT NULL, place text DEFAULT 'elsewhere');
            INSERT INTO public.pathed SELECT k, 0 FROM generate_series(0, 7) k;
            INSERT INTO elsewhere.pathed SELECT k, 0 FROM generate_series(0, 7) k;
            """,
            List.of("SELECT key, version, place FROM pathed WHERE key = $1"),
            List.of("SELECT key, version, place FROM pathed"),
            List.of(
                    "UPDATE public.pathed SET version = $2 WHERE key = $1 AND version < $2;"
                            + "UPDATE elsewhere.pathed SET version = $2 WHERE key = $1 AND version < $2",
                    "WITH e AS (UPDATE elsewhere.pathed SET version = $2 WHERE key = $1 AND version < $2)"
                            + " UPDATE public.pathed SET version = $2 WHERE key = $1 AND version < $2")),

    /** Row security shows each role its own rows, which are always written together; see {@link Guise}. */
    OWNED(
            """
            CREATE TABLE owned (key int, version bigint NOT NULL, owner text, PRIMARY KEY (key, owner));
            INSERT INTO owned SELECT k, 0, 'consistency_' || o FROM generate_series(0, 7) k, unnest('{alice,bob}'::text[]) o;
            ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
            ALTER TABLE owned FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON owned USING (owner = current_user);
            CREATE FUNCTION write_owned(k int, v bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS
              $$ BEGIN UPDATE public.owned SET version = v WHERE key = k AND version < v; RETURN v; END $$;
            """,
            List.of(
                    "SELECT key, max(version), string_agg(owner, '+' ORDER BY owner) FROM owned WHERE key = $1 GROUP BY 1"),
            List.of("SELECT key, max(version), string_agg(owner, '+' ORDER BY owner) FROM owned GROUP BY 1"),
            List.of("SELECT write_owned($1::int, $2::bigint)")),

    /** A view that is defined anew; see {@link #guarded}. */
    REDEFINED(
            """
            CREATE TABLE redefined_guard (key int PRIMARY KEY, version bigint NOT NULL);
            CREATE TABLE redefined_rows (key int PRIMARY KEY);
            INSERT INTO redefined_guard VALUES (0, 0);
            INSERT INTO redefined_rows VALUES (0);
            CREATE VIEW redefined AS SELECT key, 0::bigint AS version FROM redefined_rows;
            """,
            List.of("SELECT key, version FROM redefined"),
            List.of("SELECT key, version FROM redefined"),
            List.of()),

    /** One row in a table that is truncated and filled again; see {@link #guarded}. */
    TRUNCATED(
            """
            CREATE TABLE truncated_guard (key int PRIMARY KEY, version bigint NOT NULL);
            CREATE TABLE truncated (key int, version bigint NOT NULL);
            INSERT INTO truncated_guard VALUES (0, 0);
            INSERT INTO truncated VALUES (0, 0);
            """,
            List.of("SELECT key, version FROM truncated", "SELECT key, version FROM truncated_guard"),
            List.of("SELECT key, g.version, t.version FROM truncated_guard g JOIN truncated t USING (key)"),
            List.of()),

    /** A materialized view; see {@link #guarded}. */
    REFRESHED(
            """
            CREATE TABLE refreshed_guard (key int PRIMARY KEY, version bigint NOT NULL);
            INSERT INTO refreshed_guard VALUES (0, 0);
            CREATE MATERIALIZED VIEW refreshed AS SELECT key, version FROM refreshed_guard;
            """,
            List.of("SELECT key, version FROM refreshed"),
            List.of("SELECT key, version FROM refreshed"),
            List.of());

    /** What the families' tables need. */
    static final String SCHEMA = "CREATE SCHEMA elsewhere";

    /** Keys of each family, from 0. */
    static final int KEYS = 8;

    /** What every connection prepares. */
    static final List<String> PREAMBLE = List.of(
            "PREPARE sql_read (int) AS SELECT key, version FROM plain WHERE key = $1",
            "PREPARE sql_write (int, bigint) AS UPDATE plain SET version = $2 WHERE key = $1 AND version < $2");

    /** Makes the COMMIT of its transaction fail. */
    static final String DOOM = "INSERT INTO doomed VALUES (1), (1)";

    /** Commits twice, the version before the given one first. */
    static final String WRITE_TWICE = "CALL write_plain_twice($1::int, $2::bigint)";

    final String ddl;
    final List<String> reads;
    final List<String> readsOfAll;
    final List<String> writes;

    Family(String ddl, List<String> reads, List<String> readsOfAll, List<String> writes) {
        this.ddl = ddl;
        this.reads = reads;
        this.readsOfAll = readsOfAll;
        this.writes = writes;
    }

    /** One of the reads of these families, as a {@link SplitLink} that knows the checker may tell. */
    static boolean isRead(String template) {
        String start = template.toLowerCase(Locale.ROOT);
        boolean isQuery = start.startsWith("select") || start.startsWith("with wanted") || start.startsWith("copy (");
        return isQuery && !start.contains("write_") || start.startsWith("execute sql_read");
    }

    int keys() {
        return isGuarded() ? 1 : KEYS;
    }

    /**
     * Has one key and is written by {@link #guarded} in a transaction. TRUNCATE and REFRESH are no MVCC: an older snapshot
     * finds the table empty, or filled by REFRESH (the manual, "Caveats" of Concurrency Control); nor are definitions.
     */
    boolean isGuarded() {
        return writes.isEmpty();
    }

    /** Is written by one statement, outside of transactions, and seen at once: whoever fails may have written it. */
    boolean isLone() {
        return this == SEQUENCED;
    }

    /** Whether an older snapshot shows the new version, or nothing. */
    boolean isTimeless() {
        return isGuarded() || isLone();
    }

    /** The first statement must count one row, else the others may not run. */
    List<String> guarded() {
        return switch (this) {
            case TRUNCATED ->
                List.of(
                        "UPDATE truncated_guard SET version = $2 WHERE key = $1 AND version < $2",
                        "TRUNCATE truncated",
                        "INSERT INTO truncated VALUES ($1, $2)");
            case REDEFINED ->
                List.of(
                        "UPDATE redefined_guard SET version = $2 WHERE key = $1 AND version < $2",
                        "CREATE OR REPLACE VIEW public.redefined AS SELECT key, :v::bigint AS version FROM redefined_rows");
            default ->
                List.of(
                        "UPDATE refreshed_guard SET version = $2 WHERE key = $1 AND version < $2",
                        "REFRESH MATERIALIZED VIEW refreshed");
        };
    }
}
