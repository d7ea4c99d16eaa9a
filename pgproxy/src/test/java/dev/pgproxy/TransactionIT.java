package dev.pgproxy;

import static dev.pgproxy.testing.Transcript.assertSame;

import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Transactions, savepoints and what belongs to them: status bytes, implicit blocks, two-phase commit, large objects. */
final class TransactionIT {

    @Test
    void theStatusFollowsTheTransaction() {
        assertSame((c, t) -> {
            c.query("BEGIN").readUntilReady();
            c.query("SELECT 1").readUntilReady();
            c.query("BEGIN").readUntilReady();
            c.query("COMMIT").readUntilReady();
            c.query("COMMIT").readUntilReady();
            c.query("ROLLBACK").readUntilReady();
            c.query("START TRANSACTION READ ONLY").readUntilReady();
            c.query("CREATE TABLE never (a int)").readUntilReady();
            c.query("END").readUntilReady();
            c.query("BEGIN; ABORT; BEGIN; COMMIT AND CHAIN; ROLLBACK AND CHAIN; ROLLBACK")
                    .readUntilReady();
        });
    }

    @Test
    void aFailedTransactionRefusesEverythingButItsEnd() {
        assertSame((c, t) -> {
            c.query("BEGIN").readUntilReady();
            t.expect("EZ", c.query("SELECT 1/0").readUntilReady());
            t.expect("EZ", c.query("SELECT 1").readUntilReady());
            t.expect("EZ", c.parse("", "SELECT 1").sync().readUntilReady());
            t.expect("1Z", c.parse("end", "ROLLBACK").sync().readUntilReady());
            t.expect("EZ", c.query("SET application_name = 'x'").readUntilReady());
            t.expect("EZ", c.query("SELEC").readUntilReady());
            t.expect("IZ", c.query("").readUntilReady());
            t.expect("CZ", c.query("COMMIT").readUntilReady());
            t.expect("TDCZ", c.query("SELECT 1").readUntilReady());
        });
    }

    @Test
    void aFailedTransactionCanBeEndedByAPreparedRollback() {
        assertSame((c, t) -> {
            c.parse("end", "ROLLBACK").parse("one", "SELECT 1").sync().readUntilReady();
            c.query("BEGIN; SELECT 1/0").readUntilReady();
            t.expect("EZ", c.bind("", "one").execute("").sync().readUntilReady());
            t.expect("2CZ", c.bind("", "end").execute("").sync().readUntilReady());
            t.expect("2DCZ", c.bind("", "one").execute("").sync().readUntilReady());
        });
    }

    @Test
    void savepointsRollBackAndRelease() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE points (a int)").readUntilReady();
            c.query("BEGIN; SAVEPOINT one; INSERT INTO points VALUES (1)").readUntilReady();
            c.query("SAVEPOINT two; INSERT INTO points VALUES (2); SELECT 1/0").readUntilReady();
            c.query("SELECT 1").readUntilReady();
            c.query("ROLLBACK TO two").readUntilReady();
            c.query("INSERT INTO points VALUES (3); RELEASE SAVEPOINT one").readUntilReady();
            c.query("ROLLBACK TO one").readUntilReady();
            c.query("ROLLBACK TO SAVEPOINT nowhere").readUntilReady();
            c.query("COMMIT").readUntilReady();
            c.query("SELECT a FROM points ORDER BY a").readUntilReady();
            c.query("SAVEPOINT outside").readUntilReady();
            c.query("RELEASE outside").readUntilReady();
        });
    }

    @Test
    void aPipelinedTransactionAnswersLikeSingleSteps() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE piped (a int)").readUntilReady();
            c.batch(b -> {
                for (String sql : new String[] {"BEGIN", "INSERT INTO piped VALUES (1)", "COMMIT"}) {
                    b.parse("", sql).bind("", "").describePortal("").execute("").sync();
                }
            });
            t.expect("12nCZ12nCZ12nCZ", c.readUntilReady(3));
            c.batch(b -> {
                for (String sql : new String[] {"BEGIN", "INSERT INTO piped VALUES (2)", "SELECT 1/0", "COMMIT"}) {
                    b.parse("", sql).bind("", "").execute("").sync();
                }
            });
            t.expect("12CZ12CZ1EZ12CZ", c.readUntilReady(4));
            c.batch(b -> b.query("BEGIN")
                    .query("INSERT INTO piped VALUES (3)")
                    .query("COMMIT")
                    .query("TABLE piped"));
            c.readUntilReady(4);
        });
    }

    @Test
    void aTransactionWithinOneSyncIsOneExchange() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE whole (a int)").readUntilReady();
            c.batch(b -> {
                for (String sql : new String[] {"BEGIN", "INSERT INTO whole VALUES (1)", "COMMIT", "SELECT 9"}) {
                    b.parse("", sql).bind("", "").execute("");
                }
                b.sync();
            });
            t.expect("12C12C12C12DCZ", c.readUntilReady());
        });
    }

    @Test
    void severalExecutesBeforeOneSyncAreOneImplicitTransaction() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE implicit (a int)").readUntilReady();
            c.batch(b -> b.parse("i", "INSERT INTO implicit VALUES ($1)")
                    .bind("", "i", "1")
                    .execute("")
                    .bind("", "i", "2")
                    .execute("")
                    .bind("", "i", "no number")
                    .execute("")
                    .sync());
            t.expect("12C2CEZ", c.readUntilReady());
            c.query("SELECT count(*) FROM implicit").readUntilReady();
            c.batch(b -> b.parse("i", "INSERT INTO implicit VALUES ($1)")
                    .bind("", "i", "1")
                    .execute("")
                    .sync()
                    .bind("", "i", "no number")
                    .execute("")
                    .sync());
            c.readUntilReady(2);
            c.query("SELECT count(*) FROM implicit").readUntilReady();
        });
    }

    @Test
    void severalStatementsInOneQueryAreOneImplicitTransaction() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE block (a int)").readUntilReady();
            c.query("INSERT INTO block VALUES (1); COMMIT; INSERT INTO block VALUES (2); SELECT 1/0")
                    .readUntilReady();
            c.query("SELECT a FROM block").readUntilReady();
            c.query("INSERT INTO block VALUES (3); BEGIN; INSERT INTO block VALUES (4)")
                    .readUntilReady();
            c.query("ROLLBACK").readUntilReady();
            c.query("SELECT a FROM block").readUntilReady();
            c.query("SAVEPOINT s; SELECT 1").readUntilReady();
            c.query("SELECT 1; SAVEPOINT s; SELECT 2; ROLLBACK TO s; SELECT 3").readUntilReady();
        });
    }

    @Test
    void statementsThatRefuseATransactionBlockKnowWhereTheyAre() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS to_vacuum; CREATE TABLE to_vacuum (a int)");
            t.expect("CZ", c.query("VACUUM to_vacuum").readUntilReady());
            t.expect("CEZ", c.query("SET work_mem = '1MB'; VACUUM to_vacuum").readUntilReady());
            c.batch(b ->
                    b.parse("", "VACUUM to_vacuum").bind("", "").execute("").sync());
            t.expect("12CZ", c.readUntilReady());
            c.batch(b -> b.parse("", "SELECT 1")
                    .bind("", "")
                    .execute("")
                    .parse("", "VACUUM to_vacuum")
                    .bind("", "")
                    .execute("")
                    .sync());
            c.readUntilReady();
            c.batch(b -> b.parse("", "VACUUM to_vacuum")
                    .bind("", "")
                    .execute("")
                    .parse("", "SELECT 1")
                    .bind("", "")
                    .execute("")
                    .sync());
            c.readUntilReady();
            c.query("BEGIN; VACUUM to_vacuum").readUntilReady();
            c.query("ROLLBACK").readUntilReady();
            t.quietly("DROP TABLE to_vacuum");
        });
    }

    @Test
    void transactionCharacteristicsLastAsLongAsTheyShould() {
        assertSame((c, t) -> {
            c.query("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").readUntilReady();
            c.query("BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    .readUntilReady();
            c.query("SHOW transaction_isolation; SHOW transaction_read_only").readUntilReady();
            c.query("COMMIT").readUntilReady();
            c.query("SHOW transaction_isolation").readUntilReady();
            c.query("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, ISOLATION LEVEL SERIALIZABLE")
                    .readUntilReady();
            c.query("SHOW transaction_isolation; SHOW transaction_read_only").readUntilReady();
            c.query("CREATE TABLE never (a int)").readUntilReady();
            c.query("BEGIN READ WRITE; SELECT 1; SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
                    .readUntilReady();
            c.query("ROLLBACK; RESET ALL; SHOW default_transaction_isolation").readUntilReady();
        });
    }

    @Test
    void aTransactionBlockStaysOneSnapshotAndOneBackend() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS snap; CREATE TABLE snap (a int)");
            c.query("BEGIN ISOLATION LEVEL REPEATABLE READ").readUntilReady();
            c.query("SELECT count(*) FROM snap").readUntilReady();
            t.another("d").query("INSERT INTO snap VALUES (1)").readUntilReady();
            c.query("SELECT count(*) FROM snap").readUntilReady();
            c.query("INSERT INTO snap VALUES (2)").readUntilReady();
            c.query("COMMIT").readUntilReady();
            c.query("SELECT count(*) FROM snap").readUntilReady();
            t.quietly("DROP TABLE snap");
        });
    }

    @Test
    void aWriteIsSeenByTheNextReadOfAnybody() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS seen; CREATE TABLE seen (a int)");
            var d = t.another("d");
            for (int i = 0; i < 10; i++) {
                c.query("INSERT INTO seen VALUES (" + i + ")").readUntilReady();
                d.query("SELECT count(*), max(a) FROM seen").readUntilReady();
                c.query("SELECT count(*), max(a) FROM seen").readUntilReady();
            }
            t.quietly("DROP TABLE seen");
        });
    }

    @Test
    void twoPhaseCommitIsFinishedByAnyone() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS phases; CREATE TABLE phases (a int)");
            c.query("BEGIN; INSERT INTO phases VALUES (1)").readUntilReady();
            c.query("PREPARE TRANSACTION 'it-one'").readUntilReady();
            c.query("SELECT count(*) FROM phases").readUntilReady();
            var d = t.another("d");
            d.query("SELECT gid FROM pg_prepared_xacts WHERE gid LIKE 'it-%'").readUntilReady();
            d.query("COMMIT PREPARED 'it-one'").readUntilReady();
            c.query("SELECT count(*) FROM phases").readUntilReady();
            c.query("BEGIN; INSERT INTO phases VALUES (2); PREPARE TRANSACTION 'it-two'")
                    .readUntilReady();
            c.query("ROLLBACK PREPARED 'it-two'").readUntilReady();
            c.query("ROLLBACK PREPARED 'it-two'").readUntilReady();
            c.query("BEGIN; SELECT 1/0").readUntilReady();
            c.query("PREPARE TRANSACTION 'it-three'").readUntilReady();
            c.query("SELECT count(*) FROM phases").readUntilReady();
            t.quietly("DROP TABLE phases");
        });
    }

    @Test
    void largeObjectsAreWrittenAndReadInATransaction() {
        assertSame((c, t) -> {
            int oid = 987_654;
            c.query("BEGIN; SELECT lo_create(" + oid + ")").readUntilReady();
            c.query("SELECT lo_open(" + oid + ", 393216)").readUntilReady();
            c.query("SELECT lowrite(0, 'hello large object')").readUntilReady();
            c.query("SELECT lo_lseek(0, 6, 0)").readUntilReady();
            c.query("SELECT loread(0, 5)").readUntilReady();
            c.query("COMMIT").readUntilReady();
            c.query("SELECT loread(0, 5)").readUntilReady();
            c.query("SELECT lo_get(" + oid + ")").readUntilReady();
            c.query("SELECT lo_unlink(" + oid + ")").readUntilReady();
            c.query("SELECT lo_get(" + oid + ")").readUntilReady();
        });
    }

    @Test
    void proceduresMayCommitOutsideATransactionBlock() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE steps (a int)").readUntilReady();
            c.query("CREATE OR REPLACE PROCEDURE pg_temp.step(INOUT n int) LANGUAGE plpgsql AS"
                            + " $$ BEGIN INSERT INTO steps VALUES (n); COMMIT; n := n + 1; END $$")
                    .readUntilReady();
            c.query("CALL pg_temp.step(1)").readUntilReady();
            c.query("BEGIN; CALL pg_temp.step(2)").readUntilReady();
            c.query("ROLLBACK").readUntilReady();
            c.query("DO $$ BEGIN INSERT INTO steps VALUES (3); ROLLBACK; INSERT INTO steps VALUES (4); END $$")
                    .readUntilReady();
            c.query("SELECT a FROM steps ORDER BY a").readUntilReady();
        });
    }

    @Test
    void aDeferredConstraintFailsAtCommit() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
                    .readUntilReady();
            c.query("BEGIN; INSERT INTO late VALUES (1), (1)").readUntilReady();
            t.expect("EZ", c.query("COMMIT").readUntilReady());
            c.batch(b -> b.parse("", "INSERT INTO late VALUES (2), (2)")
                    .bind("", "")
                    .execute("")
                    .sync());
            t.expect("12CEZ", c.readUntilReady());
        });
    }

    /** A server forgets what sequences gave to others before the transaction, not in it. */
    @Test
    void proceduresCommitOnAServerWhereOthersHaveUsedSequences() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy()) {
            assertSame(under, (c, t) -> {
                t.quietly("DROP TABLE IF EXISTS it_committed");
                t.quietly("CREATE TABLE it_committed (a int)");
                t.quietly("DROP SEQUENCE IF EXISTS it_taken");
                t.quietly("CREATE SEQUENCE it_taken");
                t.quietly("CREATE OR REPLACE PROCEDURE it_commits() LANGUAGE plpgsql AS"
                        + " 'BEGIN INSERT INTO it_committed VALUES (1); COMMIT; END'");
                RawClient d = t.another("d");
                c.query("SET application_name = 'calls'").readUntilReady();
                d.query("SET application_name = 'takes'").readUntilReady();
                c.parse("call", "CALL it_commits()").sync().readUntilReady();
                for (String sql : List.of(
                        "DO 'BEGIN INSERT INTO it_committed VALUES (2); COMMIT; END'",
                        "CALL it_commits()",
                        "VACUUM it_committed",
                        "DECLARE outside CURSOR FOR SELECT it_unknown()",
                        "TABLE it_committed")) {
                    t.expect("TDCZ", d.query("SELECT nextval('it_taken')").readUntilReady());
                    c.batch(b -> b.parse("", sql).bind("", "").execute("").sync());
                    c.readUntilReady();
                    t.expect("TDCZ", d.query("SELECT nextval('it_taken')").readUntilReady());
                    c.batch(b -> b.bind("", "call").execute("").sync());
                    t.expect("2CZ", c.readUntilReady());
                    t.expect("TDCZ", d.query("SELECT nextval('it_taken')").readUntilReady());
                    c.batch(b -> b.parse("", sql).describeStatement("").flush());
                    c.readUntil(message -> "nTE".indexOf(message.type()) >= 0);
                    c.batch(b -> b.bind("", "").execute("").sync());
                    c.readUntilReady();
                }
                t.expect("TDCZ", d.query("SELECT nextval('it_taken')").readUntilReady());
                c.batch(b -> b.parse("", "DO ''")
                        .bind("", "")
                        .execute("")
                        .parse("", "SELECT lastval()")
                        .bind("", "")
                        .execute("")
                        .sync());
                c.readUntilReady();
            });
        }
    }
}
