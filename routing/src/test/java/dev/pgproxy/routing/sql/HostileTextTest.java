package dev.pgproxy.routing.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Time bounds are far above what is needed, for machines under load; what must not happen is minutes. */
class HostileTextTest {
    private static final Duration AT_ONCE = Duration.ofSeconds(2);
    private static final Duration BOUNDED =
            Duration.ofMillis(ShapeReader.TIMEOUT_MILLIS).plusSeconds(8);

    @BeforeAll
    static void warmUp() {
        ShapeReader.warmUp();
    }

    private static StatementShape within(Duration bound, String sql) {
        return within(bound, sql.getBytes(UTF_8));
    }

    private static StatementShape within(Duration bound, byte[] text) {
        long begin = System.nanoTime();
        StatementShape shape = TestShapes.of(text, true);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(bound);
        return shape;
    }

    private static String nested(String before, String open, String inside, String close, int depth) {
        return before + open.repeat(depth) + inside + close.repeat(depth);
    }

    @Test
    void tenThousandParenthesesAreNotReadAtAll() {
        for (String before : List.of("SELECT ", "", "SELECT * FROM ", "WITH a AS ", "INSERT INTO a VALUES ")) {
            assertThat(within(AT_ONCE, nested(before, "(", "SELECT 1", ")", 10_000))
                            .understood())
                    .isFalse();
            assertThat(within(AT_ONCE, before + "(".repeat(10_000)).understood())
                    .isFalse();
            assertThat(within(AT_ONCE, before + ")".repeat(10_000)).understood())
                    .isFalse();
        }
        assertThat(within(AT_ONCE, nested("SELECT ", "ARRAY[", "1", "]", 10_000))
                        .understood())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 30, 100, 199})
    void nestingThatIsAllowedIsReadInBoundedTime(int depth) {
        within(BOUNDED, nested("", "(", "SELECT 1", ")", depth));
        within(BOUNDED, nested("SELECT ", "(", "1", ")", depth));
        within(BOUNDED, nested("SELECT * FROM ", "(", "a JOIN b ON 1 = 1", ")", depth));
        within(BOUNDED, nested("SELECT ", "(CASE WHEN ", "a", " THEN 1 END)", depth));
        within(BOUNDED, nested("SELECT 1 WHERE ", "NOT (", "a AND b", ")", depth));
        within(BOUNDED, nested("SELECT 1 WHERE ", "a IN (SELECT b FROM c WHERE ", "d", ")", depth));
        within(BOUNDED, nested("SELECT ", "f(x, ", "1", ")", depth));
        within(BOUNDED, nested("SELECT ", "(f(x).y + ", "1", ")", depth));
        within(BOUNDED, nested("SELECT ", "EXTRACT(year FROM ", "a", ")", depth));
        within(BOUNDED, nested("", "(WITH a AS (SELECT 1) ", "SELECT 1", ")", depth));
        assertThat(within(BOUNDED, nested("SELECT * FROM ", "(SELECT * FROM ", "t", ") x", depth))
                        .mentions())
                .containsExactly(new Name(null, "t"));
    }

    @Test
    void aMegabyteIsNotRead() {
        assertThat(within(AT_ONCE, "SELECT '" + "x".repeat(1_000_000) + "'").understood())
                .isFalse();
        assertThat(within(AT_ONCE, "SELECT " + "a, ".repeat(350_000) + "a").understood())
                .isFalse();
    }

    @Test
    void fiftyThousandConstantsCostNoParser() {
        StatementShape shape = within(AT_ONCE, "SELECT * FROM t WHERE a IN (" + "7, ".repeat(50_000) + "8)");
        assertThat(shape.understood()).isTrue();
        assertThat(TestShapes.describe(shape)).isEqualTo("reads t");
        assertThat(within(AT_ONCE, "INSERT INTO t VALUES " + "(1, 'a', NULL, -2), ".repeat(10_000) + "(1, 'b', $1, 3)")
                        .understood())
                .isTrue();
        assertThat(within(AT_ONCE, "SELECT ARRAY[" + "'x'::uuid, ".repeat(15_000) + "'x']")
                        .understood())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                " AND a = 1",
                " + a",
                " OR a IN (SELECT 1)",
                " COLLATE c",
                "::int",
                "[1]",
                ".b",
                " IS NULL",
                " temp",
                " interval",
                " UNION SELECT 1 FROM b",
                " NOT",
                ", b.c.d.e.f",
                " CASE WHEN a THEN b",
                " BETWEEN 1 AND 2",
                " FROM a",
                " JOIN b",
                " OF a",
                " -",
                " (",
                " 'x'",
                ";",
                " ; SELECT 1"
            })
    void longChainsAreReadInBoundedTime(String link) {
        within(BOUNDED, "SELECT a" + link.repeat(100_000 / link.length()));
        within(BOUNDED, "SELECT 1 FROM a" + link.repeat(100_000 / link.length()));
        within(BOUNDED, "SELECT 1 FROM a FOR UPDATE OF a" + link.repeat(100_000 / link.length()));
        within(BOUNDED, "WITH a AS (SELECT 1) SELECT 1 FROM a" + link.repeat(100_000 / link.length()));
    }

    @Test
    void manyExpressionsOfOneNameAreResolvedInBoundedTime() {
        within(BOUNDED, "WITH a AS (SELECT 1)" + ", a AS (SELECT 1 FROM a)".repeat(9_000) + " SELECT 1 FROM a");
    }

    @Test
    void nulBytesAndInvalidBytesAreNotUnderstood() {
        assertThat(within(AT_ONCE, "SELECT 1 \0 FROM a").understood()).isFalse();
        assertThat(within(AT_ONCE, new byte[] {'S', 'E', 'L', 'E', 'C', 'T', ' ', (byte) 0xC3, (byte) 0x28})
                        .understood())
                .isFalse();
    }

    @Test
    void everyPrefixOfEveryStatementIsReadWithoutAnError() {
        for (TestShapes.Row row : TestShapes.table()) {
            byte[] text = row.sql().getBytes(UTF_8);
            for (int length = 0; length < text.length; length++) {
                within(BOUNDED, Arrays.copyOf(text, length));
            }
        }
    }

    /** Found by the test below: what was left out took a parenthesis along. */
    @Test
    void parenthesesWhereNoneMayStandAreReadWithoutAnError() {
        for (String sql :
                new String[] {"SELECT (a).(b)", "SELECT (a).b.(c)", "SELECT U&'x' UESCAPE ('!')", "SELECT a[1].[2]"}) {
            within(BOUNDED, sql.getBytes(UTF_8));
        }
    }

    @Test
    void randomBytesAndRandomTokensAreReadWithoutAnError() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        String all = String.join(
                " ", TestShapes.table().stream().map(TestShapes.Row::sql).toList());
        String[] tokens = Pattern.compile("(?<=[ (),.])|(?=[(),.])").split(all, -1);
        for (int i = 0; i < 2000; i++) {
            StringBuilder sql = new StringBuilder("SELECT ");
            for (int n = random.nextInt(30); n > 0; n--) {
                sql.append(tokens[random.nextInt(tokens.length)]);
            }
            byte[] text = sql.toString().getBytes(UTF_8);
            if (i % 2 == 0) {
                text[random.nextInt(text.length)] = (byte) random.nextInt();
            }
            try {
                within(BOUNDED, text);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + sql, e);
            }
        }
    }
}
