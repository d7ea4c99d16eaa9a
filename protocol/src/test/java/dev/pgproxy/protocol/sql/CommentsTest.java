package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Texts without their comments. A failure of a property names the seed, and {@code -Dsql.seed=} replays it. */
class CommentsTest {
    /** Between two parts of a literal. */
    private static final Pattern GAP = Pattern.compile("(?:\\s|--[^\n]*\n)+(?=')");

    private static final long SEED = Long.getLong("sql.seed", System.nanoTime());
    private static final SqlAnalyzer ANALYZER = new SqlAnalyzer();

    private static @Nullable String uncommented(String sql) {
        return uncommented(sql, true);
    }

    private static @Nullable String uncommented(String sql, boolean conforming) {
        byte[] bytes = sql.getBytes(UTF_8);
        ANALYZER.analyze(Unpooled.wrappedBuffer(bytes), 0, bytes.length, conforming, false);
        byte[] left = ANALYZER.uncommented();
        if (left == null) {
            return null;
        }
        assertThat(left[left.length - 1]).isZero();
        return new String(left, 0, left.length - 1, UTF_8);
    }

    /** What is compared: the text itself where nothing is left out. */
    private static String compared(String sql) {
        String left = uncommented(sql);
        return left == null ? sql : left;
    }

    @Test
    void aBlockLeavesNothingBesideWhiteSpaceAndASpaceBetweenSigns() {
        assertThat(uncommented("SELECT 1 /*traceparent='00-1-2-01'*/")).isEqualTo("SELECT 1 ");
        assertThat(uncommented("SELECT 1/*x*/")).isEqualTo("SELECT 1");
        assertThat(uncommented("/*x*/SELECT 1")).isEqualTo("SELECT 1");
        assertThat(uncommented("SELECT/*x*/1")).isEqualTo("SELECT 1");
        assertThat(uncommented("SELECT (/*x*/1,/*y*/2/*z*/)")).isEqualTo("SELECT (1,2)");
        assertThat(uncommented("SELECT/*x*//*y*/1")).isEqualTo("SELECT 1");
        assertThat(uncommented("SELECT /*x*/1")).isEqualTo("SELECT 1");
        assertThat(uncommented("SELECT 1 +/*x*/-2")).isEqualTo("SELECT 1 + -2");
        assertThat(uncommented("SELECT/* a /* b */ ; ' */1")).isEqualTo("SELECT 1");
        assertThat(uncommented("/*x*/")).isEmpty();
    }

    @Test
    void theEndOfALineStays() {
        assertThat(uncommented("SELECT 1 -- x")).isEqualTo("SELECT 1 ");
        assertThat(uncommented("SELECT--x\n1")).isEqualTo("SELECT\n1");
        assertThat(uncommented("SELECT--x\r\n1")).isEqualTo("SELECT\r\n1");
        assertThat(uncommented("SELECT/*x*/--y /*\n1")).isEqualTo("SELECT\n1");
        assertThat(uncommented("SELECT 'a' --x\n  'b'")).isEqualTo("SELECT 'a' \n  'b'");
        assertThat(uncommented("SELECT 'a' --x\n --'y\n  'b' --z")).isEqualTo("SELECT 'a' \n \n  'b' ");
        assertThat(uncommented("SELECT 'a' --x\n  FROM t")).isEqualTo("SELECT 'a' \n  FROM t");
    }

    @Test
    void whatOnlyLooksLikeACommentIsNone() {
        for (String text : List.of(
                "SELECT '/*x*/'",
                "SELECT '--x\n'",
                "SELECT 'it''s /* x */'",
                "SELECT E'\\'/*x*/'",
                "SELECT $$ /*x*/ --y\n $$",
                "SELECT $a$ $$ /*x*/ $a$",
                "SELECT \"a/*x*/b\"",
                "SELECT \"a\"\"--b\"",
                "SELECT U&'/*x*/'",
                "SELECT 1 - -1",
                "SELECT 2 * 3 / 4",
                "SELECT 1",
                "")) {
            assertThat(uncommented(text)).as(text).isNull();
        }
        assertThat(uncommented("SELECT '\\'/*x*/, '--'", true)).isEqualTo("SELECT '\\', '--'");
        assertThat(uncommented("SELECT '\\'/*x*/'", false)).isNull();
    }

    @Test
    void aHintStaysAndAHintForThePlannerKeepsAll() {
        assertThat(uncommented("/*pgproxy: cache ttl=3s*/ SELECT/*x*/1"))
                .isEqualTo("/*pgproxy: cache ttl=3s*/ SELECT 1");
        assertThat(uncommented("SELECT 1 -- pgproxy: nocache\n/*x*/")).isEqualTo("SELECT 1 -- pgproxy: nocache\n");
        assertThat(uncommented("/* pgproxy: nocache */ SELECT 1")).isNull();
        assertThat(uncommented("/*+ SeqScan(t) */ SELECT 1 /*x*/")).isNull();
        assertThat(uncommented("/*x /*+ SeqScan(t) */*/ SELECT 1")).isNull();
        assertThat(uncommented("SELECT 1 /*x*/ /*+ SeqScan(t) */")).isNull();
    }

    @Test
    void twoLiteralsDoNotBecomeOne() {
        assertThat(uncommented("SELECT 'a' /*x*/\n'b'")).isNull();
        assertThat(uncommented("SELECT 'a'\n/*x*/'b'")).isNull();
        assertThat(uncommented("SELECT 'a' /*x*/ --y\n 'b'")).isNull();
        assertThat(uncommented("SELECT 'a' /*x*/ --pgproxy: primary\n 'b'")).isNull();
        assertThat(uncommented("SELECT 'a' /*x*/\n, 'b'")).isEqualTo("SELECT 'a' \n, 'b'");
    }

    @Test
    void whatDoesNotEndOrCannotBeUnderstoodStaysAsItIs() {
        assertThat(uncommented("SELECT 1 /* x")).isNull();
        assertThat(uncommented("/*x*/ SELECT 'a")).isNull();
        assertThat(uncommented("SELECT " + "1 /*x*/, ".repeat(1000) + "1")).isNull();
        byte[] bytes = "SELECT 1 /*x*/".getBytes(UTF_8);
        ANALYZER.analyze(Unpooled.wrappedBuffer("é/*x*/".getBytes(UTF_8)), 0, 7, true, true);
        assertThat(ANALYZER.uncommented()).isNull();
        ANALYZER.analyze(Unpooled.wrappedBuffer(bytes), 0, bytes.length, true, true);
        assertThat(ANALYZER.uncommented()).isNotNull();
    }

    private static final String[] PIECES = {
        "SELECT", "a", "b1", "\"q\"\"--\"", "'x'", "''", "'it''s --'", "E'\\'/*'", "$$/*x*/$$", "$t$'$t$", "1", "2.5",
                ",", "+",
        "-", "*", "/", "(", ")", "<>", "::", "$1", "FROM", "é", "'/*'", "B'01'", ";", "@"
    };
    private static final String[] COMMENTS = {
        "/*x*/",
        "/**/",
        "/* /* ' */ */",
        "/*traceparent='00-1'*/",
        "/* -- */",
        "/*\n*/",
        "--x\n",
        "--\n",
        "-- '/*\n",
        "--\"\n",
        "/***/",
        "/* $$ */"
    };
    private static final String[] SPACES = {" ", "\n", "\t", "  ", "\r\n"};

    private static String pick(Random random, String[] from) {
        return from[random.nextInt(from.length)];
    }

    /** White space with places for comments: a comment to the end of its line is put before a newline of the text. */
    private static String render(List<String> pieces, List<String> spaces, boolean commented, Random random) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < pieces.size(); i++) {
            String space = spaces.get(i);
            for (int at = 0; at <= space.length(); at++) {
                boolean line = at < space.length() && space.charAt(at) == '\n';
                for (int n = commented ? random.nextInt(3) : 0; n > 0; n--) {
                    String comment = pick(random, COMMENTS);
                    if (comment.startsWith("/")) {
                        out.append(comment);
                    } else if (line && (at > 0 || i == 0 || !pieces.get(i - 1).equals("-"))) {
                        out.append(comment.strip());
                        break;
                    }
                }
                if (at < space.length()) {
                    out.append(space.charAt(at));
                }
            }
            out.append(pieces.get(i));
        }
        return out.toString();
    }

    @Test
    void textsThatDifferInCommentsOnlyAreOneAndOthersAreNot() {
        Random random = new Random(SEED);
        for (int round = 0; round < 20_000; round++) {
            List<String> pieces = new ArrayList<>();
            List<String> spaces = new ArrayList<>();
            for (int i = random.nextInt(8); i >= 0; i--) {
                boolean literals = !pieces.isEmpty() && pieces.getLast().endsWith("'");
                String piece = pick(random, PIECES);
                pieces.add(
                        literals && piece.endsWith("'") ? "," : piece); // two literals are one, or none of PostgreSQL's
                spaces.add(pick(random, SPACES));
            }
            String plain = render(pieces, spaces, false, random);
            String one = render(pieces, spaces, true, random);
            assertThat(compared(plain)).as("seed %d: %s", SEED, plain).isEqualTo(plain);
            assertThat(compared(one)).as("seed %d: %s", SEED, one).isEqualTo(plain);
            int at = random.nextInt(pieces.size());
            List<String> other = new ArrayList<>(pieces);
            other.set(at, pieces.get(at) + "x");
            assertThat(compared(render(other, spaces, true, random)))
                    .as("seed %d: %s", SEED, one)
                    .isNotEqualTo(plain);
        }
    }

    @Test
    void whatIsLeftHasTheSameTokens() {
        Random random = new Random(SEED);
        String[] all = {
            "'",
            "\"",
            "$$",
            "/*",
            "*/",
            "--",
            "\n",
            " ",
            "a",
            "1",
            "'a'",
            "E'",
            "\\",
            "+",
            "-",
            "/",
            "*",
            "U&",
            "pgproxy:"
        };
        for (int round = 0; round < 100_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(14); i >= 0; i--) {
                text.append(pick(random, all));
            }
            String sql = text.toString();
            String left = uncommented(sql);
            if (left != null) {
                assertThat(tokens(left)).as("seed %d: %s", SEED, sql).isEqualTo(tokens(sql));
                assertThat(compared(left)).as("seed %d: %s", SEED, sql).isEqualTo(left);
            }
        }
    }

    /** Types and texts of tokens; of literals their meaning, which comments between their parts do not change. */
    private static List<String> tokens(String sql) {
        SqlScanner scanner = new SqlScanner();
        byte[] bytes = sql.getBytes(UTF_8);
        scanner.reset(bytes, 0, bytes.length, true);
        List<String> tokens = new ArrayList<>();
        for (int type = scanner.next(); type != TokenType.END; type = scanner.next()) {
            String token = new String(bytes, scanner.start(), scanner.end() - scanner.start(), UTF_8);
            tokens.add(type + " " + (type == TokenType.STRING ? joined(token) : token));
        }
        return tokens;
    }

    /** A literal with a plus sign for whatever stands between its parts; what looks so within a part stays. */
    private static String joined(String literal) {
        boolean escapes = literal.startsWith("E");
        StringBuilder joined = new StringBuilder();
        boolean within = false;
        for (int at = 0; at < literal.length(); at++) {
            char c = literal.charAt(at);
            joined.append(c);
            if (within && at + 1 < literal.length() && (escapes && c == '\\' || literal.startsWith("''", at))) {
                joined.append(literal.charAt(++at));
            } else if (c == '\'') {
                within = !within;
                Matcher gap = GAP.matcher(literal).region(at + 1, literal.length());
                if (!within && gap.lookingAt()) {
                    joined.append('+');
                    at = gap.end() - 1;
                }
            }
        }
        return joined.toString();
    }
}
