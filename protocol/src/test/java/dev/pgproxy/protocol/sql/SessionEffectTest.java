package dev.pgproxy.protocol.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.sql.SessionEffect.Isolation;
import dev.pgproxy.protocol.sql.SessionEffect.SetConfig;
import dev.pgproxy.protocol.sql.SessionEffect.SetConfig.Argument;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SessionEffectTest {
    private static void assertEffect(String sql, SessionEffect effect) {
        assertThat(Analysis.single(sql).effect()).as(sql).isEqualTo(effect);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0001',
            value = {
                "SET TimeZone TO 'Europe/Rome' | timezone",
                "SET TIME ZONE 'Europe/Rome' | timezone",
                "SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE | timezone",
                "SET SESSION search_path = a, \"B\" | search_path",
                "SET SCHEMA 'a' | search_path",
                "SET NAMES 'utf8' | client_encoding",
                "SET XML OPTION DOCUMENT | xmloption",
                "SET \"DateStyle\" = iso | datestyle",
                "SET My.\"Var\" = 'x;y' | my.var",
                "SET U&\"x\\0079\" = 1 | xy",
                "SET a.b.c TO 1 | a.b.c",
            })
    void setNamesItsParameter(String sql, String name) {
        assertEffect(sql, new SessionEffect.SetParameter(name, sql, false));
    }

    @Test
    void setLocalIsLocalEvenWithDefault() {
        String local = "SET LOCAL x TO 1";
        assertEffect(" " + local + " ;", new SessionEffect.SetParameter("x", local, true));
        String reset = "SET LOCAL x TO DEFAULT";
        assertEffect(reset, new SessionEffect.SetParameter("x", reset, true));
        String zone = "SET LOCAL TIME ZONE LOCAL";
        assertEffect(zone, new SessionEffect.SetParameter("timezone", zone, true));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SET x TO DEFAULT | x",
                "SET x = DEFAULT | x",
                "RESET X | x",
                "RESET a.B | a.b",
                "SET TIME ZONE DEFAULT | timezone",
                "SET TIME ZONE LOCAL | timezone",
                "RESET TIME ZONE | timezone",
                "SET NAMES | client_encoding",
                "SET NAMES DEFAULT | client_encoding",
                "RESET TRANSACTION ISOLATION LEVEL | transaction_isolation",
            })
    void resetNamesItsParameter(String sql, String name) {
        assertEffect(sql, new SessionEffect.ResetParameter(name));
    }

    @Test
    void rolesAndSessionAuthorizationHaveManySpellings() {
        for (String sql : List.of("SET ROLE a", "SET ROLE NONE", "SET role TO 'a'", "SET SESSION ROLE \"A\"")) {
            assertEffect(sql, new SessionEffect.SetRole(sql, false));
        }
        assertEffect("SET LOCAL ROLE a", new SessionEffect.SetRole("SET LOCAL ROLE a", true));
        assertEffect("RESET ROLE", new SessionEffect.ResetRole());
        assertEffect("SET ROLE TO DEFAULT", new SessionEffect.ResetRole());
        for (String sql : List.of(
                "SET SESSION AUTHORIZATION a",
                "SET SESSION SESSION AUTHORIZATION a",
                "SET session_authorization = 'a'")) {
            assertEffect(sql, new SessionEffect.SetSessionAuthorization(sql, false));
        }
        String local = "SET LOCAL SESSION AUTHORIZATION a";
        assertEffect(local, new SessionEffect.SetSessionAuthorization(local, true));
        assertEffect("SET SESSION AUTHORIZATION DEFAULT", new SessionEffect.ResetSessionAuthorization());
        assertEffect("RESET SESSION AUTHORIZATION", new SessionEffect.ResetSessionAuthorization());
        assertEffect("RESET session_authorization", new SessionEffect.ResetSessionAuthorization());
    }

    @Test
    void settingsThatAreNotFollowedAreFlagged() {
        assertThat(Analysis.single("SET seed = 0.5").effect()).isEqualTo(new SessionEffect.SetSeed());
        for (String sql : List.of("SET seed TO 1", "SET x FROM CURRENT", "SET CATALOG 'x'", "SET", "LOAD 'x'")) {
            assertThat(Analysis.of(sql).has(StatementFlags.UNPREDICTABLE_STATE))
                    .as(sql)
                    .isTrue();
        }
    }

    @Test
    void whatOnlyLooksLikeBeginIsNot() {
        for (String sql : List.of(
                "BEGIN READ",
                "BEGIN READ SLOWLY",
                "BEGIN ISOLATION READ COMMITTED",
                "BEGIN ISOLATION LEVEL CHAOS",
                "BEGIN READ ONLY,",
                "BEGIN , READ ONLY",
                "BEGIN NOT READ ONLY",
                "START TRANSACTION WORK",
                "BEGIN TRANSACTION 1")) {
            assertThat(Analysis.of(sql).statements().getFirst().effect())
                    .as(sql)
                    .isNull();
        }
    }

    @Test
    void aBeginCanBeSaidAgain() {
        for (String sql : List.of(
                "BEGIN",
                "BEGIN READ WRITE",
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY NOT DEFERRABLE",
                "BEGIN ISOLATION LEVEL READ COMMITTED DEFERRABLE")) {
            assertThat(Analysis.of(sql).statements().getFirst().effect())
                    .isInstanceOfSatisfying(
                            SessionEffect.Begin.class,
                            begin -> assertThat(begin.sql()).isEqualTo(sql));
        }
    }

    @Test
    void transactionsAreRead() {
        assertEffect("BEGIN", new SessionEffect.Begin(null, null, null, "BEGIN"));
        assertEffect("BEGIN READ ONLY", new SessionEffect.Begin(true, null, null, "BEGIN"));
        assertEffect(
                "START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE, NOT DEFERRABLE",
                new SessionEffect.Begin(false, Isolation.READ_COMMITTED, false, "START TRANSACTION"));
        assertEffect(
                "BEGIN ISOLATION LEVEL READ UNCOMMITTED",
                new SessionEffect.Begin(null, Isolation.READ_UNCOMMITTED, null, "BEGIN"));
        assertEffect(
                "begin isolation level serializable deferrable",
                new SessionEffect.Begin(null, Isolation.SERIALIZABLE, true, "BEGIN"));
        String set = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
        assertEffect(set, new SessionEffect.SetTransaction(set, null, Isolation.REPEATABLE_READ));
        String snapshot = "SET TRANSACTION SNAPSHOT '00000003-1'";
        assertEffect(snapshot, new SessionEffect.SetTransaction(snapshot, null, null));
        String defaults = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY";
        assertEffect(defaults, new SessionEffect.SetCharacteristics(defaults));
        assertEffect("COMMIT WORK", new SessionEffect.Commit(false));
        assertEffect("END AND CHAIN", new SessionEffect.Commit(true));
        assertEffect("COMMIT AND NO CHAIN", new SessionEffect.Commit(false));
        assertEffect("ROLLBACK", new SessionEffect.Rollback(false));
        assertEffect("ABORT TRANSACTION AND CHAIN", new SessionEffect.Rollback(true));
        assertEffect("PREPARE TRANSACTION E'a\\'b'", new SessionEffect.PrepareTransaction("a'b"));
    }

    @Test
    void savepointsMayBeNamedSavepoint() {
        assertEffect("SAVEPOINT Abc", new SessionEffect.Savepoint("abc"));
        assertEffect("RELEASE \"Abc\"", new SessionEffect.Release("Abc"));
        assertEffect("RELEASE SAVEPOINT a", new SessionEffect.Release("a"));
        assertEffect("ROLLBACK TO savepoint", new SessionEffect.RollbackTo("savepoint"));
        assertEffect("ROLLBACK TO SAVEPOINT savepoint", new SessionEffect.RollbackTo("savepoint"));
    }

    @Test
    void preparedStatementsAreNamed() {
        String sql = "PREPARE \"P\" (int, text) AS SELECT $1";
        StatementFacts facts = Analysis.single(sql);
        assertThat(facts.effect()).isEqualTo(new SessionEffect.Prepare("P", sql, 0));
        assertThat(Analysis.single("PREPARE q AS INSERT INTO t VALUES (lastval())")
                        .effect())
                .isEqualTo(new SessionEffect.Prepare(
                        "q",
                        "PREPARE q AS INSERT INTO t VALUES (lastval())",
                        StatementFlags.WRITES | StatementFlags.CURRVAL));
        assertThat(sql.substring(facts.bodyStart())).isEqualTo("SELECT $1");
        for (String execute : List.of(
                "EXECUTE P (1, f(2))",
                "EXPLAIN EXECUTE p",
                "EXPLAIN (ANALYZE, FORMAT json) EXECUTE p(1)",
                "CREATE TABLE t AS EXECUTE p",
                "CREATE TEMP TABLE IF NOT EXISTS t (a, b) AS EXECUTE p(2)",
                "EXPLAIN ANALYZE CREATE TABLE t AS EXECUTE p")) {
            assertEffect(execute, new SessionEffect.Execute("p"));
        }
        assertEffect("DEALLOCATE P", new SessionEffect.Deallocate("p"));
        assertEffect("DEALLOCATE PREPARE p", new SessionEffect.Deallocate("p"));
        assertEffect("DEALLOCATE ALL", new SessionEffect.Deallocate(null));
        assertEffect("DEALLOCATE PREPARE ALL", new SessionEffect.Deallocate(null));
    }

    @Test
    void channelsAndCursorsAreNamed() {
        assertEffect("LISTEN Abc", new SessionEffect.Listen("abc"));
        assertEffect("UNLISTEN \"Abc\"", new SessionEffect.Unlisten("Abc"));
        assertEffect("UNLISTEN *", new SessionEffect.Unlisten(null));
        assertEffect("NOTIFY a, 'b'", new SessionEffect.Notify("a"));
        assertEffect("DECLARE c CURSOR FOR SELECT 1", new SessionEffect.DeclareCursor("c", false));
        assertEffect("DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1", new SessionEffect.DeclareCursor("c", false));
        assertEffect(
                "DECLARE c BINARY INSENSITIVE NO SCROLL CURSOR WITH HOLD FOR SELECT 1",
                new SessionEffect.DeclareCursor("c", true));
        assertEffect("CLOSE c", new SessionEffect.CloseCursor("c"));
        assertEffect("CLOSE ALL", new SessionEffect.CloseCursor(null));
    }

    @Test
    void discardSaysWhat() {
        assertEffect("DISCARD ALL", new SessionEffect.DiscardAll());
        assertEffect("DISCARD TEMPORARY", new SessionEffect.DiscardTemp());
        assertEffect("DISCARD PLANS", new SessionEffect.DiscardPlans());
        assertEffect("DISCARD SEQUENCES", new SessionEffect.DiscardSequences());
        assertEffect("RESET ALL", new SessionEffect.ResetAll());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0001',
            value = {
                "CREATE TEMP TABLE T (a int) | t",
                "CREATE LOCAL TEMPORARY TABLE IF NOT EXISTS \"T\" AS SELECT 1 | T",
                "CREATE OR REPLACE TEMP VIEW v AS SELECT 1 | v",
                "CREATE TEMP RECURSIVE VIEW v (a) AS SELECT 1 | v",
                "CREATE TEMPORARY SEQUENCE s | s",
                "CREATE TABLE pg_temp.t (a int) | t",
                "CREATE VIEW \"pg_temp_3\".v AS SELECT 1 | v",
            })
    void temporaryRelationsAreNamed(String sql, String name) {
        assertEffect(sql, new SessionEffect.CreateTemp(name));
        assertThat(Analysis.of(sql).has(StatementFlags.CREATES_TEMP)).isTrue();
    }

    @Test
    void setConfigIsExactAsPlainItemOfASelect() {
        String sql = "SELECT set_config('Search_Path', '', false), 1, pg_catalog.set_config($1, $2::text, 'yes') AS x;";
        StatementFacts facts = Analysis.single(sql);
        assertThat(facts.effect())
                .isEqualTo(new SetConfig(List.of(
                        new SetConfig.Call(
                                new Argument.Text("search_path"), new Argument.Text(""), new Argument.Flag(false)),
                        new SetConfig.Call(
                                new Argument.Parameter(1), new Argument.Parameter(2), new Argument.Flag(true)))));
        assertThat(facts.flags()).isZero();
    }

    @Test
    void setConfigArgumentsThatAreNoConstantsAreUnknown() {
        StatementFacts facts = Analysis.single("SELECT \"set_config\"('a', 'b' || current_user, NULL)");
        assertThat(facts.effect())
                .isEqualTo(new SetConfig(List.of(
                        new SetConfig.Call(new Argument.Text("a"), new Argument.Unknown(), new Argument.Null()))));
        assertThat(facts.has(StatementFlags.UNPREDICTABLE_STATE)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "SELECT set_config('a', 'b', false) FROM t",
                "SELECT set_config('a', 'b', false) WHERE false",
                "SELECT set_config('a', f(1), false)",
                "SELECT set_config('a', 'b', false), generate_series(1, 2)",
                "SELECT CASE WHEN true THEN set_config('a', 'b', false) END",
                "SELECT * FROM t WHERE set_config('a', 'b', false) = 'b'",
                "INSERT INTO t SELECT set_config('a', 'b', false)",
                "WITH a AS (SELECT set_config('a', 'b', false)) SELECT * FROM a",
                "EXPLAIN ANALYZE SELECT set_config('a', 'b', false)",
                "COPY (SELECT set_config('a', 'b', false)) TO STDOUT",
            })
    void setConfigElsewhereIsUnpredictable(String sql) {
        StatementFacts facts = Analysis.single(sql);
        assertThat(facts.has(StatementFlags.UNPREDICTABLE_STATE)).isTrue();
        assertThat(facts.effect()).isNull();
    }

    @Test
    void namesAreTruncatedAsPostgresDoes() {
        String name = "a".repeat(62) + "éb";
        assertEffect("LISTEN " + name, new SessionEffect.Listen("a".repeat(62)));
    }
}
