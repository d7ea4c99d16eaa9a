package dev.pgproxy;

import static dev.pgproxy.testing.Message.types;
import static dev.pgproxy.testing.Transcript.assertSame;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Transcript;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Prepared statements of the protocol and of SQL, which share one namespace per session. */
final class PreparedIT {
    /** On the one server of its pool, wherever else there are replicas. */
    private static final String SELECT_MIGRATED = "/* pgproxy: primary */ SELECT * FROM migrated";

    /** What the session believes it has, in the order of preparation. */
    private static void list(RawClient c) {
        c.query("SELECT name, statement, parameter_types, from_sql FROM pg_prepared_statements ORDER BY name")
                .readUntilReady();
    }

    private static void run(RawClient c, Transcript t, String types, String statement, String... values) {
        c.batch(b ->
                b.bind("", statement, values).describePortal("").execute("").sync());
        t.expect(types, c.readUntilReady());
    }

    @Test
    void aNamedStatementIsUsedAgainAndAgain() {
        assertSame((c, t) -> {
            c.parse("twice", "SELECT 2 * $1::int").sync().readUntilReady();
            for (int i = 0; i < 12; i++) {
                run(c, t, "2TDCZ", "twice", Integer.toString(i));
            }
            t.expect("3Z", c.closeStatement("twice").sync().readUntilReady());
            t.expect("EZ", c.bind("", "twice", "1").sync().readUntilReady());
        });
    }

    @Test
    void theUnnamedStatementLastsUntilTheNextParseOrSimpleQuery() {
        assertSame((c, t) -> {
            c.parse("", "SELECT 'first'").sync().readUntilReady();
            run(c, t, "2TDCZ", "");
            run(c, t, "2TDCZ", "");
            c.parse("", "SELECT 'second'").sync().readUntilReady();
            run(c, t, "2TDCZ", "");
            c.parse("", "SELEC").sync().readUntilReady();
            t.expect("EZ", c.bind("", "").sync().readUntilReady());
            c.parse("", "SELECT 'third'").sync().readUntilReady();
            c.query("SELECT 1").readUntilReady();
            t.expect("EZ", c.bind("", "").sync().readUntilReady());
            c.parse("", "SELECT 'fourth'").sync().readUntilReady();
            c.query("").readUntilReady();
            c.bind("", "").execute("").sync().readUntilReady();
        });
    }

    @Test
    void aNameCannotBeParsedTwice() {
        assertSame((c, t) -> {
            t.expect("1Z", c.parse("s", "SELECT 1").sync().readUntilReady());
            t.expect("EZ", c.parse("s", "SELECT 2").sync().readUntilReady());
            t.expect("EZ", c.parse("s", "SELECT 1").sync().readUntilReady());
            run(c, t, "2TDCZ", "s");
            t.expect("31Z", c.closeStatement("s").parse("s", "SELECT 2").sync().readUntilReady());
            run(c, t, "2TDCZ", "s");
        });
    }

    @Test
    void errorsNameTheStatementAsTheClientDoes() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            String text = "SELECT $1::int AS asked";
            c.parse("theirs", text).sync().readUntilReady();
            d.parse("mine", text).parse("mine_too", text).sync().readUntilReady();
            for (String name : new String[] {"mine", "mine_too", "theirs", "theirs_too"}) {
                t.expect("EZ", d.bind("", name).sync().readUntilReady());
                d.describeStatement(name).sync().readUntilReady();
            }
            d.parse("theirs", "SELECT 2").sync().readUntilReady();
            t.expect("EZ", d.bind("", "theirs", "1").sync().readUntilReady());
            t.expect("EZ", d.bind("", "mine", "theirs").execute("").sync().readUntilReady());
            t.expect("EZ", c.bind("", "theirs").sync().readUntilReady());
            t.expect("EZ", c.bind("", "mine").sync().readUntilReady());
            t.expect("EZ", d.query("EXECUTE mine_too").readUntilReady());
            t.expect("EZ", d.query("EXECUTE mine(1, 2)").readUntilReady());
            t.expect("EZ", d.query("PREPARE mine AS SELECT 1").readUntilReady());
            t.expect("EZ", d.parse("mine_too", text).sync().readUntilReady());
            t.expect("EZ", c.query("DEALLOCATE mine").readUntilReady());
            t.expect("EZ", c.query("SELECT 'pgproxy_1'::text::int").readUntilReady());
        });
    }

    @Test
    void aFailedTransactionTakesThePreparationOfItsEnd() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            String[] texts = {
                "ROLLBACK", "COMMIT", "ROLLBACK TO s", "ABORT", "", "SELECT 1", "BEGIN", "ROLLBACK; SELECT 1"
            };
            for (int i = 0; i < texts.length; i++) {
                c.parse("c" + i, texts[i]).sync().readUntilReady();
            }
            t.expect("CCEZ", d.query("BEGIN; SAVEPOINT s; SELECT 1/0").readUntilReady());
            for (int i = 0; i < texts.length; i++) {
                d.parse("d" + i, texts[i]).sync().readUntilReady();
                d.parse("c" + i, texts[i]).describeStatement("c" + i).sync().readUntilReady();
            }
            run(d, t, "2nCZ", "d2");
            t.expect("TDCZ", d.query("SELECT 2").readUntilReady());
            d.query("SELECT 1/0").readUntilReady();
            run(d, t, "2nCZ", "c1");
            run(d, t, "EZ", "d5");
            d.query("BEGIN; SELECT 1/0").readUntilReady();
            d.batch(b -> b.bind("", "d0")
                    .execute("")
                    .parse("behind", "SELECT 1")
                    .bind("", "behind")
                    .execute("")
                    .sync());
            t.expect("2C12DCZ", d.readUntilReady());
        });
    }

    @Test
    void aFailedParseLeavesNoStatement() {
        assertSame((c, t) -> {
            t.expect(
                    "EZ",
                    c.parse("s", "SELECT * FROM no_such_table_at_all").sync().readUntilReady());
            t.expect("EZ", c.bind("", "s").execute("").sync().readUntilReady());
            c.batch(b ->
                    b.parse("s", "SELECT nonsense").bind("", "s").execute("").sync());
            t.expect("EZ", c.readUntilReady());
            c.batch(b -> b.parse("s", "SELECT 'now it works'")
                    .bind("", "s")
                    .execute("")
                    .sync());
            t.expect("12DCZ", c.readUntilReady());
        });
    }

    @Test
    void aStatementParsedBeforeAnErrorOfTheSamePipelineStays() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("kept", "SELECT 'kept'")
                    .parse("broken", "SELEC")
                    .parse("lost", "SELECT 1")
                    .sync());
            t.expect("1EZ", c.readUntilReady());
            run(c, t, "2TDCZ", "kept");
            t.expect("EZ", c.bind("", "lost").sync().readUntilReady());
            c.query("BEGIN").readUntilReady();
            t.expect("1Z", c.parse("in_transaction", "SELECT 'survives'").sync().readUntilReady());
            c.query("ROLLBACK").readUntilReady();
            run(c, t, "2TDCZ", "in_transaction");
        });
    }

    @Test
    void sessionsDoNotShareNames() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            c.parse("s", "SELECT 'of c', $1::text").sync().readUntilReady();
            d.parse("s", "SELECT 'of d', $1::int").sync().readUntilReady();
            for (int i = 0; i < 3; i++) {
                run(c, t, "2TDCZ", "s", "a");
                run(d, t, "2TDCZ", "s", "1");
            }
            c.closeStatement("s").sync().readUntilReady();
            run(d, t, "2TDCZ", "s", "2");
            t.expect("EZ", c.bind("", "s", "a").sync().readUntilReady());
        });
    }

    @Test
    void sqlSeesTheStatementsOfItsOwnSessionOnly() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            c.parse("mine", "SELECT 'of c'").sync();
            t.expect("1Z", c.readUntilReady());
            d.query("EXECUTE mine").readUntilReady();
            d.query("DEALLOCATE mine").readUntilReady();
            list(d);
            d.query("PREPARE mine AS SELECT 'of d';").readUntilReady();
            d.query("EXECUTE mine").readUntilReady();
            c.query("EXECUTE mine").readUntilReady();
            list(c);
            list(d);
            d.parse("other", "SELECT 'of c'").sync();
            t.expect("1Z", d.readUntilReady());
            d.query("EXECUTE other; EXECUTE mine").readUntilReady();
            d.query("EXPLAIN (COSTS OFF) EXECUTE other").readUntilReady();
            c.query("BEGIN").readUntilReady();
            c.query("EXECUTE mine; EXECUTE other").readUntilReady();
            c.query("ROLLBACK").readUntilReady();
            d.batch(b -> b.parse("", "EXECUTE other").bind("", "").execute("").sync());
            t.expect("12DCZ", d.readUntilReady());
            list(d);
        });
    }

    @Test
    void aStatementThatCannotBePreparedAnyMoreDoesNotDisturbTheView() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS vanishing; CREATE TABLE vanishing (a int)");
            c.parse("gone", "SELECT * FROM vanishing").sync();
            t.expect("1Z", c.readUntilReady());
            c.query("DROP TABLE vanishing").readUntilReady();
            RawClient d = t.another("d");
            list(d);
            c.query("SELECT count(*) >= 0 FROM pg_prepared_statements").readUntilReady();
            c.query("SELECT 'next'").readUntilReady();
        });
    }

    @Test
    void manyStatementsOfOneSessionAreAllKept() {
        assertSame((c, t) -> {
            for (int i = 0; i < 300; i++) {
                c.parse("many_" + i, "SELECT " + i + " + $1::int").sync();
                t.expect("1Z", c.readUntilReady());
            }
            for (int i = 299; i >= 0; i -= 7) {
                run(c, t, "2TDCZ", "many_" + i, "1000");
            }
            c.query("SELECT count(*) FROM pg_prepared_statements").readUntilReady();
        });
    }

    @Test
    void givenParameterTypesArePartOfTheStatement() {
        assertSame((c, t) -> {
            c.parse("as_text", "SELECT pg_typeof($1), $1", 25).sync().readUntilReady();
            c.parse("as_int", "SELECT pg_typeof($1), $1", 23).sync().readUntilReady();
            c.parse("as_json", "SELECT pg_typeof($1), $1", 114).sync().readUntilReady();
            run(c, t, "2TDCZ", "as_text", "1");
            run(c, t, "2TDCZ", "as_int", "1");
            run(c, t, "2TDCZ", "as_json", "1");
            t.expect("tTZ", c.describeStatement("as_int").sync().readUntilReady());
        });
    }

    @Test
    void sqlPrepareExecuteAndDeallocateWork() {
        assertSame((c, t) -> {
            c.query("PREPARE add (int, int) AS SELECT $1 + $2").readUntilReady();
            c.query("EXECUTE add (1, 2)").readUntilReady();
            c.query("EXECUTE add (1 + 1, '40')").readUntilReady();
            c.query("EXECUTE add (1)").readUntilReady();
            c.query("EXECUTE nobody").readUntilReady();
            c.query("PREPARE add AS SELECT 1").readUntilReady();
            c.query("EXPLAIN (COSTS OFF) EXECUTE add (1, 2)").readUntilReady();
            list(c);
            c.query("DEALLOCATE add").readUntilReady();
            c.query("DEALLOCATE PREPARE add").readUntilReady();
            c.query("EXECUTE add (1, 2)").readUntilReady();
            list(c);
        });
    }

    @Test
    void sqlPreparedStatementsSurviveARollback() {
        assertSame((c, t) -> {
            c.query("BEGIN; PREPARE one AS SELECT 1; ROLLBACK").readUntilReady();
            c.query("EXECUTE one").readUntilReady();
            c.query("BEGIN; DEALLOCATE one; ROLLBACK").readUntilReady();
            c.query("EXECUTE one").readUntilReady();
            c.query("PREPARE two AS SELECT 2; SELECT 1/0").readUntilReady();
            c.query("EXECUTE two").readUntilReady();
        });
    }

    @Test
    void protocolAndSqlStatementsShareOneNamespace() {
        assertSame((c, t) -> {
            c.query("PREPARE from_sql (int) AS SELECT 'sql', $1").readUntilReady();
            run(c, t, "2TDCZ", "from_sql", "1");
            t.expect("tTZ", c.describeStatement("from_sql").sync().readUntilReady());
            t.expect("EZ", c.parse("from_sql", "SELECT 1").sync().readUntilReady());
            c.parse("from_protocol", "SELECT 'protocol', $1::int").sync().readUntilReady();
            c.query("EXECUTE from_protocol (2)").readUntilReady();
            c.query("PREPARE from_protocol AS SELECT 1").readUntilReady();
            list(c);
            c.query("DEALLOCATE from_protocol").readUntilReady();
            t.expect("EZ", c.bind("", "from_protocol", "1").sync().readUntilReady());
            t.expect("3Z", c.closeStatement("from_sql").sync().readUntilReady());
            c.query("EXECUTE from_sql (1)").readUntilReady();
        });
    }

    @Test
    void namesAreFoldedInSqlButNotInTheProtocol() {
        assertSame((c, t) -> {
            c.query("PREPARE Mixed AS SELECT 'folded'; PREPARE \"Mixed\" AS SELECT 'quoted'")
                    .readUntilReady();
            run(c, t, "2TDCZ", "Mixed");
            run(c, t, "2TDCZ", "mixed");
            c.query("DEALLOCATE MIXED").readUntilReady();
            run(c, t, "2TDCZ", "Mixed");
            list(c);
        });
    }

    @Test
    void prepareExecuteAndDeallocateWorkInsideExtendedQueries() {
        assertSame((c, t) -> {
            for (String sql :
                    new String[] {"PREPARE p (int) AS SELECT $1", "EXECUTE p (5)", "DEALLOCATE p", "EXECUTE p (5)"}) {
                c.batch(b -> b.parse("", sql)
                        .bind("", "")
                        .describePortal("")
                        .execute("")
                        .sync());
                c.readUntilReady();
            }
        });
    }

    @Test
    void deallocateAllAndDiscardForgetEverything() {
        assertSame((c, t) -> {
            c.query("PREPARE a AS SELECT 1").readUntilReady();
            c.parse("b", "SELECT 2").sync().readUntilReady();
            c.query("DISCARD PLANS").readUntilReady();
            run(c, t, "2TDCZ", "b");
            c.query("DEALLOCATE ALL").readUntilReady();
            t.expect("EZ", c.bind("", "b").sync().readUntilReady());
            list(c);
            c.parse("b", "SELECT 'again'").sync().readUntilReady();
            run(c, t, "2TDCZ", "b");
            c.query("DISCARD ALL").readUntilReady();
            t.expect("EZ", c.bind("", "b").sync().readUntilReady());
            c.query("EXECUTE a").readUntilReady();
            t.expect("1Z", c.parse("b", "SELECT 'and again'").sync().readUntilReady());
            run(c, t, "2TDCZ", "b");
        });
    }

    @Test
    void aStatementFollowsTheSearchPath() {
        assertSame((c, t) -> {
            t.quietly(
                    "DROP SCHEMA IF EXISTS path_a, path_b CASCADE; CREATE SCHEMA path_a; CREATE SCHEMA path_b;"
                            + " CREATE TABLE path_a.here AS SELECT 'in a' AS v; CREATE TABLE path_b.here AS SELECT 'in b' AS v");
            c.query("SET search_path = path_a").readUntilReady();
            c.parse("s", "SELECT v FROM here").sync().readUntilReady();
            run(c, t, "2TDCZ", "s");
            c.query("SET search_path = path_b").readUntilReady();
            run(c, t, "2TDCZ", "s");
            c.query("SET search_path = path_a, path_b; SELECT v FROM here").readUntilReady();
            run(c, t, "2TDCZ", "s");
            t.quietly("DROP SCHEMA path_a, path_b CASCADE");
        });
    }

    @Test
    void aChangedResultTypeIsAnErrorOfTheStatement() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS changing; CREATE TABLE changing AS SELECT 1 AS a");
            c.query("BEGIN").readUntilReady();
            c.parse("s", "SELECT * FROM changing").sync().readUntilReady();
            run(c, t, "2TDCZ", "s");
            c.query("ALTER TABLE changing ADD COLUMN b int DEFAULT 2").readUntilReady();
            t.expect("EZ", c.bind("", "s").execute("").sync().readUntilReady());
            c.query("ROLLBACK").readUntilReady();
            run(c, t, "2TDCZ", "s");
            t.quietly("DROP TABLE changing");
        });
    }

    /** Where nothing tells pgproxy of it, as when a migration goes to PostgreSQL directly. */
    @Test
    void aSharedStatementIsPreparedAnewWhenATableHasChangedBehindIt() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy();
                RawClient old = under.proxied().login();
                RawClient young = under.proxied().login()) {
            under.direct().run("CREATE TABLE migrated AS SELECT 1 AS a");
            old.parse("s", SELECT_MIGRATED).sync().readUntilReady();
            assertThat(types(described(old, "s"))).isEqualTo("2TDCZ");
            under.direct().run("ALTER TABLE migrated ADD COLUMN b text DEFAULT 'new'");

            young.batch(b ->
                    b.parse("s", SELECT_MIGRATED).describeStatement("s").sync().query("SELECT 'behind'"));
            assertThat(types(young.readUntilReady())).isEqualTo("1tTZ");
            assertThat(types(young.readUntilReady())).isEqualTo("TDCZ");
            assertThat(Message.row(described(young, "s"))).containsExactly("1", "new");

            // it goes by a description of old: as by PostgreSQL, an error that can be acted on
            Message refused =
                    old.bind("", "s").execute("").sync().readUntilReady().getFirst();
            assertThat(refused.field('M')).isEqualTo("cached plan must not change result type");
            old.query("BEGIN").readUntilReady();
            assertThat(types(described(old, "s"))).isEqualTo("EZ");
            old.query("ROLLBACK").readUntilReady();
            assertThat(Message.row(described(old, "s"))).containsExactly("1", "new");
            assertThat(types(old.bind("", "s").execute("").sync().readUntilReady()))
                    .isEqualTo("2DCZ");
            under.direct().run("DROP TABLE migrated");
        }
    }

    private static List<Message> described(RawClient client, String name) {
        return client.bind("", name).describePortal("").execute("").sync().readUntilReady();
    }

    @Test
    void aStatementOfADroppedTableFailsAndComesBack() {
        assertSame((c, t) -> {
            c.query("CREATE TEMP TABLE comes_and_goes AS SELECT 1 AS a").readUntilReady();
            c.parse("s", "SELECT a FROM comes_and_goes").sync().readUntilReady();
            run(c, t, "2TDCZ", "s");
            c.query("DROP TABLE comes_and_goes").readUntilReady();
            t.expect("EZ", c.bind("", "s").execute("").sync().readUntilReady());
            c.query("CREATE TEMP TABLE comes_and_goes AS SELECT 2 AS a").readUntilReady();
            run(c, t, "2TDCZ", "s");
        });
    }

    @Test
    void describeAloneDoesNotNeedExecute() {
        assertSame((c, t) -> {
            c.parse("s", "SELECT $1::int AS a, $2::text AS b")
                    .describeStatement("s")
                    .flush();
            t.expect("1tT", c.readUntil('T'));
            c.bind("", "s", "1", "x").describePortal("").execute("").sync();
            t.expect("2TDCZ", c.readUntilReady());
            c.parse("i", "SET application_name = 'x'").describeStatement("i").sync();
            t.expect("1tnZ", c.readUntilReady());
        });
    }

    @Test
    void closeInsideAPipelineComesInItsTurn() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("s", "SELECT 1")
                    .bind("", "s")
                    .execute("")
                    .closeStatement("s")
                    .parse("s", "SELECT 'other'")
                    .bind("", "s")
                    .execute("")
                    .closeStatement("s")
                    .closeStatement("s")
                    .sync());
            t.expect("12DC312DC33Z", c.readUntilReady());
        });
    }

    @Test
    void aPortalOutlivesTheCloseOfItsStatementUntilSync() {
        assertSame((c, t) -> {
            c.query("BEGIN").readUntilReady();
            c.batch(b -> b.parse("s", "SELECT g FROM generate_series(1, 3) g")
                    .bind("p", "s")
                    .closeStatement("s")
                    .sync());
            t.expect("123Z", c.readUntilReady());
            c.execute("p").sync().readUntilReady();
            c.query("COMMIT").readUntilReady();
        });
    }
}
