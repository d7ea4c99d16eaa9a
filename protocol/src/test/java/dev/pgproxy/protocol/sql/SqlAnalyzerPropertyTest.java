package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Properties over generated texts; a failure names the seed, and {@code -Dsql.seed=} replays it. */
class SqlAnalyzerPropertyTest {
    private static final long SEED = Long.getLong("sql.seed", System.nanoTime());

    /** Pieces between which white space may be put. */
    private static final List<List<String>> STATEMENTS = List.of(
            List.of("SELECT", "a", ",", "%", "FROM", "t", "WHERE", "b", "=", "%"),
            List.of("INSERT", "INTO", "t", "(", "a", ")", "VALUES", "(", "%", ",", "%", ")"),
            List.of("WITH", "x", "AS", "(", "DELETE", "FROM", "t", "RETURNING", "%", ")", "SELECT", "*", "FROM", "x"),
            List.of("UPDATE", "t", "SET", "a", "=", "%", "WHERE", "b", "IN", "(", "%", ")"),
            List.of("SET", "x", "TO", "%"),
            List.of("ROLLBACK", "TO", "SAVEPOINT", "s"),
            List.of("CREATE", "TEMP", "TABLE", "t", "AS", "SELECT", "%", "AS", "a"),
            List.of("PREPARE", "p", "AS", "SELECT", "%"),
            List.of("COPY", "(", "SELECT", "%", ")", "TO", "STDOUT"),
            List.of("BEGIN"));

    private static final String[] LITERALS = {
        "'x'",
        "''",
        "';'",
        "'it''s; --'",
        "E'\\';'",
        "E'a\\\\'",
        "$$;$$",
        "$a$ ' $b$ ; $a$",
        "U&'\\0041;'",
        "B'01'",
        "N';'",
        "'/*'",
        "'*/ ('",
        "')'",
        "'\"'",
        "$q$ COMMIT; $q$",
        "'é;'"
    };

    private static final String[] SPACES = {
        " ",
        "\n",
        "\t",
        " /* ; */ ",
        "/**/",
        " -- ;'\n",
        " /* a /* ' ; */ \" */ ",
        "\f",
        " --\r",
        "/* $$ ( */",
        "\u000b"
    };

    private static String pick(Random random, String[] from) {
        return from[random.nextInt(from.length)];
    }

    private static String render(List<String> pieces, Random random) {
        StringBuilder out = new StringBuilder();
        for (String piece : pieces) {
            out.append(pick(random, SPACES)).append(piece.equals("%") ? pick(random, LITERALS) : piece);
        }
        return out.append(pick(random, SPACES)).toString();
    }

    @Test
    void literalsAndCommentsChangeNeitherSplittingNorKind() {
        Random random = new Random(SEED);
        for (int round = 0; round < 3000; round++) {
            StringBuilder text = new StringBuilder();
            StringBuilder plain = new StringBuilder();
            int count = 1 + random.nextInt(4);
            for (int i = 0; i < count; i++) {
                List<String> statement = STATEMENTS.get(random.nextInt(STATEMENTS.size()));
                text.append(render(statement, random)).append(';');
                plain.append(String.join(" ", statement).replace("%", "'x'")).append(';');
            }
            assertThat(shape(text.toString())).as("seed %d: %s", SEED, text).isEqualTo(shape(plain.toString()));
        }
    }

    private static String shape(String sql) {
        QueryFacts facts = Analysis.of(sql);
        return facts.statements().stream()
                        .map(s -> s.kind() + " " + StatementFlags.describe(s.flags()) + " " + effect(s))
                        .collect(Collectors.joining("; "))
                + StatementFlags.describe(facts.flags());
    }

    private static String effect(StatementFacts facts) {
        SessionEffect effect = facts.effect();
        return effect == null ? "-" : effect.getClass().getSimpleName();
    }

    @Test
    void anyBytesGiveABoundedAnswer() {
        Random random = new Random(SEED);
        SqlAnalyzer analyzer = new SqlAnalyzer();
        byte[] alphabet = " \n'\"$;()/*-+.,:=eEuUnNbBxX&\\aSELECT set_config 0123456789_\u0001\u007f".getBytes(UTF_8);
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[random.nextInt(120)];
            random.nextBytes(bytes);
            if (round % 4 != 0) {
                for (int i = 0; i < bytes.length; i++) {
                    bytes[i] = alphabet[random.nextInt(alphabet.length)];
                }
            }
            check(analyzer, bytes, random);
        }
    }

    @Test
    void brokenStatementsGiveABoundedAnswer() {
        Random random = new Random(SEED);
        SqlAnalyzer analyzer = new SqlAnalyzer();
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = render(STATEMENTS.get(random.nextInt(STATEMENTS.size())), random)
                    .getBytes(UTF_8);
            for (int i = random.nextInt(4); i > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            check(analyzer, bytes, random);
        }
    }

    private static void check(SqlAnalyzer analyzer, byte[] bytes, Random random) {
        ByteBuf text = Unpooled.wrappedBuffer(bytes);
        QueryFacts facts = analyzer.analyze(text, 0, bytes.length, random.nextBoolean(), random.nextBoolean());
        assertThat(facts.statementCount()).as("seed %d", SEED).isLessThanOrEqualTo(bytes.length);
        int before = 0;
        for (StatementFacts statement : facts.statements()) {
            int end = statement.endIn(bytes.length);
            assertThat(statement.start()).as("seed %d", SEED).isGreaterThanOrEqualTo(before);
            assertThat(end).as("seed %d", SEED).isBetween(statement.start(), bytes.length);
            assertThat(statement.bodyStart()).isLessThanOrEqualTo(bytes.length);
            before = end;
        }
    }

    @Test
    void ordinaryStatementsAllocateNothing() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        SqlAnalyzer analyzer = new SqlAnalyzer();
        for (String sql : List.of(
                "SELECT abalance FROM pgbench_accounts WHERE aid = $1;",
                "INSERT INTO \"User\" (\"id\", \"name\") VALUES ($1, 'x') ON CONFLICT (\"id\") DO NOTHING",
                "WITH a AS (SELECT count(*) FROM t) SELECT pg_catalog.lower(b) FROM a FOR UPDATE",
                "BEGIN",
                "COMMIT")) {
            byte[] bytes = sql.getBytes(UTF_8);
            ByteBuf text = Unpooled.wrappedBuffer(bytes);
            analyzer.analyze(text, 0, bytes.length, true, false);
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 1000; i++) {
                analyzer.analyze(text, 0, bytes.length, true, false);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(allocated).as(sql).isLessThan(8 * 1000); // an object for each would be 16 or more
        }
    }

    @Test
    void largeTextsAreReadInLinearTime() {
        assertThat(Analysis.of("SELECT '" + "x".repeat(2_000_000) + "'").kind()).isEqualTo(StatementKind.SELECT);
        assertThat(Analysis.of("(".repeat(500_000)).has(StatementFlags.OPAQUE)).isTrue();
        assertThat(Analysis.of("SELECT " + "$a$".repeat(300_001)).has(StatementFlags.OPAQUE))
                .isTrue();
        assertThat(Analysis.of("SELECT " + "/*".repeat(500_000)).has(StatementFlags.OPAQUE))
                .isTrue();
        assertThat(Analysis.of("SELECT 'a'" + "\n-- x".repeat(200_000)).kind()).isEqualTo(StatementKind.SELECT);
        assertThat(Analysis.of("SELECT 1" + "+-".repeat(500_000) + "1").kind()).isEqualTo(StatementKind.SELECT);
    }
}
