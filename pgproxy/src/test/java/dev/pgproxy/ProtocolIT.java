package dev.pgproxy;

import static dev.pgproxy.testing.Transcript.assertSame;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Simple and extended queries, pipelines, portals, formats and sizes: the client hears what PostgreSQL says. */
final class ProtocolIT {
    private static final int INT4 = 23;
    private static final int TEXT = 25;
    private static final int BYTEA = 17;

    // ---- simple query

    @Test
    void severalStatementsInOneQueryAnswerInTurn() {
        assertSame((c, t) ->
                t.expect("TDCTDDCZ", c.query("SELECT 1 AS a; VALUES (2), (3)").readUntilReady()));
    }

    @Test
    void anEmptyQueryAnswersEmpty() {
        assertSame((c, t) -> {
            t.expect("IZ", c.query("").readUntilReady());
            t.expect("IZ", c.query(" ; ; -- nothing").readUntilReady());
            t.expect("IZ", c.query("/* only /* a nested */ comment */").readUntilReady());
            t.expect("TDCZ", c.query("; SELECT 1 ;").readUntilReady());
        });
    }

    @Test
    void anErrorInTheMiddleOfAQueryEndsItAndUndoesWhatWentBefore() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE undone (a int)").readUntilReady();
            t.expect(
                    "CTDEZ",
                    c.query("INSERT INTO undone VALUES (1); SELECT 1/(2-g) FROM generate_series(1,3) g; SELECT 3")
                            .readUntilReady());
            c.query("SELECT count(*) FROM undone").readUntilReady();
        });
    }

    @Test
    void aSyntaxErrorAnywhereRunsNothing() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE unborn (a int)").readUntilReady();
            t.expect(
                    "EZ",
                    c.query("INSERT INTO unborn VALUES (1); SELEC 2; SELECT 3").readUntilReady());
            c.query("SELECT count(*) FROM unborn").readUntilReady();
        });
    }

    @Test
    void noticesComeBetweenTheAnswers() {
        assertSame((c, t) -> {
            t.expect(
                    "NCTDCNCZ",
                    c.query(
                                    "DO $$ BEGIN RAISE NOTICE 'one %', 1; END $$; SELECT 2;"
                                            + " DO $$ BEGIN RAISE WARNING 'three' USING HINT = 'h', DETAIL = 'd', ERRCODE = '01234'; END $$")
                            .readUntilReady());
            t.expect("NCZ", c.query("DROP TABLE IF EXISTS no_such_table_at_all").readUntilReady());
            t.expect("CZ", c.query("SET client_min_messages = error").readUntilReady());
            t.expect("CZ", c.query("DROP TABLE IF EXISTS no_such_table_at_all").readUntilReady());
        });
    }

    @Test
    void everyFieldOfAnErrorArrives() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE child (a int CONSTRAINT positive CHECK (a > 0), b int NOT NULL)")
                    .readUntilReady();
            c.query("INSERT INTO child VALUES (-1, 1)").readUntilReady();
            c.query("INSERT INTO child VALUES (1, NULL)").readUntilReady();
            c.query("DO $$ BEGIN EXECUTE 'SELECT nonsense'; END $$").readUntilReady();
            c.query("DO $$ BEGIN RAISE EXCEPTION 'm' USING DETAIL='d', HINT='h', COLUMN='c', CONSTRAINT='k',"
                            + " DATATYPE='y', TABLE='t', SCHEMA='s', ERRCODE='P1234'; END $$")
                    .readUntilReady();
        });
    }

    @Test
    void commandTagsAreExact() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE tags (a int PRIMARY KEY, b text)").readUntilReady();
            c.query("INSERT INTO tags SELECT g, 'x' FROM generate_series(1, 10) g")
                    .readUntilReady();
            c.query("INSERT INTO tags VALUES (1, 'y') ON CONFLICT DO NOTHING").readUntilReady();
            c.query("UPDATE tags SET b = 'z' WHERE a < 4 RETURNING a, b").readUntilReady();
            c.query("DELETE FROM tags WHERE a > 100; DELETE FROM tags WHERE a = 1")
                    .readUntilReady();
            c.query("MERGE INTO tags USING (VALUES (2)) v (a) ON tags.a = v.a WHEN MATCHED THEN DELETE")
                    .readUntilReady();
            c.query("TRUNCATE tags; LOCK TABLE tags").readUntilReady();
            c.query("CREATE TEMP TABLE more AS SELECT 1 AS a; SELECT 2 AS a INTO TEMP yet_more")
                    .readUntilReady();
            c.query("EXPLAIN (COSTS OFF) SELECT 1; SHOW server_version_num").readUntilReady();
            c.query("WITH gone AS (DELETE FROM more RETURNING a) SELECT * FROM gone")
                    .readUntilReady();
        });
    }

    @Test
    void textThatLooksLikeSqlInsideLiteralsIsOnlyText() {
        assertSame((c, t) -> {
            c.query(
                            "SELECT 'a; DROP TABLE x; --', E'\\'; ROLLBACK', $tag$; COMMIT; $tag$, \"t;\".* FROM (VALUES (1)) \"t;\"")
                    .readUntilReady();
            c.query("SELECT /* ; BEGIN; */ 1 -- ; BEGIN").readUntilReady();
            c.query("SELECT U&'d\\0061t\\+000061', 'grüße 🐘', '' AS \"ein Name\"")
                    .readUntilReady();
        });
    }

    // ---- extended query

    @Test
    void everyExtendedMessageIsAnsweredInOrder() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("s", "SELECT $1::int + 1 AS sum", INT4)
                    .describeStatement("s")
                    .bind("p", "s", "41")
                    .describePortal("p")
                    .execute("p")
                    .closePortal("p")
                    .closeStatement("s")
                    .sync());
            t.expect("1tT2TDC33Z", c.readUntilReady());
        });
    }

    @Test
    void extendedMessagesSentOneByOneAreAnsweredAtFlush() {
        assertSame((c, t) -> {
            c.parse("", "SELECT 7").flush();
            t.expect("1", c.readUntil('1'));
            c.describeStatement("").flush();
            t.expect("tT", c.readUntil('T'));
            c.bind("", "").flush();
            t.expect("2", c.readUntil('2'));
            c.execute("").flush();
            t.expect("DC", c.readUntil('C'));
            c.sync();
            t.expect("Z", c.readUntilReady());
        });
    }

    @Test
    void flushAloneAndSyncAloneAreHarmless() {
        assertSame((c, t) -> {
            t.expect("Z", c.sync().readUntilReady());
            t.expect(
                    "ZZZ",
                    c.batch(b -> b.sync().flush().sync().flush().flush().sync()).readUntilReady(3));
            t.expect("", c.flush().readAvailable(50));
            t.expect("TDCZ", c.query("SELECT 1").readUntilReady());
        });
    }

    @Test
    void anErrorSkipsEverythingUpToSync() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "SELECT 1/$1::int")
                    .bind("", "", "0")
                    .execute("")
                    .bind("", "", "1")
                    .execute("")
                    .parse("skipped", "SELECT 2")
                    .describeStatement("nobody")
                    .flush()
                    .query("SELECT 'this simple query is skipped too'")
                    .sync());
            t.expect("1EZ", c.readUntilReady());
            t.expect("EZ", c.describeStatement("skipped").sync().readUntilReady());
        });
    }

    @Test
    void anErrorAtFlushIsHeardBeforeSync() {
        assertSame((c, t) -> {
            c.parse("", "SELEC").flush();
            t.expect("E", c.readUntil('E'));
            c.parse("", "SELECT 1").bind("", "").execute("").flush();
            t.expect("", c.readAvailable(50));
            t.expect("Z", c.sync().readUntilReady());
            c.batch(b -> b.parse("", "SELECT 1").bind("", "").execute("").sync());
            t.expect("12DCZ", c.readUntilReady());
        });
    }

    @Test
    void aPipelineOfManySyncsAnswersEach() {
        assertSame((c, t) -> {
            c.batch(b -> {
                for (int i = 0; i < 100; i++) {
                    String text = i % 7 == 3 ? "SELECT 1/0" : "SELECT " + i;
                    b.parse("", text)
                            .bind("", "")
                            .describePortal("")
                            .execute("")
                            .sync();
                }
            });
            c.readUntilReady(100);
        });
    }

    @Test
    void simpleAndExtendedQueriesMixInOnePipeline() {
        assertSame((c, t) -> {
            c.batch(b -> b.query("SELECT 'a'")
                    .parse("", "SELECT 'b'")
                    .bind("", "")
                    .execute("")
                    .sync()
                    .query("SELECT 'c'; SELECT 1/0; SELECT 'd'")
                    .parse("", "SELECT 'e'")
                    .bind("", "")
                    .execute("")
                    .sync()
                    .query(""));
            t.expect("TDCZ12DCZTDCEZ12DCZIZ", c.readUntilReady(5));
        });
    }

    @Test
    void aSimpleQueryInsteadOfSyncEndsThePipeline() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "SELECT 'b'").bind("", "").execute("").query("SELECT 'c'"));
            t.expect("12DCTDCZ", c.readUntilReady());
        });
    }

    @Test
    void anEmptyStatementCanBePreparedAndExecuted() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "")
                    .describeStatement("")
                    .bind("", "")
                    .describePortal("")
                    .execute("")
                    .sync());
            t.expect("1tn2nIZ", c.readUntilReady());
        });
    }

    @Test
    void severalStatementsInOneParseAreRefused() {
        assertSame((c, t) ->
                t.expect("EZ", c.parse("", "SELECT 1; SELECT 2").sync().readUntilReady()));
    }

    @Test
    void noticesComeInsideExtendedQueries() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "DROP TABLE IF EXISTS no_such_table_at_all")
                    .bind("", "")
                    .execute("")
                    .sync());
            t.expect("12NCZ", c.readUntilReady());
        });
    }

    // ---- portals

    @Test
    void aPortalIsFetchedPartByPart() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "SELECT g FROM generate_series(1, 5) g")
                    .bind("p", "")
                    .execute("p", 2)
                    .flush());
            t.expect("12DDs", c.readUntil('s'));
            t.expect("DDs", c.execute("p", 2).flush().readUntil('s'));
            t.expect("DC", c.execute("p", 2).flush().readUntil('C'));
            t.expect("C", c.execute("p", 2).flush().readUntil('C'));
            t.expect("Z", c.sync().readUntilReady());
            t.expect("EZ", c.execute("p", 2).sync().readUntilReady());
        });
    }

    @Test
    void aSyncOutsideATransactionEndsAllPortals() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "SELECT g FROM generate_series(1, 5) g")
                    .bind("p", "")
                    .execute("p", 1)
                    .sync());
            t.expect("12DsZ", c.readUntilReady());
            t.expect("EZ", c.execute("p", 1).sync().readUntilReady());
        });
    }

    @Test
    void aPortalLivesThroughSyncsInATransaction() {
        assertSame((c, t) -> {
            c.query("BEGIN").readUntilReady();
            c.batch(b -> b.parse("", "SELECT g FROM generate_series(1, 5) g")
                    .bind("p", "")
                    .execute("p", 1)
                    .sync());
            t.expect("12DsZ", c.readUntilReady());
            c.batch(b -> b.parse("other", "SELECT 'between'")
                    .bind("", "other")
                    .execute("")
                    .sync());
            t.expect("12DCZ", c.readUntilReady());
            t.expect("DDsZ", c.execute("p", 2).sync().readUntilReady());
            t.expect("TDCZ", c.query("FETCH 1 FROM p").readUntilReady());
            t.expect("3Z", c.closePortal("p").sync().readUntilReady());
            t.expect("EZ", c.execute("p", 2).sync().readUntilReady());
            t.expect("CZ", c.query("COMMIT").readUntilReady());
        });
    }

    @Test
    void aNamedPortalCannotBeBoundTwice() {
        assertSame((c, t) -> {
            c.query("BEGIN").readUntilReady();
            c.batch(b -> b.parse("", "SELECT 1").bind("p", "").bind("p", "").sync());
            t.expect("12EZ", c.readUntilReady());
            c.query("ROLLBACK").readUntilReady();
            c.batch(b -> b.parse("", "SELECT 1")
                    .bind("", "")
                    .bind("", "")
                    .execute("")
                    .sync());
            t.expect("122DCZ", c.readUntilReady());
        });
    }

    @Test
    void aSqlCursorIsAPortal() {
        assertSame((c, t) -> {
            c.query("BEGIN; DECLARE k CURSOR FOR SELECT g, 'x' || g FROM generate_series(1, 4) g")
                    .readUntilReady();
            c.batch(b -> b.describePortal("k").execute("k", 2).sync());
            t.expect("TDDsZ", c.readUntilReady());
            t.expect("TDCTDCZ", c.query("FETCH k; FETCH FORWARD 5 FROM k").readUntilReady());
            t.expect("3Z", c.closePortal("k").sync().readUntilReady());
            t.expect("EZ", c.query("FETCH k").readUntilReady());
            t.expect("CZ", c.query("COMMIT").readUntilReady());
        });
    }

    @Test
    void unknownPortalsAndStatementsAreErrorsButTheirCloseIsNot() {
        assertSame((c, t) -> {
            t.expect("EZ", c.execute("nobody").sync().readUntilReady());
            t.expect("EZ", c.describePortal("nobody").sync().readUntilReady());
            t.expect("EZ", c.describeStatement("nobody").sync().readUntilReady());
            t.expect("EZ", c.bind("", "nobody").sync().readUntilReady());
            t.expect(
                    "33Z",
                    c.closePortal("nobody").closeStatement("nobody").sync().readUntilReady());
            t.expect("33Z", c.closePortal("").closeStatement("").sync().readUntilReady());
        });
    }

    @Test
    void dataChangingStatementsWithRowLimitsRunToTheEnd() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE moved (a int)").readUntilReady();
            c.batch(b -> b.parse("", "INSERT INTO moved SELECT generate_series(1, 5) RETURNING a")
                    .bind("", "")
                    .execute("", 2)
                    .execute("", 2)
                    .execute("", 2)
                    .sync());
            c.readUntilReady();
            c.query("SELECT count(*) FROM moved").readUntilReady();
        });
    }

    // ---- formats and values

    @Test
    void binaryParametersAndResultsAreNotTouched() {
        assertSame((c, t) -> {
            byte[] seven = ByteBuffer.allocate(4).putInt(7).array();
            byte[] bytes = {0, 1, (byte) 0xff, '\n', 0};
            c.batch(b -> b.parse("", "SELECT $1::int, $2::bytea, $3::text, 1.5::float8, true, NULL", INT4, BYTEA, TEXT)
                    .bind("", "", new int[] {1, 1, 0}, List.of(seven, bytes, "x".getBytes(UTF_8)), new int[] {1})
                    .describePortal("")
                    .execute("")
                    .sync());
            t.expect("12TDCZ", c.readUntilReady());
            c.batch(b -> b.parse("", "SELECT $1::int, $1::int", INT4)
                    .bind("", "", new int[] {1}, List.of(seven), new int[] {0, 1})
                    .describePortal("")
                    .execute("")
                    .sync());
            t.expect("12TDCZ", c.readUntilReady());
        });
    }

    @Test
    void wrongFormatCountsAndValuesAreErrors() {
        assertSame((c, t) -> {
            t.expect("1Z", c.parse("s", "SELECT $1::int, $2::int").sync().readUntilReady());
            byte[] one = "1".getBytes(UTF_8);
            c.bind("", "s", new int[] {0, 0, 0}, List.of(one, one), new int[0]).sync();
            t.expect("EZ", c.readUntilReady());
            c.bind("", "s", new int[0], List.of(one), new int[0]).sync();
            t.expect("EZ", c.readUntilReady());
            c.bind("", "s", new int[0], List.of(one, one), new int[] {1, 1, 1})
                    .execute("")
                    .sync();
            t.expect("EZ", c.readUntilReady());
            c.bind("", "s", new int[] {7}, List.of(one, one), new int[0]).sync();
            t.expect("EZ", c.readUntilReady());
            c.bind("", "s", new int[] {1}, List.of(one, one), new int[0]).sync();
            t.expect("EZ", c.readUntilReady());
            t.expect("EZ", c.bind("", "s", "1", "two").sync().readUntilReady());
        });
    }

    @Test
    void nullsAndEmptyStringsStayApart() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "SELECT $1::text, $2::text, $1 IS NULL, $2 = ''")
                    .bind("", "", null, "")
                    .execute("")
                    .sync());
            t.expect("12DCZ", c.readUntilReady());
        });
    }

    @Test
    void parameterTypesAreInferredAndDescribed() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("a", "SELECT * FROM pg_class WHERE oid = $1 AND relname = $2 LIMIT $3")
                    .describeStatement("a")
                    .parse("b", "SELECT $1", 0)
                    .describeStatement("b")
                    .parse("c", "INSERT INTO pg_am VALUES ($1)")
                    .describeStatement("c")
                    .sync());
            t.expect("1tT1tT1tnZ", c.readUntilReady());
            t.expect("EZ", c.parse("d", "SELECT $1 + $2").sync().readUntilReady());
            t.expect("EZ", c.parse("e", "SELECT $2").sync().readUntilReady());
        });
    }

    @Test
    void rowsWithoutColumnsAndWithManyColumnsArrive() {
        assertSame((c, t) -> {
            t.expect("TDDCZ", c.query("SELECT FROM generate_series(1, 2)").readUntilReady());
            StringBuilder columns = new StringBuilder("SELECT 0");
            for (int i = 1; i < 1600; i++) {
                columns.append(',').append(i);
            }
            t.expect("TDCZ", c.query(columns.toString()).readUntilReady());
        });
    }

    @Test
    void aStatementWithVeryManyParametersIsBound() {
        assertSame((c, t) -> {
            int count = 65535;
            StringBuilder sql = new StringBuilder("SELECT count(*), sum(a) FROM (VALUES ($1::int)");
            for (int i = 2; i <= count; i++) {
                sql.append(",($").append(i).append("::int)");
            }
            String[] values = new String[count];
            Arrays.fill(values, "2");
            c.parse("", sql.append(") v (a)").toString())
                    .bind("", "", values)
                    .execute("")
                    .sync();
            t.expect("12DCZ", c.readUntilReady());
        });
    }

    // ---- sizes

    @Test
    void aResultOfFiveMegabytesArrivesWhole() {
        assertSame((c, t) -> c.query("SELECT g, repeat(md5(g::text), 320) FROM generate_series(1, 500) g")
                .readUntilReady());
    }

    @Test
    void oneValueOfFiveMegabytesArrivesWhole() {
        assertSame((c, t) ->
                c.query("SELECT repeat('0123456789', 500000), 'after'").readUntilReady());
    }

    @Test
    void aBoundValueOfTwoMegabytesArrivesWhole() {
        assertSame((c, t) -> {
            byte[] value = new byte[2 << 20];
            for (int i = 0; i < value.length; i++) {
                value[i] = (byte) (i * 31 ^ i >>> 8);
            }
            c.batch(b -> b.parse("", "SELECT length($1), md5($1), $1", BYTEA)
                    .bind("", "", new int[] {1}, List.of(value), new int[] {1})
                    .execute("")
                    .sync());
            t.expect("12DCZ", c.readUntilReady());
        });
    }

    @Test
    void aQueryTextOfOneMegabyteIsRun() {
        assertSame((c, t) -> t.expect(
                "TDCZ", c.query("SELECT length('" + "x".repeat(1 << 20) + "')").readUntilReady()));
    }

    // ---- function call

    @Test
    void aQueryTextLongerThanIsHeldIsRun() {
        assertSame((c, t) -> {
            String text = "v".repeat(17 << 20);
            t.expect("TDCZ", c.query("SELECT length('" + text + "')").readUntilReady());
            t.expect("EZ", c.query("SELECT nothing, length('" + text + "')").readUntilReady());
            t.expect("TDCZ", c.query("SELECT 'next'").readUntilReady());
        });
    }

    @Test
    void aPipelineAnswersBeforeItsSyncOnceItIsLong() {
        assertSame((c, t) -> {
            c.batch(b -> {
                b.parse("long", "SELECT $1 || repeat('r', 1000)")
                        .bind("", "long", "first")
                        .execute("");
                for (int i = 0; i < 200; i++) {
                    b.bind("", "long", "v".repeat(1000)).execute("");
                }
            });
            for (int i = 0; i < 100; i++) {
                c.readUntil('C');
            }
            c.bind("", "long", "last").execute("").sync();
            c.readUntilReady();
        });
    }

    @Test
    void functionCallsAnswerInTextAndBinary() {
        assertSame((c, t) -> {
            int abs = 1397;
            byte[] minusFive = ByteBuffer.allocate(4).putInt(-5).array();
            c.functionCall(abs, new int[0], List.of("-5".getBytes(UTF_8)), 0);
            t.expect("VZ", c.readUntilReady());
            c.functionCall(abs, new int[] {1}, List.of(minusFive), 1);
            t.expect("VZ", c.readUntilReady());
            c.functionCall(abs, new int[0], List.of(), 0);
            t.expect("EZ", c.readUntilReady());
            c.functionCall(1, new int[0], List.of(), 0);
            t.expect("EZ", c.readUntilReady());
            c.query("BEGIN; SELECT 1/0").readUntilReady();
            c.functionCall(abs, new int[0], List.of("-5".getBytes(UTF_8)), 0);
            t.expect("EZ", c.readUntilReady());
        });
    }

    // ---- ends

    @Test
    void terminateInTheMiddleOfATransactionUndoesIt() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS left_open; CREATE TABLE left_open (a int)");
            c.query("BEGIN; INSERT INTO left_open VALUES (1)").readUntilReady();
            t.expect("!", c.terminate().readUntilClosed());
            t.another("d").query("SELECT count(*) FROM left_open").readUntilReady();
            t.quietly("DROP TABLE left_open");
        });
    }

    @Test
    void terminateBehindAPipelineLetsItFinish() {
        assertSame((c, t) -> {
            c.batch(b -> b.query("SELECT 'first'")
                    .parse("", "SELECT 'second'")
                    .bind("", "")
                    .execute("")
                    .sync()
                    .terminate());
            t.expect("TDCZ12DCZ!", c.readUntilClosed());
        });
    }
}
