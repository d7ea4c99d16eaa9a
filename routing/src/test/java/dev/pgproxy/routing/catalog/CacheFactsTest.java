package dev.pgproxy.routing.catalog;

import static dev.pgproxy.routing.catalog.Rows.PUBLIC;
import static dev.pgproxy.routing.catalog.Rows.calls;
import static dev.pgproxy.routing.catalog.Rows.callsTree;
import static dev.pgproxy.routing.catalog.Rows.read;
import static dev.pgproxy.routing.catalog.Rows.readsTree;
import static dev.pgproxy.routing.catalog.Rows.select;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.routing.catalog.CatalogRows.CastRow;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionKind;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionRow;
import dev.pgproxy.routing.catalog.CatalogRows.FunctionRow;
import dev.pgproxy.routing.catalog.CatalogRows.OperatorRow;
import dev.pgproxy.routing.catalog.CatalogRows.RelationRow;
import dev.pgproxy.routing.catalog.CatalogRows.TypeRow;
import dev.pgproxy.routing.sql.StatementShape;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whether the result of a statement may be kept. */
final class CacheFactsTest {
    private static final int NOW = 1299;
    private static final String TIME_TREE = "{SQLVALUEFUNCTION :op 3 :type 1184}";
    private static final String TENANT_TREE = "{FUNCEXPR :funcid 2077 :inputcollid 100 :args"
            + " ({CONST :consttype 25 :constvalue 9 [ 36 0 0 0 97 98 112 46 121 ]}) :location -1}";

    private final Rows rows = new Rows();

    private Reading reading(StatementShape shape) {
        return rows.catalog().reading(shape, PUBLIC);
    }

    private void assertCause(StatementShape shape, CacheHindrance hindrance, @Nullable String culprit) {
        Reading reading = reading(shape);
        assertThat(reading.uncacheable()).as(reading.toString()).isEqualTo(hindrance);
        assertThat(reading.uncacheableCulprit()).isEqualTo(culprit);
    }

    private void assertCacheable(StatementShape shape) {
        Reading reading = reading(shape);
        assertThat(reading.uncacheable()).as(reading.toString()).isNull();
        assertThat(reading.uncacheableCulprit()).isNull();
    }

    private void builtIns() {
        rows.builtIn(NOW, "now", 's');
        rows.builtIn(1, "clock_timestamp", 'v');
        rows.builtIn(2, "random", 'v');
        rows.builtIn(3, "pg_backend_pid", 's');
        rows.builtIn(4, "pg_is_in_recovery", 'v');
        rows.builtIn(5, "pg_get_viewdef", 's');
        rows.builtIn(6, "to_char", 's');
        rows.builtIn(7, "date_trunc", 'i');
        rows.builtIn(8, "of_a_later_version", 's');
        rows.builtIn(9, "of_a_later_version_too", 'v');
        rows.builtIn(10, "setval", 'v');
        rows.builtIn(11, "query_to_xml", 'v');
        rows.builtIn(12, "pg_sleep", 'v');
        rows.builtIn(2077, "current_setting", 's');
    }

    @Test
    void functionsOfPostgresGoByTheLists() {
        builtIns();
        assertCause(calls("now"), CacheHindrance.MOMENT, "now");
        assertCause(calls("clock_timestamp"), CacheHindrance.MOMENT, "clock_timestamp");
        assertCause(calls("random"), CacheHindrance.CHANCE, "random");
        assertCause(calls("pg_backend_pid"), CacheHindrance.SESSION, "pg_backend_pid");
        assertCause(calls("pg_is_in_recovery"), CacheHindrance.HOST, "pg_is_in_recovery");
        assertCause(calls("pg_get_viewdef"), CacheHindrance.DEFINITIONS, "pg_get_viewdef");
        assertCause(calls("of_a_later_version"), CacheHindrance.STABLE_FUNCTION, "of_a_later_version");
        assertCause(calls("of_a_later_version_too"), CacheHindrance.VOLATILE_FUNCTION, "of_a_later_version_too");
        assertCause(calls("setval"), CacheHindrance.SESSION, "setval");
        assertCause(calls("query_to_xml"), CacheHindrance.UNKNOWN, "query_to_xml");
        assertCause(calls("pg_sleep"), CacheHindrance.SESSION, "pg_sleep");
        assertCacheable(calls("to_char", "date_trunc"));
    }

    @Test
    void whatKeepsAReadFromReplicasKeepsItFromTheCache() {
        rows.table("t");
        for (Hindrance hindrance : Hindrance.values()) {
            CacheHindrance same = Reading.hindered(hindrance, "x").uncacheable();
            assertThat(same == null).as(hindrance.name()).isEqualTo(hindrance == Hindrance.UNLOGGED_RELATION);
        }
        assertCause(select("nowhere"), CacheHindrance.UNKNOWN, "nowhere");
        assertCause(calls("nothing"), CacheHindrance.UNKNOWN, "nothing");
        assertCause(read("UPDATE t SET a = 1"), CacheHindrance.WRITE, null);
        assertCause(read("SELECT * FROM t FOR UPDATE"), CacheHindrance.ROW_LOCK, null);
        assertCause(read("SHOW timezone"), CacheHindrance.NOT_A_QUERY, null);
        assertCause(read("EXPLAIN SELECT * FROM t"), CacheHindrance.NOT_A_QUERY, "EXPLAIN");
        assertCacheable(read("SELECT * FROM t"));
        assertCacheable(read("SELECT current_user, session_user, current_role, user, current_catalog FROM t"));
    }

    @Test
    void oneHindranceDoesNotHideAnother() {
        builtIns();
        rows.relation("public", "counters", 'r', 'u', false);
        assertCacheable(select("counters"));
        assertThat(reading(select("counters")).hindrance()).isEqualTo(Hindrance.UNLOGGED_RELATION);
        assertCause(read("SELECT setval('s', 1) FROM counters"), CacheHindrance.SESSION, null);
        rows.function("both", 's', "sql", "SELECT pg_is_in_recovery() FROM counters");
        assertCause(calls("both"), CacheHindrance.HOST, "pg_is_in_recovery");
    }

    @Test
    void onlyOrdinaryRelationsAreKept() {
        int table = rows.table("t");
        rows.view("v", readsTree(table));
        rows.relation("public", "summary", 'm', 'p', false);
        rows.relation("public", "parted", 'p', 'p', false);
        rows.relation("public", "far", 'f', 'p', false);
        rows.relation("pg_temp_3", "mine", 'r', 't', false);
        rows.relation("public", "ids", 'S', 'p', false);
        rows.relations.add(new RelationRow(1259, "pg_catalog", "pg_class", 'r', 'p', false, false, false));
        rows.relations.add(new RelationRow(13_000, "information_schema", "name", 'v', 'p', false, false, false));
        rows.view("over_name", readsTree(13_000));
        for (String name : List.of("t", "v", "summary", "parted")) {
            assertCacheable(select(name));
        }
        assertCause(select("far"), CacheHindrance.FOREIGN_TABLE, "far");
        assertCause(select("mine"), CacheHindrance.TEMPORARY_RELATION, "mine");
        assertCause(select("ids"), CacheHindrance.SESSION, "ids");
        assertCause(select("pg_class"), CacheHindrance.DEFINITIONS, "pg_class");
        assertCause(select("information_schema.name"), CacheHindrance.DEFINITIONS, "name");
        assertCause(select("over_name"), CacheHindrance.DEFINITIONS, "name");
    }

    @Test
    void theMomentGoesThroughViewsFunctionsAndPolicies() {
        builtIns();
        int table = rows.table("t");
        int view = rows.view("v", readsTree(table) + callsTree(NOW));
        rows.view("over", readsTree(view));
        assertCause(select("over"), CacheHindrance.MOMENT, "now");
        rows.view("today", readsTree(table) + TIME_TREE);
        assertCause(select("today"), CacheHindrance.MOMENT, null);
        int shielded = rows.relation("public", "shielded", 'r', 'p', true);
        rows.definitions.add(new DefinitionRow(shielded, DefinitionKind.POLICY, TIME_TREE));
        rows.function("reads_it", 's', "sql", "SELECT a FROM shielded");
        assertCause(calls("reads_it"), CacheHindrance.MOMENT, null);
        rows.definitions.add(new DefinitionRow(table, DefinitionKind.EXPRESSION, callsTree(NOW)));
        assertCacheable(select("t"));
    }

    @Test
    void theTextAndBodiesAreSearchedForWords() {
        builtIns();
        rows.table("t");
        assertCause(read("SELECT * FROM t WHERE a < current_date"), CacheHindrance.MOMENT, "current_date");
        assertCause(read("SELECT * FROM t WHERE a < 'today'"), CacheHindrance.MOMENT, "now");
        assertCause(read("SELECT a::timetz FROM t"), CacheHindrance.MOMENT, "timetz");
        assertCause(
                read("SELECT * FROM t TABLESAMPLE bernoulli (1) REPEATABLE (1)"), CacheHindrance.CHANCE, "tablesample");
        assertCause(read("SELECT system_user FROM t"), CacheHindrance.SESSION, "system_user");
        assertCause(read("SELECT t.xmax FROM t"), CacheHindrance.SESSION, "xmax");
        assertCacheable(read("SELECT xmin, ctid, a::date FROM t WHERE a < '2025-01-01'"));
        rows.function("sampled", 's', "sql", "SELECT a FROM t TABLESAMPLE system (1)");
        rows.function("timed", 'i', "plpgsql", "BEGIN RETURN now(); END");
        rows.function("dated", 'i', "sql", "SELECT 'now'::date");
        rows.function("clocked", 'i', "sql", "SELECT clock_timestamp()");
        rows.function("locked", 's', "sql", "SELECT xmax FROM t");
        assertCause(calls("sampled"), CacheHindrance.CHANCE, "tablesample");
        assertCause(calls("timed"), CacheHindrance.MOMENT, "now");
        assertCause(calls("dated"), CacheHindrance.MOMENT, "dated");
        assertCause(calls("clocked"), CacheHindrance.MOMENT, "clock_timestamp");
        assertCause(calls("locked"), CacheHindrance.SESSION, "xmax");
    }

    @Test
    void systemColumnsInTrees() {
        int table = rows.table("t");
        String variable = "{VAR :varno 1 :varattno %s :vartype 28 :varattnosyn -4}";
        rows.view("locks", readsTree(table) + variable.formatted("-4"));
        rows.view("rows", readsTree(table) + variable.formatted("-2"));
        assertCause(select("locks"), CacheHindrance.SESSION, "xmax");
        assertCacheable(select("rows"));
    }

    @Test
    void languageAndVolatilityDecideAboutOtherFunctions() {
        rows.table("t");
        rows.function("c_immutable", 'i', "c", "");
        rows.function("c_stable", 's', "c", "");
        rows.function("internal_stable", 's', "internal", "");
        rows.function("c_volatile", 'v', "c", "");
        rows.function("gen_random_bytes", 'v', "c", "");
        rows.function("crosstab", 's', "c", "");
        rows.function("py_immutable", 'i', "plpython3u", "");
        rows.function("py_volatile", 'v', "plpython3u", "");
        rows.function("sql_stable", 's', "sql", "SELECT c_immutable() FROM t");
        rows.function("sql_volatile", 'v', "sql", "SELECT 1");
        rows.function("runs", 's', "plpgsql", "BEGIN EXECUTE x; END");
        rows.function("indirect", 'i', "sql", "SELECT c_stable()");
        assertCacheable(calls("c_immutable", "sql_stable"));
        assertCause(calls("c_stable"), CacheHindrance.STABLE_FUNCTION, "c_stable");
        assertCause(calls("internal_stable"), CacheHindrance.STABLE_FUNCTION, "internal_stable");
        assertCause(calls("c_volatile"), CacheHindrance.VOLATILE_FUNCTION, "c_volatile");
        assertCause(calls("gen_random_bytes"), CacheHindrance.CHANCE, "gen_random_bytes");
        assertCause(calls("crosstab"), CacheHindrance.UNKNOWN, "crosstab");
        assertCause(calls("py_immutable"), CacheHindrance.UNKNOWN, "py_immutable");
        assertCause(calls("py_volatile"), CacheHindrance.VOLATILE_FUNCTION, "py_volatile");
        assertCause(calls("sql_volatile"), CacheHindrance.VOLATILE_FUNCTION, "sql_volatile");
        assertCause(calls("runs"), CacheHindrance.UNKNOWN, "runs");
        assertCause(calls("indirect"), CacheHindrance.STABLE_FUNCTION, "c_stable");
    }

    @Test
    void aggregatesFollowTheirParts() {
        int part = rows.function("add_random", 'v', "sql", "SELECT 1");
        rows.functions.add(new FunctionRow(
                29_000, "public", "total", 'a', 'i', "internal", "aggregate_dummy", "", false, null, List.of(part)));
        rows.functions.add(new FunctionRow(
                29_001, "public", "sum", 'a', 's', "internal", "aggregate_dummy", "", false, null, List.of()));
        assertCause(calls("total"), CacheHindrance.VOLATILE_FUNCTION, "add_random");
        assertCacheable(calls("sum"));
    }

    @Test
    void operatorsCastsAndTypesAreCalls() {
        builtIns();
        int chance = rows.function("chance", 's', "sql", "SELECT random()");
        rows.operators.add(new OperatorRow(30_000, "public", "@@@", chance));
        rows.casts.add(new CastRow("color", chance, false));
        rows.types.add(new TypeRow(2205, "pg_catalog", "regclass", 2218, 0));
        assertCause(read("SELECT 1 @@@ 2"), CacheHindrance.CHANCE, "random");
        assertCause(read("SELECT 1::color"), CacheHindrance.CHANCE, "random");
        assertCause(read("SELECT 1::regclass"), CacheHindrance.DEFINITIONS, "regclass");
        assertCacheable(read("SELECT 1 + 2"));
    }

    @Test
    void parametersOfTheUsersOwnArePartOfTheKey() {
        builtIns();
        int table = rows.relation("public", "tenants", 'r', 'p', true);
        rows.definitions.add(new DefinitionRow(table, DefinitionKind.POLICY, TENANT_TREE));
        rows.view("v", readsTree(table));
        rows.function("tenant", 's', "sql", "SELECT current_setting('app.tenant')");
        rows.function("isolation", 's', "sql", "SELECT current_setting('transaction_isolation')");
        for (StatementShape shape : List.of(select("v"), calls("tenant"))) {
            assertCacheable(shape);
            assertThat(reading(shape).dependsOnSettings()).isTrue();
        }
        assertCause(calls("isolation"), CacheHindrance.SESSION, "current_setting");
        assertCause(calls("current_setting"), CacheHindrance.SESSION, "current_setting");
        assertThat(reading(calls("to_char")).dependsOnSettings()).isFalse();
    }

    @Test
    void theTextMayNameAParameterItself() {
        builtIns();
        rows.table("t");
        for (String sql : List.of(
                "SELECT * FROM t WHERE a = current_setting('app.tenant')",
                "SELECT pg_catalog.Current_Setting ( 'app.tenant', true) FROM t")) {
            assertCacheable(read(sql));
            assertThat(reading(read(sql)).dependsOnSettings()).as(sql).isTrue();
        }
        for (String sql : List.of(
                "SELECT * FROM t WHERE a = current_setting('transaction_isolation')",
                "SELECT current_setting('app.tenant'), current_setting('work_mem') FROM t",
                "SELECT current_setting('app.' || a) FROM t",
                "SELECT current_setting(E'app.tenant') FROM t",
                "SELECT current_setting(a) FROM t",
                "SELECT current_setting($1) FROM t")) {
            assertCause(read(sql), CacheHindrance.SESSION, "current_setting");
        }
        assertCause(read("SELECT app.current_setting('a.b') FROM t"), CacheHindrance.UNKNOWN, "app.current_setting");
        rows.function("current_setting", 's', "sql", "SELECT random()");
        assertCause(read("SELECT current_setting('app.tenant')"), CacheHindrance.CHANCE, "random");
    }

    @Test
    void timesWithAZoneTakeTheOffsetOfToday() {
        rows.relations.add(new RelationRow(29_000, "public", "zoned", 'r', 'p', false, true, false));
        int table = rows.table("t");
        rows.view("v", readsTree(table) + callsTree(1));
        rows.builtIn(1, "timetz", 's');
        rows.function("zones", 's', "sql", "SELECT a::time(3) with time zone FROM t");
        rows.function("stamps", 's', "sql", "SELECT a::timestamp(3) with time zone AT TIME ZONE 'UTC' FROM t");
        assertCause(select("zoned"), CacheHindrance.MOMENT, "zoned");
        assertCause(select("v"), CacheHindrance.MOMENT, "timetz");
        assertCause(calls("zones"), CacheHindrance.MOMENT, "timetz");
        assertCause(read("SELECT a::time with time zone FROM t"), CacheHindrance.MOMENT, "timetz");
        assertCause(read("SELECT CAST(a AS time (3) with time zone) FROM t"), CacheHindrance.MOMENT, "timetz");
        assertCacheable(calls("stamps"));
        assertCacheable(read("WITH x AS (SELECT a::time FROM t) SELECT a::timestamp(3) with time zone FROM x"));
        assertCacheable(read("SELECT a::timestamptz AT TIME ZONE 'UTC', time FROM t"));
    }

    @Test
    void whatReadsEverythingIsNotKept() {
        assertThat(Reading.of(RelationSet.ALL).uncacheable()).isEqualTo(CacheHindrance.UNKNOWN);
        int parent = rows.table("parent");
        for (int i = 0; i <= Graph.MOST_NAMED; i++) {
            rows.inheritance.add(new CatalogRows.InheritanceRow(parent, rows.table("p" + i)));
        }
        assertCause(select("parent"), CacheHindrance.UNKNOWN, null);
        StatementShape unread = Rows.shape(StatementKind.SELECT, 0, false, Set.of(), Set.of(), Set.of());
        assertCause(unread, CacheHindrance.UNKNOWN, null);
    }

    @Test
    void unionsAreOneOfTheTwoWhereItSaysAll() {
        CacheFacts hindered = CacheFacts.hindered(CacheHindrance.MOMENT, "now");
        CacheFacts depends = new CacheFacts(null, null, true);
        CacheFacts both = new CacheFacts(CacheHindrance.CHANCE, "random", true);
        assertThat(hindered.with(CacheFacts.FREE)).isSameAs(hindered);
        assertThat(CacheFacts.FREE.with(hindered)).isSameAs(hindered);
        assertThat(both.with(hindered)).isSameAs(both);
        assertThat(depends.with(both)).isSameAs(both);
        assertThat(depends.with(hindered)).isEqualTo(new CacheFacts(CacheHindrance.MOMENT, "now", true));
        assertThat(hindered.with(both)).isEqualTo(new CacheFacts(CacheHindrance.MOMENT, "now", true));
        Reading reading = Reading.of(both);
        assertThat(reading.with(Reading.of(hindered))).isSameAs(reading);
    }
}
