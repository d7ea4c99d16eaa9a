package dev.pgproxy.insight;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Plans are bounded, and what they are read from leaves no value behind. */
final class PlansTest {
    private static final long SEED = Long.getLong("plans.seed", System.nanoTime());

    private final Random random = new Random(SEED);
    private final Shapes shapes = new Shapes();

    private static Plans plans() throws ConfigProblems {
        return new Plans(ConfigLoader.parse("plan_capture = on\ndatabases { \"*\" { primary = h } }")
                .slow());
    }

    private Shape shape(int i) {
        byte[] text = ("SELECT a FROM t" + i).getBytes(UTF_8);
        return shapes.get(random.nextLong(), random.nextLong(), text, QueryFacts.EMPTY, true);
    }

    private static SlowStatement slow(Shape shape) {
        return slow(shape, "u");
    }

    private static SlowStatement slow(Shape shape, String user) {
        return new SlowStatement(
                Instant.EPOCH,
                new Caller("d", user, "a"),
                "",
                null,
                shape.fingerprint(),
                shape.masked(),
                0,
                1,
                0,
                null);
    }

    private static Sample sample(Shape shape) {
        return new Sample(shape, "d", "u", List.of(), new byte[0], false, "");
    }

    @Test
    void howeverManyStatementsAreSlowOnlySoManyAreKeptAndWait() throws ConfigProblems {
        Plans plans = plans();
        for (int i = 0; i < 20_000; i++) {
            Shape shape = shape(i % 5000);
            plans.slow(slow(shape), shape);
            plans.sample(sample(shape));
        }
        assertThat(plans.all()).hasSizeLessThanOrEqualTo(Plans.KEPT);
        int waiting = 0;
        while (plans.next(any -> true) != null) {
            waiting++;
        }
        assertThat(waiting).isEqualTo(Plans.WAITING);
        assertThat(plans.totals().dropped()).isEqualTo(20_000 - Plans.WAITING);
    }

    @Test
    void aPlanIsAskedForOnceInItsInterval() throws ConfigProblems {
        Plans plans = plans();
        Shape shape = shape(1);
        plans.slow(slow(shape), shape);
        assertThat(shape.sought()).isNotNull();
        plans.sample(sample(shape));
        plans.sample(sample(shape));
        assertThat(plans.next(any -> false)).isNull();
        assertThat(plans.next(any -> true)).isNotNull();
        assertThat(plans.next(any -> true)).isNull();
    }

    @Test
    void aUserWhoDoesNotComeAgainLeavesTheTurnToOthersOfTheSameStatement() throws ConfigProblems {
        Plans plans = plans();
        Shape shape = shape(1);
        plans.slow(slow(shape, "gone"), shape);
        plans.slow(slow(shape, "there"), shape);
        List<String> sought = new ArrayList<>();
        long start = System.nanoTime();
        for (int i = 1; i <= 4; i++) {
            plans.seek(shapes, start + i * 11_000_000_000L);
            sought.add(Objects.requireNonNull(shape.sought()).user());
        }
        assertThat(sought).containsExactlyInAnyOrder("gone", "gone", "there", "there");
    }

    private static StatementReport statement(Shape shape) {
        return new StatementReport(
                new StatementKey(shape.high(), shape.low(), new Caller("d", "u", "a"), null),
                shape.fingerprint(),
                shape.masked(),
                5,
                SqlStates.NONE,
                5,
                5,
                0,
                5,
                0,
                0,
                0,
                new StatementReport.Percentiles(1, 1, 1, 1),
                Instant.EPOCH,
                Instant.EPOCH);
    }

    @Test
    void anIndexIsAskedOfOnceWithTheNextRunWhetherThatIsSlowOrNot() throws ConfigProblems {
        Plans plans = plans();
        Shape shape = shape(1);
        String sql = "CREATE INDEX ON t (a)";
        assertThat(plans.propose(statement(shape), sql)).isNull();
        plans.seek(shapes, System.nanoTime());
        assertThat(shape.sought()).isNotNull();
        plans.sample(sample(shape));
        Sample asked = Objects.requireNonNull(plans.next(any -> true));
        assertThat(plans.proposed(asked)).isEqualTo(sql);
        String with = scan("(a = 1)", "1.5").replace("\"Alias\"", "\"Index Name\": \"<77>btree_t_a\", \"Alias\"");
        plans.tried(asked, IndexTrial.of(sql, scan("(a = 1)", "99.5"), with, "77"));
        assertThat(plans.proposed(asked)).isNull();
        IndexTrial trial = Objects.requireNonNull(plans.propose(statement(shape), sql));
        assertThat(trial.costs()).isEqualTo(new IndexTrial.Costs(99.5, 1.5, true));
        assertThat(plans.proposed(asked)).isNull();
        assertThat(IndexTrial.of(sql, scan("(a = 1)", "99.5"), with, "7").costs())
                .isEqualTo(new IndexTrial.Costs(99.5, 1.5, false));
    }

    @Test
    void ifThereIsNoPlanOfAStatementNothingIsKnownOfItsIndex() throws ConfigProblems {
        Plans plans = plans();
        Shape shape = shape(1);
        plans.propose(statement(shape), "CREATE INDEX ON t (a)");
        plans.failed(sample(shape), "57014", null);
        IndexTrial trial = Objects.requireNonNull(plans.propose(statement(shape), "CREATE INDEX ON t (a)"));
        assertThat(trial.reason()).isEqualTo("57014");
        assertThat(trial.costs()).isNull();
    }

    @Test
    void onlyAnotherShapeIsAChange() throws ConfigProblems {
        Plans plans = plans();
        Shape shape = shape(1);
        plans.slow(slow(shape), shape);
        plans.captured(sample(shape), ExplainedPlan.of(scan("(a = 1)", "1.5")), null, "sampled");
        plans.captured(sample(shape), ExplainedPlan.of(scan("(a = 2)", "99.5")), null, "sampled");
        assertThat(plans.all().getFirst().changes()).isZero();
        String other = scan("(a = 2)", "99.5").replace("Seq Scan", "Index Scan");
        plans.captured(sample(shape), ExplainedPlan.of(other), null, "sampled");
        PlanReport report = plans.all().getFirst();
        assertThat(report.changes()).isEqualTo(1);
        assertThat(report.before())
                .isNotNull()
                .extracting(ExplainedPlan::text)
                .asString()
                .contains("Seq Scan on t");
        assertThat(plans.totals().changed()).isEqualTo(1);
    }

    private static String scan(String filter, String cost) {
        return "[{\"Plan\": {\"Node Type\": \"Limit\", \"Total Cost\": " + cost + ", \"Plan Rows\": 5, \"Plans\": ["
                + "{\"Node Type\": \"Seq Scan\", \"Parent Relationship\": \"Outer\", \"Relation Name\": \"t\","
                + " \"Alias\": \"x\", \"Total Cost\": " + cost + ", \"Plan Rows\": 5, \"Filter\": \""
                + filter.replace("\\", "\\\\").replace("\"", "\\\"") + "\"}]}}]";
    }

    @Test
    void aPlanIsReadWithItsConditionsMasked() {
        assertThat(ExplainedPlan.of(scan("((a = 'x'::text) AND (b > 5))", "1.5"))
                        .text())
                .isEqualTo("Limit (cost 1.5, rows 5) { Seq Scan on t x (cost 1.5, rows 5,"
                        + " Filter: ((a = ?::text) AND (b > ?))) }");
    }

    /** Each literal as a server writes it, in conditions of any depth. */
    @Test
    void noLiteralIsLeftOfAnyCondition() {
        for (int round = 0; round < 5000; round++) {
            String condition = condition(4);
            String plan = ExplainedPlan.of(scan(condition, "1.5")).text();
            assertThat(plan).as("seed %d, %s", SEED, condition).doesNotContainIgnoringCase("hush", "4711");
        }
    }

    private String condition(int depth) {
        if (depth == 0) {
            return "(a = " + literal() + ")";
        }
        return switch (random.nextInt(5)) {
            case 0 -> "(" + condition(depth - 1) + " AND " + condition(depth - 1) + ")";
            case 1 -> "(lower(b) ~~ " + literal() + ")";
            case 2 -> "(NOT " + condition(depth - 1) + ")";
            case 3 -> "CASE WHEN " + condition(depth - 1) + " THEN " + literal() + " ELSE " + literal() + " END";
            default -> "(a = ANY ('{" + "hush,4711".repeat(1 + random.nextInt(3)) + "}'::text[]))";
        };
    }

    private String literal() {
        return switch (random.nextInt(7)) {
            case 0 -> "'hush'::text";
            case 1 -> "'it''s hush\\'::text";
            case 2 -> "4711";
            case 3 -> "'-4711'::integer";
            case 4 -> "4711.5e10";
            case 5 -> "E'hush\\\\''hush'::text";
            default -> "B'1'::\"bit\" || '{\"hush\": [4711, \"\"]}'::jsonb";
        };
    }

    @Test
    void whatIsNoPlanIsRefusedWithoutAWordOfIt() {
        for (String text :
                List.of("", "hush", "[]", "[\"Utility Statement\"]", "[{\"hush\": {}}]", "[".repeat(100_000))) {
            assertThatThrownBy(() -> ExplainedPlan.of(text))
                    .isInstanceOf(IllegalArgumentException.class)
                    .message()
                    .doesNotContain("hush");
        }
    }
}
