package dev.pgproxy;

import static dev.pgproxy.testing.Transcript.assertSame;

import dev.pgproxy.testing.RawClient;
import org.junit.jupiter.api.Test;

/** COPY in and out, in simple and extended queries, to its end, to a failure, and out of place. */
final class CopyIT {
    private static final String INTO = "COPY copied FROM STDIN";

    private static void table(RawClient c) {
        c.query("CREATE TEMP TABLE copied (a int, b text)").readUntilReady();
    }

    private static void count(RawClient c) {
        c.query("SELECT count(*), sum(a), min(b) FROM copied").readUntilReady();
    }

    @Test
    void copyInTakesRowsHoweverTheyAreCut() {
        assertSame((c, t) -> {
            table(c);
            t.expect("G", c.query(INTO).readUntil('G'));
            c.copyData("1\tone\n")
                    .copyData("2\ttw")
                    .copyData("o\n3")
                    .copyData("")
                    .copyData("\t\\N\n4\tfour")
                    .copyDone();
            t.expect("CZ", c.readUntilReady());
            count(c);
            t.expect(
                    "G",
                    c.query("COPY copied (b, a) FROM STDIN WITH (FORMAT csv, HEADER)")
                            .readUntil('G'));
            c.copyData("b,a\n\"x,\ny\",5\n").copyDone();
            t.expect("CZ", c.readUntilReady());
            count(c);
        });
    }

    @Test
    void copyOutGivesRowsInEachFormat() {
        assertSame((c, t) -> {
            t.expect(
                    "HdddcCZ",
                    c.query("COPY (SELECT g, 'x' || g FROM generate_series(1, 3) g) TO STDOUT")
                            .readUntilReady());
            c.query("COPY (VALUES (1, 'a,b'), (2, NULL)) TO STDOUT (FORMAT csv, HEADER)")
                    .readUntilReady();
            c.query("COPY (SELECT 1::int, 'x'::text, NULL::int) TO STDOUT (FORMAT binary)")
                    .readUntilReady();
            t.expect("HcCZ", c.query("COPY (SELECT 1 WHERE false) TO STDOUT").readUntilReady());
        });
    }

    @Test
    void copyOutOfManyRowsArrivesWhole() {
        assertSame(
                (c, t) -> c.query("COPY (SELECT g, repeat(md5(g::text), 30) FROM generate_series(1, 3000) g) TO STDOUT")
                        .readUntilReady());
    }

    @Test
    void copyInOfManyRowsArrivesWhole() {
        assertSame((c, t) -> {
            table(c);
            c.query(INTO).readUntil('G');
            String row = "7\t" + "v".repeat(1000) + "\n";
            for (int i = 0; i < 40; i++) {
                c.copyData(row.repeat(64));
            }
            t.expect("CZ", c.copyDone().readUntilReady());
            count(c);
        });
    }

    @Test
    void copyIsOneOfSeveralStatements() {
        assertSame((c, t) -> {
            table(c);
            t.expect(
                    "TDCG",
                    c.query("SELECT 1; " + INTO + "; SELECT count(*) FROM copied; COPY copied TO STDOUT; SELECT 2")
                            .readUntil('G'));
            c.copyData("1\tone\n").copyDone();
            t.expect("CTDCHdcCTDCZ", c.readUntilReady());
        });
    }

    @Test
    void twoCopiesInOneQueryFollowEachOther() {
        assertSame((c, t) -> {
            table(c);
            t.expect("G", c.query(INTO + "; " + INTO).readUntil('G'));
            t.expect("CG", c.copyData("1\tone\n").copyDone().readUntil('G'));
            t.expect("CZ", c.copyData("2\ttwo\n").copyDone().readUntilReady());
            count(c);
        });
    }

    @Test
    void copyFailEndsTheCopyWithItsReason() {
        assertSame((c, t) -> {
            table(c);
            c.query(INTO).readUntil('G');
            t.expect("EZ", c.copyData("1\tone\n").copyFail("changed my mind").readUntilReady());
            count(c);
            c.query("BEGIN; " + INTO).readUntil('G');
            t.expect("EZ", c.copyFail("").readUntilReady());
            t.expect("CZ", c.query("ROLLBACK").readUntilReady());
        });
    }

    @Test
    void anErrorInTheMiddleOfCopyInSwallowsTheRest() {
        assertSame((c, t) -> {
            table(c);
            c.query(INTO + "; SELECT 'not reached'").readUntil('G');
            c.copyData("1\tone\n").copyData("not a number\tx\n");
            t.expect("EZ", c.readUntilReady());
            c.copyData("3\tthree\n").copyData("4\tfour\n").copyDone();
            t.expect("TDCZ", c.query("SELECT 'alive'").readUntilReady());
            count(c);
        });
    }

    @Test
    void copyDoneThatCameTooLateDoesNotDisturbWhatFollows() {
        assertSame((c, t) -> {
            table(c);
            c.query(INTO).readUntil('G');
            c.batch(b -> b.copyData("not a number\n").copyDone());
            t.expect("EZ", c.readUntilReady());
            t.expect("EZ", c.query("SELECT no_such_column").readUntilReady());
            c.query("SET application_name = 'afterwards'").readUntilReady();
            c.query("SHOW application_name").readUntilReady();
            count(c);
        });
    }

    @Test
    void anErrorInTheMiddleOfCopyOutEndsIt() {
        assertSame((c, t) -> {
            c.query("COPY (SELECT 1/(3 - g) FROM generate_series(1, 5) g) TO STDOUT")
                    .readUntilReady();
            t.expect("EZ", c.query("COPY no_such_table_at_all TO STDOUT").readUntilReady());
            t.expect("EZ", c.query("COPY no_such_table_at_all FROM STDIN").readUntilReady());
        });
    }

    @Test
    void copyMessagesOutsideCopyAreIgnored() {
        assertSame((c, t) -> {
            c.copyData("nobody asked").copyDone().copyFail("for this");
            t.expect("TDCZ", c.query("SELECT 1").readUntilReady());
            c.batch(b -> b.parse("", "SELECT 2")
                    .copyData("nobody asked")
                    .bind("", "")
                    .copyDone()
                    .execute("")
                    .copyFail("for this")
                    .sync());
            t.expect("12DCZ", c.readUntilReady());
        });
    }

    @Test
    void syncAndFlushInsideCopyInAreIgnored() {
        assertSame((c, t) -> {
            table(c);
            c.query(INTO).readUntil('G');
            c.copyData("1\tone\n").sync().flush().copyData("2\ttwo\n").sync().copyDone();
            t.expect("CZ", c.readUntilReady());
            t.expect("", c.readAvailable(50));
            count(c);
        });
    }

    @Test
    void anyOtherMessageInsideCopyInEndsTheConnection() {
        assertSame((c, t) -> {
            table(c);
            c.query(INTO).readUntil('G');
            c.copyData("1\tone\n").query("SELECT 'in the middle'");
            t.expect("EE!", c.readUntilReady());
        });
    }

    @Test
    void extendedCopyInTakesItsSyncAfterCopyDone() {
        assertSame((c, t) -> {
            table(c);
            c.parse("", INTO)
                    .describeStatement("")
                    .bind("", "")
                    .describePortal("")
                    .execute("")
                    .flush();
            t.expect("1tn2nG", c.readUntil('G'));
            t.expect("CZ", c.copyData("1\tone\n").copyDone().sync().readUntilReady());
            count(c);
        });
    }

    @Test
    void extendedCopyInWithAnEarlySyncNeedsAnotherOne() {
        assertSame((c, t) -> {
            table(c);
            c.batch(b -> b.parse("", INTO).bind("", "").execute("").sync());
            t.expect("12G", c.readUntil('G'));
            c.copyData("1\tone\n").copyDone();
            t.expect("C", c.flush().readUntil('C'));
            t.expect("", c.readAvailable(50));
            t.expect("Z", c.sync().readUntilReady());
            count(c);
        });
    }

    /** As tokio-postgres does it; what else is in its batch must not make the last Sync wait for an answer. */
    @Test
    void anEarlySyncDoesNotMakeTheLastOneWait() {
        assertSame((c, t) -> {
            table(c);
            c.batch(b -> b.parse("named", INTO).bind("", "named").execute("").sync());
            t.expect("12G", c.readUntil('G'));
            t.expect("CZ", c.copyData("1\tone\n").copyDone().sync().readUntilReady());
            c.batch(b -> b.bind("", "named").execute("").sync());
            t.expect("2G", c.readUntil('G'));
            t.expect("CZ", c.copyData("2\ttwo\n").copyDone().sync().readUntilReady());
            c.batch(b -> b.parse("", "BEGIN")
                    .bind("", "")
                    .execute("")
                    .parse("", "SET LOCAL work_mem = '1MB'")
                    .bind("", "")
                    .execute("")
                    .parse("", INTO)
                    .bind("", "")
                    .execute("")
                    .sync());
            t.expect("12C12C12G", c.readUntil('G'));
            t.expect("CZ", c.copyData("3\tthree\n").copyDone().sync().readUntilReady());
            t.expect("CZ", c.query("COMMIT").readUntilReady());
            count(c);
        });
    }

    @Test
    void extendedCopyInPipelinedWithItsDataAndMore() {
        assertSame((c, t) -> {
            table(c);
            c.batch(b -> b.parse("", INTO)
                    .bind("", "")
                    .execute("")
                    .copyData("1\tone\n")
                    .copyDone()
                    .parse("", "SELECT count(*) FROM copied")
                    .bind("", "")
                    .execute("")
                    .sync());
            t.expect("12GC12DCZ", c.readUntilReady());
        });
    }

    @Test
    void extendedCopyFailAndBadDataSkipToSync() {
        assertSame((c, t) -> {
            table(c);
            c.parse("", INTO).bind("", "").execute("").flush();
            c.readUntil('G');
            c.copyFail("no").flush();
            t.expect("E", c.readUntil('E'));
            c.parse("", "SELECT 1").bind("", "").execute("");
            t.expect("Z", c.sync().readUntilReady());
            c.batch(b -> b.parse("", INTO)
                    .bind("", "")
                    .execute("")
                    .copyData("not a number\tx\n")
                    .copyDone()
                    .parse("", "SELECT 'skipped'")
                    .bind("", "")
                    .execute("")
                    .sync()
                    .query("SELECT 'after'"));
            t.expect("12GEZTDCZ", c.readUntilReady(2));
        });
    }

    @Test
    void extendedCopyOutGivesRowsBetweenOthers() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "COPY (SELECT generate_series(1, 2)) TO STDOUT")
                    .bind("", "")
                    .describePortal("")
                    .execute("")
                    .parse("", "SELECT 1")
                    .bind("", "")
                    .execute("")
                    .sync());
            t.expect("12nHddcC12DCZ", c.readUntilReady());
        });
    }

    @Test
    void copyDoneTwiceIsHarmless() {
        assertSame((c, t) -> {
            table(c);
            c.query(INTO).readUntil('G');
            t.expect("CZ", c.copyData("1\tone\n").copyDone().copyDone().readUntilReady());
            t.expect("TDCZ", c.query("SELECT 1").readUntilReady());
        });
    }

    @Test
    void copyInsideAFailedTransactionIsRefused() {
        assertSame((c, t) -> {
            table(c);
            c.query("BEGIN; SELECT 1/0").readUntilReady();
            t.expect("EZ", c.query(INTO).readUntilReady());
            c.copyData("1\tone\n").copyDone();
            t.expect("CZ", c.query("ROLLBACK").readUntilReady());
            count(c);
        });
    }

    @Test
    void terminateInTheMiddleOfCopyInUndoesIt() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS half_copied; CREATE TABLE half_copied (a int)");
            c.query("COPY half_copied FROM STDIN").readUntil('G');
            c.copyData("1\n").terminate().close();
            t.another("d").query("SELECT count(*) FROM half_copied").readUntilReady();
            t.quietly("DROP TABLE half_copied");
        });
    }
}
