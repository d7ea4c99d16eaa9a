package dev.pgproxy.corpus;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.demo.EmbeddedCluster;
import dev.pgproxy.demo.EmbeddedPostgres;
import dev.pgproxy.health.catalog.CatalogLoader;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.sql.ShapeReader;
import dev.pgproxy.routing.sql.StatementShape;
import dev.pgproxy.testing.TestCluster;
import io.netty.buffer.Unpooled;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each statement of the corpus is what statements.txt says, and where it calls one harmless the database agrees. */
final class CorpusIT {
    private static final List<CorpusStatement> STATEMENTS = Corpus.statements();

    /** For one text; JSqlParser's own limit and the pauses of a busy machine. */
    private static final Duration BOUND = Duration.ofMillis(ShapeReader.TIMEOUT_MILLIS + 3000);

    private static HarmCheck check;
    private static Catalog catalog;

    @BeforeAll
    static void theDatabaseOfTheCorpus() throws SQLException {
        EmbeddedCluster cluster = TestCluster.replicated();
        EmbeddedPostgres primary = cluster.primary();
        String database = TestCluster.freshDatabase(primary);
        try (Connection connection = primary.connect(database);
                Statement statement = connection.createStatement()) {
            statement.execute(Corpus.schema());
            catalog = CatalogLoader.load(connection, 1);
        }
        cluster.awaitReplicas();
        check = new HarmCheck(primary, cluster.replicas().getFirst(), database);
    }

    @Test
    void itIsLargeAndNoTextIsThereTwiceForOneSearchPath() {
        assertThat(STATEMENTS).hasSizeGreaterThan(320);
        assertThat(STATEMENTS.stream().map(statement -> statement.pathSetting() + " " + statement.sql()))
                .doesNotHaveDuplicates();
    }

    @Test
    void theScannerKnowsTheKindOfEach() {
        SqlAnalyzer analyzer = new SqlAnalyzer();
        List<String> problems = new ArrayList<>();
        for (CorpusStatement statement : STATEMENTS) {
            String kind =
                    analyze(analyzer, statement.sql().getBytes(UTF_8)).kind().name();
            if (!kind.equals(statement.kind())) {
                problems.add(statement + ": " + kind + " instead of " + statement.kind());
            }
        }
        assertThat(problems).isEmpty();
    }

    @Test
    void theCatalogSaysWhatEachReadsAndWritesAndWhereItMayRun() {
        List<String> problems = new ArrayList<>();
        for (CorpusStatement statement : STATEMENTS) {
            Reading reading = catalog.reading(shape(statement.sql()), new SearchPath(statement.path()));
            String route = reading.isHarmless() ? CorpusStatement.REPLICA : "primary:" + reading.hindrance();
            if (!statement.routes().contains(route)) {
                problems.add(
                        statement + ": " + route + " (" + reading.culprit() + ") instead of " + statement.routes());
            }
            boolean exact = reading.isHarmless();
            compare(statement.reads(), reading.reads(), exact, problems, statement + " reads");
            compare(statement.writes(), reading.writes(), exact, problems, statement + " writes");
        }
        assertThat(problems).isEmpty();
    }

    /** Never less than expected; where it is exact, nothing more. */
    private static void compare(
            CorpusStatement.Relations expected, RelationSet got, boolean exact, List<String> problems, String what) {
        if (expected.all() || got.isAll()) {
            boolean may = got.isAll() && (expected.all() || expected.open() || !exact);
            if (!may) {
                problems.add(what + " " + (got.isAll() ? "all" : names(got)) + " instead of " + expected);
            }
            return;
        }
        Set<String> names = names(got);
        boolean more = !expected.names().containsAll(names);
        if (!names.containsAll(expected.names()) || (exact && !expected.open() && more)) {
            problems.add(what + " " + names + " instead of " + expected);
        }
    }

    private static Set<String> names(RelationSet relations) {
        Set<String> names = new TreeSet<>();
        for (int i = 0; i < relations.size(); i++) {
            names.add(String.valueOf(catalog.nameOf(relations.id(i))));
        }
        return names;
    }

    private static StatementShape shape(String sql) {
        byte[] bytes = sql.getBytes(UTF_8);
        return new ShapeReader().read(bytes, analyze(new SqlAnalyzer(), bytes), true);
    }

    /** Bytes, so that characters are cut too. */
    @Test
    void beginningsOfEachAreReadInBoundedTime() {
        ShapeReader reader = new ShapeReader();
        SqlAnalyzer analyzer = new SqlAnalyzer();
        ShapeReader.warmUp();
        Random random = new Random(); // a failure names the length, which is all that matters
        for (CorpusStatement statement : STATEMENTS) {
            byte[] whole = statement.sql().getBytes(UTF_8);
            SearchPath path = new SearchPath(statement.path());
            for (int length = random.nextInt(3); length < whole.length; length += 1 + random.nextInt(3)) {
                byte[] text = Arrays.copyOf(whole, length);
                long start = System.nanoTime();
                Reading reading = catalog.reading(reader.read(text, analyze(analyzer, text), true), path);
                assertThat(Duration.ofNanos(System.nanoTime() - start))
                        .as("%s, its first %s bytes: %s", statement, length, reading.hindrance())
                        .isLessThan(BOUND);
            }
        }
    }

    @Test
    void whatIsCalledHarmlessIsHarmlessInTheDatabase() throws SQLException {
        List<String> problems = new ArrayList<>();
        for (CorpusStatement statement : STATEMENTS) {
            if (!statement.mayRunOnReplica()) {
                continue;
            }
            HarmCheck.Finding finding = check.look(statement);
            String sqlState = finding.onReplica().sqlState();
            boolean asMarked =
                    statement.is("heals") ? sqlState.equals("25006") : sqlState.isEmpty() != statement.is("fails");
            if (!asMarked) {
                problems.add(statement + ": '" + sqlState + "' on the replica, and is " + statement.marks());
            }
            if (!statement.is("heals")) {
                finding.signs().forEach(sign -> problems.add(statement + ": " + sign));
            }
        }
        assertThat(problems).isEmpty();
    }

    @Test
    void whatIsCalledHarmfulShowsIt() throws SQLException {
        List<String> problems = new ArrayList<>();
        for (CorpusStatement statement : STATEMENTS) {
            if (statement.mustShowHarm() && check.look(statement).signs().isEmpty()) {
                problems.add(statement + ": no sign of harm");
            }
        }
        assertThat(problems).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT tools.log('x')",
                "SELECT nextval('app.ticket')",
                "SELECT setval('app.ticket', 5)",
                "SELECT pg_advisory_lock(1)",
                "SELECT pg_advisory_xact_lock(1)",
                "SELECT pg_notify('corpus', '')",
                "SELECT set_config('work_mem', '5MB', true)",
                "SELECT txid_current()",
                "SELECT lo_creat(-1)",
                "SELECT pg_is_in_recovery()",
                "SELECT * FROM app.scratch",
                "SELECT * FROM app.logging_view",
                "SELECT id FROM app.product FOR KEY SHARE",
                "SELECT 1 AS n INTO TEMP planted",
                "CREATE TEMP TABLE planted ()",
                "PREPARE planted AS SELECT 1",
                "DECLARE planted CURSOR WITH HOLD FOR SELECT 1",
                "LISTEN planted",
                "LOCK TABLE app.product IN SHARE MODE",
                "DELETE FROM app.empty_one",
                "SET work_mem = '5MB'"
            })
    void whatIsFalselyCalledHarmlessIsCaught(String sql) throws SQLException {
        assertThat(check.look(CorpusStatement.of(0, "replica | SELECT", sql)).signs())
                .isNotEmpty();
    }

    private static QueryFacts analyze(SqlAnalyzer analyzer, byte[] bytes) {
        return analyzer.analyze(Unpooled.wrappedBuffer(bytes), 0, bytes.length, true, false);
    }
}
