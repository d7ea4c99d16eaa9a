package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Whatever changes a table, the next read has it: every way in which other caches were seen to miss one. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CacheWritesIT {
    private CachingProxy caching;

    @BeforeAll
    void start() {
        caching = CachingProxy.start(
                "",
                "CREATE TABLE parent (id int PRIMARY KEY, v int)",
                "CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE)",
                "CREATE TABLE grandchild (id int, child int REFERENCES child ON DELETE SET NULL)",
                "CREATE TABLE noted (id int, note int DEFAULT 0)",
                "CREATE TABLE watched (id int, v int)",
                "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
                        + " $$ BEGIN UPDATE noted SET note = note + 1; RETURN new; END $$",
                "CREATE TRIGGER note AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION note()",
                "CREATE VIEW shown AS SELECT id, v FROM watched",
                "CREATE VIEW shown_again AS SELECT * FROM shown",
                "CREATE TABLE ruled (id int, v int)",
                "CREATE TABLE ruled_copy (id int, v int)",
                "CREATE RULE copy AS ON UPDATE TO ruled DO ALSO UPDATE ruled_copy SET v = new.v",
                "CREATE TABLE parted (id int, v int) PARTITION BY RANGE (id)",
                "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (100)",
                "CREATE TABLE base (id int, v int)",
                "CREATE TABLE derived () INHERITS (base)",
                "CREATE TABLE plain (id int PRIMARY KEY, v int)",
                "CREATE SCHEMA other CREATE TABLE plain (id int PRIMARY KEY, v int)",
                "CREATE TABLE turned_first AS SELECT 0 AS v",
                "CREATE TABLE turned_second AS SELECT 100 AS v",
                "CREATE MATERIALIZED VIEW kept AS SELECT id, v FROM plain",
                "CREATE FUNCTION add_plain() RETURNS int LANGUAGE sql AS 'UPDATE plain SET v = v + 1 RETURNING v'",
                "CREATE FUNCTION add_hidden(t text) RETURNS void LANGUAGE plpgsql AS"
                        + " $$ BEGIN EXECUTE 'UPDATE ' || t || ' SET v = v + 1'; END $$",
                "CREATE PROCEDURE add_called() LANGUAGE plpgsql AS"
                        + " $$ BEGIN UPDATE plain SET v = v + 1; COMMIT; UPDATE other.plain SET v = v + 1; END $$",
                "CREATE FUNCTION read_plain() RETURNS int STABLE LANGUAGE sql AS 'SELECT sum(v)::int FROM plain'",
                "CREATE FUNCTION read_labelled() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT sum(v)::int FROM plain'",
                "INSERT INTO parent VALUES (1, 0), (2, 0), (3, 0)",
                "INSERT INTO child VALUES (1, 1), (2, 2), (3, 3)",
                "INSERT INTO grandchild VALUES (1, 1), (2, 2), (3, 3)",
                "INSERT INTO noted VALUES (1)",
                "INSERT INTO watched VALUES (1, 0)",
                "INSERT INTO ruled VALUES (1, 0)",
                "INSERT INTO ruled_copy VALUES (1, 0)",
                "INSERT INTO parted VALUES (1, 0)",
                "INSERT INTO derived VALUES (1, 0)",
                "INSERT INTO plain VALUES (1, 0)",
                "INSERT INTO other.plain VALUES (1, 0)");
    }

    @AfterAll
    void stop() {
        caching.close();
    }

    /** A read, and what changes its answer. */
    private static Map<String, List<String>> changes() {
        Map<String, List<String>> changes = new LinkedHashMap<>();
        String plain = "SELECT sum(v) FROM plain";
        changes.put(
                plain,
                List.of(
                        "UPDATE plain SET v = v + 1",
                        "WITH w AS (UPDATE plain SET v = v + 1 RETURNING v) SELECT v FROM w",
                        "MERGE INTO plain p USING (SELECT 1 AS id) s ON p.id = s.id WHEN MATCHED THEN UPDATE SET v = v + 1",
                        "INSERT INTO plain VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET v = plain.v + 1",
                        "SELECT add_plain()",
                        "SELECT add_hidden('plain')",
                        "DO $$ BEGIN UPDATE plain SET v = v + 1; END $$",
                        "CALL add_called()",
                        "SELECT 1; UPDATE plain SET v = v + 1; SELECT 2",
                        "BEGIN; UPDATE plain SET v = v + 1; COMMIT",
                        "BEGIN; UPDATE plain SET v = v + 1; SAVEPOINT a; UPDATE plain SET v = 0; ROLLBACK TO a; COMMIT",
                        "EXPLAIN ANALYZE UPDATE plain SET v = v + 1",
                        "PREPARE add AS UPDATE plain SET v = v + 1; EXECUTE add; DEALLOCATE add",
                        "TRUNCATE plain; INSERT INTO plain VALUES (1, 1000)"));
        changes.put("SELECT read_plain()", List.of("UPDATE plain SET v = v + 1"));
        changes.put("SELECT read_labelled()", List.of("UPDATE plain SET v = v + 1"));
        changes.put("SELECT sum(v) FROM other.plain", List.of("CALL add_called()", "SELECT add_hidden('other.plain')"));
        changes.put("SELECT sum(v) FROM kept", List.of("UPDATE plain SET v = v + 1; REFRESH MATERIALIZED VIEW kept"));
        changes.put("SELECT note FROM noted", List.of("UPDATE watched SET v = v + 1", "UPDATE shown SET v = v + 1"));
        changes.put("SELECT v FROM shown_again", List.of("UPDATE watched SET v = v + 1", "UPDATE shown SET v = v + 1"));
        changes.put("SELECT v FROM ruled_copy", List.of("UPDATE ruled SET v = v + 1"));
        changes.put("SELECT v FROM parted", List.of("UPDATE parted_low SET v = v + 1"));
        changes.put("SELECT v FROM parted_low", List.of("UPDATE parted SET v = v + 1"));
        changes.put("SELECT v FROM base", List.of("UPDATE derived SET v = v + 1"));
        changes.put("SELECT v FROM derived", List.of("UPDATE base SET v = v + 1"));
        changes.put("SELECT count(*) FROM child", List.of("DELETE FROM parent WHERE id = 1"));
        changes.put("SELECT count(child) FROM grandchild", List.of("DELETE FROM parent WHERE id = 2"));
        changes.put("SELECT max(parent) FROM child", List.of("UPDATE parent SET id = id + 10 WHERE id = 3"));
        changes.put("SELECT count(id) FROM grandchild", List.of("TRUNCATE parent CASCADE"));
        return changes;
    }

    @Test
    void everyWayToWriteIsSeen() {
        try (RawClient reader = caching.login();
                RawClient writer = caching.login()) {
            changes()
                    .forEach((read, writes) -> writes.forEach(write -> {
                        caching.awaitCatalog();
                        await().until(() -> caching.isHit(reader, read));
                        assertOutdates(writer, write, reader, read);
                    }));
        }
    }

    /** What a text means is remembered for the client that asks it again. */
    @Test
    void aTextThatMeansAnotherTableFromNowOnIsOutdatedByThatTable() {
        try (RawClient reader = caching.login();
                RawClient writer = caching.login()) {
            String view = "SELECT v FROM turned";
            writer.query("CREATE VIEW turned AS SELECT v FROM turned_first").readUntilReady();
            for (String table : List.of("turned_first", "turned_second", "turned_first")) {
                writer.query("CREATE OR REPLACE VIEW turned AS SELECT v FROM " + table)
                        .readUntilReady();
                caching.awaitCatalog();
                await().until(() -> caching.isHit(reader, view));
                assertOutdates(writer, "UPDATE " + table + " SET v = v + 1", reader, view);
            }
            String named = "SELECT sum(v) FROM plain";
            for (String schema : List.of("public", "other", "public")) {
                reader.query("SET search_path = " + schema).readUntilReady();
                await().until(() -> caching.isHit(reader, named));
                assertOutdates(writer, "UPDATE " + schema + ".plain SET v = v + 1", reader, named);
            }
        }
    }

    private static void assertOutdates(RawClient writer, String write, RawClient reader, String read) {
        String before = value(reader, read);
        assertThat(Message.types(writer.query(write).readUntilReady()))
                .as(write)
                .doesNotContain("E");
        assertThat(value(reader, read)).as(write).isNotEqualTo(before);
    }

    @Test
    void preparedWritesAndCopyAreSeen() {
        try (RawClient reader = caching.login();
                RawClient writer = caching.login()) {
            String read = "SELECT sum(v) FROM plain";
            writer.batch(b -> b.parse("w", "UPDATE plain SET v = v + $1").sync());
            writer.readUntilReady();
            for (int i = 0; i < 3; i++) {
                await().until(() -> caching.isHit(reader, read));
                String before = value(reader, read);
                writer.batch(b -> b.bind("", "w", "1").execute("", 1).sync());
                writer.readUntilReady();
                assertThat(value(reader, read)).isNotEqualTo(before);
            }
            await().until(() -> caching.isHit(reader, read));
            String before = value(reader, read);
            writer.query("COPY plain FROM STDIN").readUntil('G');
            writer.copyData("77\t1\n").copyDone().readUntilReady();
            assertThat(value(reader, read)).isNotEqualTo(before);
        }
    }

    /** A Bind is of what was parsed last, also if it is so long that it is sent on before it is there as a whole. */
    @Test
    void aWriteBehindAReadOfTheSameNameIsSeen() {
        try (RawClient reader = caching.login();
                RawClient writer = caching.login()) {
            String read = "SELECT sum(v) FROM plain";
            String write = "UPDATE plain SET v = v + length($1)";
            for (String value : List.of("x", "x".repeat(1 << 20))) {
                writer.batch(b -> b.parse("", "SELECT $1")
                        .bind("", "", "1")
                        .execute("", 0)
                        .sync());
                writer.readUntilReady();
                await().until(() -> caching.isHit(reader, read));
                String before = value(reader, read);
                writer.batch(b ->
                        b.parse("", write).bind("", "", value).execute("", 0).sync());
                assertThat(Message.types(writer.readUntilReady())).doesNotContain("E");
                assertThat(value(reader, read)).isNotEqualTo(before);
                await().until(() -> caching.isHit(reader, read));
                String after = value(reader, read);
                writer.batch(b -> b.parse("", "SELECT $1")
                        .bind("", "", "1")
                        .execute("", 0)
                        .parse("", write)
                        .bind("", "", value)
                        .execute("", 0)
                        .sync());
                assertThat(Message.types(writer.readUntilReady())).doesNotContain("E");
                assertThat(value(reader, read)).isNotEqualTo(after);
                writer.query("UPDATE plain SET v = 0").readUntilReady();
            }
        }
    }

    @Test
    void aPreparedWriteAmongOtherStatementsIsSeen() {
        try (RawClient reader = caching.login();
                RawClient writer = caching.login()) {
            String read = "SELECT sum(v) FROM plain";
            writer.query("PREPARE more AS UPDATE plain SET v = v + 1").readUntilReady();
            for (String write : List.of("EXECUTE more", "SELECT 1; EXECUTE more", "EXPLAIN ANALYZE EXECUTE more")) {
                await().until(() -> caching.isHit(reader, read));
                String before = value(reader, read);
                assertThat(Message.types(writer.query(write).readUntilReady())).doesNotContain("E");
                assertThat(value(reader, read)).as(write).isNotEqualTo(before);
            }
        }
    }

    @Test
    void whatIsNotCommittedIsNobodyElses() {
        try (RawClient reader = caching.login();
                RawClient writer = caching.login()) {
            String read = "SELECT v FROM watched";
            await().until(() -> caching.isHit(reader, read));
            String before = value(reader, read);
            writer.query("BEGIN").readUntilReady();
            writer.query("UPDATE watched SET v = v + 100").readUntilReady();
            String own = value(writer, read);
            assertThat(own).isNotEqualTo(before);
            assertThat(value(reader, read)).isEqualTo(before);
            writer.query("SELECT 1 / 0").readUntilReady();
            writer.query("COMMIT").readUntilReady(); // which rolls back
            assertThat(value(reader, read)).isEqualTo(before);
            assertThat(value(writer, read)).isEqualTo(before);
        }
    }

    @Test
    void aFailedWriteLeavesResultsWhereTheyAre() {
        try (RawClient reader = caching.login();
                RawClient writer = caching.login()) {
            String read = "SELECT v FROM ruled";
            await().until(() -> caching.isHit(reader, read));
            assertThat(Message.types(
                            writer.query("UPDATE ruled SET v = 1 / (v - v)").readUntilReady()))
                    .isEqualTo("EZ");
            assertThat(caching.isHit(reader, read)).isTrue();
        }
    }

    @Test
    void aWriteOnItsWayKeepsItsTableOutOfTheCache() {
        try (RawClient reader = caching.login();
                RawClient writer = caching.login();
                RawClient locking = caching.routed().direct().login()) {
            String read = "SELECT id FROM base";
            await().until(() -> caching.isHit(reader, read));
            locking.query("BEGIN; LOCK TABLE base IN EXCLUSIVE MODE").readUntilReady();
            writer.query("UPDATE base SET v = v + 1");
            await().until(() -> caching.why(b -> b.query(read), reader) == CacheReason.IN_DOUBT);
            locking.query("COMMIT").readUntilReady();
            writer.readUntilReady();
            await().until(() -> caching.isHit(reader, read));
        }
    }
}
