package dev.pgproxy.routing.catalog;

import static dev.pgproxy.routing.catalog.Rows.PUBLIC;
import static dev.pgproxy.routing.catalog.Rows.calls;
import static dev.pgproxy.routing.catalog.Rows.callsTree;
import static dev.pgproxy.routing.catalog.Rows.names;
import static dev.pgproxy.routing.catalog.Rows.read;
import static dev.pgproxy.routing.catalog.Rows.readsTree;
import static dev.pgproxy.routing.catalog.Rows.select;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.routing.catalog.CatalogRows.CastRow;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionKind;
import dev.pgproxy.routing.catalog.CatalogRows.DefinitionRow;
import dev.pgproxy.routing.catalog.CatalogRows.DomainCheckRow;
import dev.pgproxy.routing.catalog.CatalogRows.ForeignKeyRow;
import dev.pgproxy.routing.catalog.CatalogRows.InheritanceRow;
import dev.pgproxy.routing.catalog.CatalogRows.OperatorRow;
import dev.pgproxy.routing.catalog.CatalogRows.TriggerRow;
import dev.pgproxy.routing.catalog.CatalogRows.TypeRow;
import dev.pgproxy.routing.sql.StatementShape;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class CatalogTest {
    private final Rows rows = new Rows();

    private Reading reading(StatementShape shape) {
        return rows.catalog().reading(shape, PUBLIC);
    }

    /** What matters for the choice of a host. */
    private Reading routed(StatementShape shape) {
        Reading all = reading(shape);
        return new Reading(
                all.reads(), all.writes(), all.hindrance(), all.culprit(), all.transactionBound(), CacheFacts.FREE);
    }

    private Reading writing(String table) {
        return reading(shape(StatementKind.UPDATE, StatementFlags.WRITES, table));
    }

    private static StatementShape shape(StatementKind kind, int flags, String table) {
        return Rows.shape(kind, flags, true, names(table), names(table), Set.of());
    }

    private static StatementShape flagged(StatementKind kind, int flags, boolean understood) {
        return Rows.shape(kind, flags, understood, Set.of(), Set.of(), Set.of());
    }

    @Test
    void flagsAndKindsDecideBeforeNames() {
        assertThat(reading(flagged(StatementKind.SELECT, 0, true)).isHarmless()).isTrue();
        assertThat(reading(flagged(StatementKind.EXPLAIN, 0, true)).isHarmless())
                .isTrue();
        assertThat(reading(flagged(StatementKind.MULTIPLE, 0, true)).isHarmless())
                .isTrue();
        assertHindrance(flagged(StatementKind.SELECT, 0, false), Hindrance.UNPARSED);
        assertHindrance(flagged(StatementKind.SELECT, StatementFlags.OPAQUE, true), Hindrance.UNPARSED);
        assertHindrance(flagged(StatementKind.SELECT, StatementFlags.ROW_LOCK, true), Hindrance.ROW_LOCK);
        assertHindrance(flagged(StatementKind.SELECT, StatementFlags.NEXTVAL, true), Hindrance.SESSION_STATE);
        assertHindrance(flagged(StatementKind.SELECT, StatementFlags.SELECT_INTO, true), Hindrance.WRITE);
        assertHindrance(flagged(StatementKind.NOTIFY, StatementFlags.NOTIFIES, true), Hindrance.WRITE);
        assertHindrance(flagged(StatementKind.SHOW, 0, true), Hindrance.NOT_A_QUERY);
        assertHindrance(flagged(StatementKind.DECLARE, 0, true), Hindrance.NOT_A_QUERY);
        assertHindrance(flagged(StatementKind.EMPTY, 0, true), Hindrance.NOT_A_QUERY);
    }

    private void assertHindrance(StatementShape shape, Hindrance hindrance) {
        assertThat(reading(shape).hindrance()).as(shape.toString()).isEqualTo(hindrance);
    }

    @Test
    void whatIsNotUnderstoodMayReadEverything() {
        assertThat(reading(flagged(StatementKind.SELECT, 0, false)).reads()).isEqualTo(RelationSet.ALL);
        assertThat(reading(flagged(StatementKind.SELECT, 0, false)).writes()).isEqualTo(RelationSet.NONE);
        assertThat(reading(flagged(StatementKind.OTHER, StatementFlags.OPAQUE, false))
                        .writes())
                .isEqualTo(RelationSet.ALL);
    }

    @Test
    void unknownNamesMayMeanAnything() {
        Reading relation = reading(select("nowhere.thing"));
        assertThat(relation.hindrance()).isEqualTo(Hindrance.UNKNOWN_RELATION);
        assertThat(relation.culprit()).isEqualTo("nowhere.thing");
        assertThat(relation.reads()).isEqualTo(RelationSet.ALL);
        Reading function = reading(calls("thing"));
        assertThat(function.hindrance()).isEqualTo(Hindrance.UNKNOWN_FUNCTION);
        assertThat(function.writes()).isEqualTo(RelationSet.ALL);
        assertThat(reading(calls("coalesce")).isHarmless()).isTrue();
    }

    @Test
    void aMentionCountsAsReadAndIsIgnoredIfUnknown() {
        int table = rows.table("t");
        StatementShape shape = new StatementShape(
                StatementKind.SELECT, 0, true, names("t", "alias"), Set.of(), Set.of(), Set.of(), Set.of(), Set.of());
        assertThat(reading(shape)).isEqualTo(Reading.of(RelationSet.of(table)));
    }

    @Test
    void writesFollowFamiliesForeignKeysAndTriggers() {
        int parent = rows.table("parent");
        int child = rows.table("child");
        int grandchild = rows.table("grandchild");
        int cascaded = rows.table("cascaded");
        int restricted = rows.table("restricted");
        int audit = rows.table("audit");
        rows.inheritance.add(new InheritanceRow(parent, child));
        rows.inheritance.add(new InheritanceRow(child, grandchild));
        rows.foreignKeys.add(new ForeignKeyRow(cascaded, parent, 'a', 'c', List.of("p"), List.of("id")));
        rows.foreignKeys.add(new ForeignKeyRow(restricted, parent, 'r', 'a', List.of("p"), List.of("id")));
        int function = rows.function("log", 'v', "plpgsql", "BEGIN INSERT INTO audit VALUES (1); RETURN NEW; END");
        rows.triggers.add(new TriggerRow(cascaded, function, null));

        assertThat(writing("child").writes()).isEqualTo(RelationSet.of(parent, child, grandchild, cascaded, audit));
        assertThat(writing("restricted").writes()).isEqualTo(RelationSet.of(restricted));
        assertThat(reading(select("child")).reads()).isEqualTo(RelationSet.of(child, grandchild));
        int truncates = StatementFlags.WRITES | StatementFlags.DDL;
        assertThat(reading(shape(StatementKind.TRUNCATE, truncates, "parent")).writes())
                .isEqualTo(RelationSet.of(parent, child, grandchild, cascaded, restricted, audit));
        assertThat(reading(shape(StatementKind.ALTER, truncates, "audit")).writes())
                .isEqualTo(RelationSet.ALL);
    }

    @Test
    void aWriteWithoutKnownTargetsTouchesWhatItMentions() {
        int table = rows.table("t");
        int other = rows.table("other");
        StatementShape unread =
                Rows.shape(StatementKind.DELETE, StatementFlags.WRITES, false, names("t", "other"), Set.of(), Set.of());
        assertThat(reading(unread).writes()).isEqualTo(RelationSet.of(table, other));
        assertThat(writing("unknown").writes()).isEqualTo(RelationSet.ALL);
    }

    @Test
    void viewsAreTheirTreesAndRulesRunOnWrites() {
        int table = rows.table("t");
        int ruled = rows.table("ruled");
        int view = rows.view("v", readsTree(table));
        rows.view("over", readsTree(view));
        rows.definitions.add(new DefinitionRow(table, DefinitionKind.RULE, readsTree(ruled)));
        assertThat(reading(select("over"))).isEqualTo(Reading.of(RelationSet.of(table)));
        assertThat(writing("over").writes()).isEqualTo(RelationSet.of(table, ruled));
    }

    @Test
    void policiesCountOnlyWhereRowSecurityIsOn() {
        int open = rows.table("open");
        int closed = rows.relation("public", "closed", 'r', 'p', true);
        int permissions = rows.table("permissions");
        for (int table : new int[] {open, closed}) {
            rows.definitions.add(new DefinitionRow(table, DefinitionKind.POLICY, readsTree(permissions)));
        }
        assertThat(reading(select("open")).reads()).isEqualTo(RelationSet.of(open));
        assertThat(reading(select("closed")).reads()).isEqualTo(RelationSet.of(closed, permissions));
    }

    @Test
    void volatilityAndLanguageDecideAboutFunctions() {
        rows.table("t");
        rows.function("c_stable", 's', "c", "");
        rows.function("c_volatile", 'v', "c", "");
        rows.function("gen_random_bytes", 'v', "c", "");
        rows.function("crosstab", 's', "c", "");
        rows.function("py_stable", 's', "plpython3u", "import x");
        rows.function("py_volatile", 'v', "plpython3u", "import x");
        rows.function("indirect", 's', "sql", "SELECT py_volatile()");
        assertThat(routed(calls("c_stable"))).isEqualTo(Reading.NOTHING);
        assertThat(routed(calls("gen_random_bytes"))).isEqualTo(Reading.NOTHING);
        assertThat(reading(calls("py_stable")).isHarmless()).isTrue();
        assertThat(reading(calls("py_stable")).reads()).isEqualTo(RelationSet.ALL);
        for (String name : List.of("c_volatile", "crosstab", "py_volatile", "indirect")) {
            assertThat(reading(calls(name)).hindrance()).as(name).isEqualTo(Hindrance.VOLATILE_FUNCTION);
            assertThat(reading(calls(name)).writes()).as(name).isEqualTo(RelationSet.ALL);
        }
    }

    @Test
    void functionsOfPostgresGoByTheLists() {
        rows.builtIn(1299, "now", 's');
        rows.builtIn(1, "pg_is_in_recovery", 'v');
        rows.builtIn(2, "pg_get_viewdef", 's');
        rows.builtIn(3, "gen_random_uuid", 'v');
        rows.builtIn(4, "pg_advisory_xact_lock", 'v');
        rows.builtIn(5, "query_to_xml", 'v');
        rows.builtIn(6, "lo_unlink", 'v');
        rows.builtIn(7, "lower", 'i');
        rows.builtIn(8, "lower_inc", 'v');
        assertThat(reading(calls("now")).transactionBound()).isTrue();
        assertThat(reading(calls("now")).isHarmless()).isTrue();
        assertThat(reading(calls("pg_is_in_recovery")).hindrance()).isEqualTo(Hindrance.HOST_STATE);
        assertThat(routed(calls("pg_get_viewdef"))).isEqualTo(Reading.of(FunctionRules.DEFINITIONS));
        assertThat(routed(calls("gen_random_uuid", "lower"))).isEqualTo(Reading.NOTHING);
        assertThat(reading(calls("pg_advisory_xact_lock")).hindrance()).isEqualTo(Hindrance.SESSION_STATE);
        assertThat(reading(calls("query_to_xml")).reads()).isEqualTo(RelationSet.ALL);
        assertThat(reading(calls("lo_unlink")).writes().contains(2613)).isTrue();
        assertThat(reading(calls("lower_inc")).hindrance()).isEqualTo(Hindrance.VOLATILE_FUNCTION);
    }

    @Test
    void aBuiltInNameInAnotherSchemaIsAnotherFunction() {
        rows.builtIn(1299, "now", 's');
        rows.function("app", "now", 'v', "sql", "SELECT 1", false);
        assertThat(reading(calls("now")).isHarmless()).isTrue();
        assertThat(reading(calls("app.now")).hindrance()).isEqualTo(Hindrance.VOLATILE_FUNCTION);
        assertThat(rows.catalog().reading(calls("now"), SearchPath.ANY).isHarmless())
                .isFalse();
        assertThat(reading(calls("pg_catalog.now")).isHarmless()).isTrue();
    }

    @Test
    void operatorsCastsDomainsAndAttributesCallTheirFunctions() {
        int volatileFunction = rows.function("noisy", 'v', "sql", "SELECT 1");
        rows.operators.add(new OperatorRow(30_000, "public", "@@@", volatileFunction));
        rows.casts.add(new CastRow("int4", volatileFunction, false));
        rows.types.add(new TypeRow(30_001, "public", "base", 42, 0));
        rows.types.add(new TypeRow(30_002, "public", "derived", 42, 30_001));
        rows.checks.add(new DomainCheckRow(30_001, callsTree(volatileFunction)));
        rows.function("public", "full_name", 'v', "sql", "SELECT 1", true);
        assertThat(with("@@@", "x").hindrance()).isEqualTo(Hindrance.VOLATILE_OPERATOR);
        assertThat(with("+", "integer").hindrance()).isEqualTo(Hindrance.VOLATILE_OPERATOR);
        assertThat(with("+", "derived").hindrance()).isEqualTo(Hindrance.VOLATILE_OPERATOR);
        assertThat(with("+", "full_name").hindrance()).isEqualTo(Hindrance.VOLATILE_FUNCTION);
        assertThat(with("+", "current_date").transactionBound()).isTrue();
        assertThat(with("+", "x")).isEqualTo(Reading.NOTHING);
        rows.casts.add(new CastRow("text", volatileFunction, true));
        assertThat(with("+", "x").hindrance()).isEqualTo(Hindrance.VOLATILE_OPERATOR);
    }

    @Test
    void wordsForTheStartOfTheTransactionReachTheReading() {
        rows.table("t");
        Reading reading = reading(read("SELECT * FROM t WHERE at >= CURRENT_DATE"));
        assertThat(reading.isHarmless()).isTrue();
        assertThat(reading.transactionBound()).isTrue();
    }

    @Test
    void anOperatorCountsWhereThePathReachesItsSchemaOrTheTextNamesIt() {
        rows.operators.add(new OperatorRow(30_000, "far", "~~", rows.function("noisy", 'v', "sql", "SELECT 1")));
        rows.function("likes", 's', "sql", "SELECT 'a' LIKE 'b'");
        rows.function("names", 's', "sql", "SELECT 'a' OPERATOR(far.~~) 'b'");
        Catalog catalog = rows.catalog();
        StatementShape like = read("SELECT 'a' LIKE 'b'");
        assertThat(catalog.reading(like, PUBLIC).isHarmless()).isTrue();
        assertThat(catalog.reading(like, new SearchPath(List.of("public", "far")))
                        .hindrance())
                .isEqualTo(Hindrance.VOLATILE_OPERATOR);
        assertThat(catalog.reading(like, SearchPath.ANY).hindrance()).isEqualTo(Hindrance.VOLATILE_OPERATOR);
        assertThat(catalog.reading(read("SELECT 'a' OPERATOR(far.~~) 'b'"), PUBLIC)
                        .hindrance())
                .isEqualTo(Hindrance.VOLATILE_OPERATOR);
        assertThat(catalog.reading(read("SELECT 'a' OPERATOR(near.~~) 'b'"), PUBLIC)
                        .isHarmless())
                .isTrue();
        assertThat(catalog.reading(calls("likes"), PUBLIC).hindrance()).isEqualTo(Hindrance.VOLATILE_FUNCTION);
        assertThat(catalog.reading(calls("names"), PUBLIC).hindrance()).isEqualTo(Hindrance.VOLATILE_FUNCTION);
    }

    @Test
    void comparisonNeedsNoNameAndNoPath() {
        rows.operators.add(new OperatorRow(30_000, "far", "<", rows.function("noisy", 'v', "sql", "SELECT 1")));
        assertThat(reading(read("SELECT a FROM (VALUES (1)) v (a) ORDER BY a")).hindrance())
                .isEqualTo(Hindrance.VOLATILE_OPERATOR);
    }

    @Test
    void aProcedureTouchesWhatItsFunctionsTouch() {
        int log = rows.table("log");
        int other = rows.table("other");
        rows.function("note", 'v', "plpgsql", "BEGIN INSERT INTO log VALUES (1); END");
        rows.function("count_other", 's', "sql", "SELECT count(*) FROM other");
        Reading reading = reading(read("CALL note(count_other())"));
        assertThat(reading.hindrance()).isEqualTo(Hindrance.WRITE);
        assertThat(reading.writes()).isEqualTo(RelationSet.of(log));
        assertThat(reading.reads()).isEqualTo(RelationSet.of(log, other));
        assertThat(reading(read("CALL unknown()")).writes()).isEqualTo(RelationSet.ALL);
        assertThat(reading(read("CALL note((SELECT 1 FROM other))")).writes()).isEqualTo(RelationSet.ALL);
        assertThat(reading(read("CALL note() ; CALL note()")).writes()).isEqualTo(RelationSet.ALL);
    }

    @Test
    void ofSeveralStatementsEachCountsThoughOneIsNotUnderstood() {
        int first = rows.table("first");
        int second = rows.table("second");
        assertThat(reading(read("DELETE FROM first WHERE 1 +; SELECT 1 FROM; DELETE FROM second"))
                        .writes())
                .isEqualTo(RelationSet.of(first, second));
        assertThat(reading(read("DELETE FROM first; ANALYZE")).writes()).isEqualTo(RelationSet.ALL);
    }

    @Test
    void notEqualHasTwoSpellings() {
        rows.operators.add(new OperatorRow(30_000, "public", "<>", rows.function("noisy", 'v', "sql", "SELECT 1")));
        assertThat(with("!=", "x").hindrance()).isEqualTo(Hindrance.VOLATILE_OPERATOR);
    }

    private Reading with(String operator, String word) {
        return reading(new StatementShape(
                StatementKind.SELECT, 0, true, Set.of(), Set.of(), Set.of(), Set.of(), names(operator), Set.of(word)));
    }

    @Test
    void temporaryRelationsAreTheLastMeaningOfAName() {
        int table = rows.table("both");
        rows.relation("pg_temp_3", "both", 'r', 't', false);
        rows.relation("pg_temp_3", "alone", 'r', 't', false);
        assertThat(reading(select("both"))).isEqualTo(Reading.of(RelationSet.of(table)));
        assertThat(rows.catalog().reading(select("both"), SearchPath.ANY).isHarmless())
                .isTrue();
        assertThat(reading(select("alone")).hindrance()).isEqualTo(Hindrance.TEMPORARY_RELATION);
        assertThat(reading(select("pg_temp.both")).hindrance()).isEqualTo(Hindrance.TEMPORARY_RELATION);
    }

    @Test
    void pgCatalogComesFirstUnlessThePathNamesIt() {
        int own = rows.table("pg_class");
        rows.relations.add(new CatalogRows.RelationRow(1259, "pg_catalog", "pg_class", 'r', 'p', false, false, false));
        assertThat(reading(select("pg_class")).reads()).isEqualTo(RelationSet.of(1259));
        assertThat(rows.catalog()
                        .reading(select("pg_class"), new SearchPath(List.of("public", "pg_catalog")))
                        .reads())
                .isEqualTo(RelationSet.of(own));
    }

    @Test
    void oidsAboveTwoBillionAreRelationsLikeOthers() {
        int oid = Integer.parseUnsignedInt("4294967000");
        rows.relations.add(new CatalogRows.RelationRow(oid, "public", "late", 'r', 'p', false, false, false));
        rows.view("v", readsTree(oid));
        assertThat(reading(select("v")).reads()).isEqualTo(RelationSet.of(oid));
        assertThat(rows.catalog().isSystem(oid)).isFalse();
        assertThat(rows.catalog().nameOf(oid)).isEqualTo("public.late");
    }

    @Test
    void functionsInARandomGraphReachWhatASearchReaches() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int count = 60;
        boolean[][] reaches = new boolean[count][count];
        int[] tables = new int[count];
        for (int i = 0; i < count; i++) {
            tables[i] = rows.table("t" + i);
            reaches[i][i] = true;
        }
        for (int i = 0; i < count; i++) {
            StringBuilder body = new StringBuilder("SELECT * FROM t" + i);
            for (int calls = random.nextInt(3); calls > 0; calls--) {
                int called = random.nextInt(count);
                reaches[i][called] = true;
                body.append(", f").append(called).append("()");
            }
            rows.function("f" + i, 's', "sql", body.toString());
        }
        for (int via = 0; via < count; via++) {
            for (int from = 0; from < count; from++) {
                for (int to = 0; to < count; to++) {
                    reaches[from][to] |= reaches[from][via] && reaches[via][to];
                }
            }
        }
        Catalog catalog = rows.catalog();
        for (int i = 0; i < count; i++) {
            RelationSet expected = RelationSet.NONE;
            for (int to = 0; to < count; to++) {
                expected = reaches[i][to] ? expected.with(RelationSet.of(tables[to])) : expected;
            }
            assertThat(catalog.reading(calls("f" + i), PUBLIC).reads())
                    .as("seed %d, f%d", seed, i)
                    .isEqualTo(expected);
        }
    }

    @Test
    void aChainOfTwentyThousandViewsIsFollowed() {
        int last = rows.table("t");
        int table = last;
        for (int i = 0; i < 20_000; i++) {
            last = rows.view("v" + i, readsTree(last));
        }
        assertThat(reading(select("v19999")).reads()).isEqualTo(RelationSet.of(table));
    }

    @Test
    void veryLargeSetsBecomeAll() {
        int parent = rows.table("parent");
        for (int i = 0; i <= Graph.MOST_NAMED; i++) {
            rows.inheritance.add(new InheritanceRow(parent, rows.table("p" + i)));
        }
        assertThat(reading(select("parent")).reads()).isEqualTo(RelationSet.ALL);
    }
}
