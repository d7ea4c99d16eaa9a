package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FingerprintTest {
    private static void assertSame(String a, String b) {
        assertThat(Analysis.fingerprint(a)).as(b).isEqualTo(Analysis.fingerprint(b));
    }

    @Test
    void whiteSpaceCommentsCaseAndValuesDoNotCount() {
        assertSame("SELECT a FROM t WHERE b = 1", "select  A\n/* x */from T -- y\nwhere b=22.5");
        assertSame("SELECT 'a'", "SELECT $$b$$");
        assertSame("SELECT 'a'", "SELECT E'b\\''");
        assertSame("SELECT 'a'\n'b'", "SELECT 'c'\n\n'd'");
        assertSame("SELECT 'today'", "SELECT 'now'");
        assertSame("SELECT $1", "SELECT $2");
        assertSame(
                "SELECT a_name_of_sixteen, and_a_longer_name_than_that",
                "select A_NAME_OF_SIXTEEN,And_A_Longer_Name_Than_That");
    }

    @Test
    void whatStandsForTheMomentCounts() {
        assertDifferent("SELECT 'now'", "SELECT 'a'");
        assertDifferent("SELECT a IN ('b', 'today')", "SELECT a IN ('b', 'c')");
    }

    @Test
    void constantsInARowCountAsOne() {
        assertSame("SELECT * FROM t WHERE a IN (1, 2)", "SELECT * FROM t WHERE a IN (1 , /* x */ 2,3,$4,'5', B'6')");
        assertSame("SELECT * FROM t WHERE a IN ($1)", "SELECT * FROM t WHERE a IN ($1,$2,$3)");
        assertSame("INSERT INTO t VALUES (1, 'a'), (2, 'b')", "INSERT INTO t VALUES (1), (2, 'b', 4)");
        assertSame("SELECT a, 1, 2, b, 3, 4", "SELECT a, 1, b, 3");
        assertDifferent(
                "SELECT 1, 2",
                "SELECT 'a', 2",
                "SELECT $1, 2",
                "SELECT 1 2",
                "SELECT 1,, 2",
                "SELECT 1, ",
                "SELECT , 1");
        assertDifferent("SELECT 1, a", "SELECT 1", "SELECT 1, a, 2", "SELECT a, 1", "SELECT 1, -2", "SELECT 1, (2)");
        assertDifferent("VALUES (1, 2)", "VALUES (1), (2)", "VALUES (1), (2), (3)", "VALUES (1, NULL, 2)");
        assertDifferent("SELECT 1; 2", "SELECT 1", "SELECT 1, 2;", "SELECT 1.a", "SELECT 1::a, 2", "SELECT f(1, 2)");
    }

    private static void assertDifferent(String... texts) {
        assertThat(Arrays.stream(texts).map(Analysis::fingerprint)).doesNotHaveDuplicates();
    }

    /** Texts are equal where they are the same tokens once runs of constants are one: checked by writing the tokens out. */
    @Test
    void randomTextsAreEqualIfAndOnlyIfTheyDifferInConstants() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String[] constants = {"1", "2.5e3", "'x'", "$7", "B'1'", "$$y$$"};
        String[] types = {"@n", "@n", "@s", "@p", "@b", "@s"};
        String[] others = {"a", "b", "\"a\"", "NULL", "IN", "+", "<", "(", ")", "::", ";", ".", "["};
        Map<String, String> keys = new HashMap<>();
        Map<String, String> fingerprints = new HashMap<>();
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder();
            StringBuilder key = new StringBuilder();
            boolean constant = false;
            boolean comma = false;
            for (int tokens = 1 + random.nextInt(6); tokens > 0; tokens--) {
                int dice = random.nextInt(10);
                String token = dice < 4 ? "," : others[random.nextInt(others.length)];
                if (dice > 5) {
                    int which = random.nextInt(constants.length);
                    token = constants[which];
                    if (comma && constant) {
                        key.setLength(key.length() - 2); // without the comma
                    } else {
                        key.append(types[which]).append(' ');
                    }
                    constant = true;
                    comma = false;
                } else {
                    key.append(token).append(' ');
                    constant &= token.equals(",") && !comma;
                    comma = token.equals(",");
                }
                text.append(token).append(random.nextBoolean() ? " " : " /* 1, 2 */ ");
            }
            String fingerprint = Analysis.fingerprint(text.toString());
            assertThat(keys.computeIfAbsent(key.toString(), ignored -> fingerprint))
                    .as("seed %s: %s", seed, text)
                    .isEqualTo(fingerprint);
            assertThat(fingerprints.computeIfAbsent(fingerprint, ignored -> key.toString()))
                    .as("seed %s: %s", seed, text)
                    .isEqualTo(key.toString());
        }
    }

    @Test
    void structureCounts() {
        String[] texts = {
            "SELECT a",
            "SELECT b",
            "SELECT \"a\"",
            "SELECT \"A\"",
            "SELECT a b",
            "SELECT ab",
            "SELECT a, b",
            "SELECT 1",
            "SELECT '1'",
            "SELECT $1",
            "SELECT -1",
            "SELECT a.b",
            "SELECT aaaaaaaabbbbbbbb",
            "SELECT aaaaaaaa bbbbbbbb",
            "SELECT bbbbbbbbaaaaaaaa",
            "SELECT aaaaaaaa",
            "SELECT a <= b",
            "SELECT a < = b",
            "SELECT a < b",
            "SELECT (a)",
            "SELECT ((a))",
            "SELECT B'1'",
            "SELECT U&\"a\"",
            "SELECT",
            "",
            ";",
            "SELECT a::b",
            "SELECT a:b"
        };
        Map<String, String> seen = new HashMap<>();
        for (String text : texts) {
            assertThat(seen.put(Analysis.fingerprint(text), text)).as(text).isNull();
        }
    }

    @Test
    void withoutASeedItStaysTheSameForever() {
        assertThat(Analysis.fingerprint("SELECT a FROM t WHERE b = $1")).isEqualTo("7f04129f80f5b1b3:33a9f1305c359d3a");
    }

    @Test
    void aSeedChangesIt() {
        byte[] sql = "SELECT 1".getBytes(UTF_8);
        SqlAnalyzer one = new SqlAnalyzer(1);
        SqlAnalyzer two = new SqlAnalyzer(2);
        one.analyze(Unpooled.wrappedBuffer(sql), 0, sql.length, true, false);
        two.analyze(Unpooled.wrappedBuffer(sql), 0, sql.length, true, false);
        assertThat(one.fingerprintHigh()).isNotEqualTo(two.fingerprintHigh());
        assertThat(one.fingerprintLow()).isNotEqualTo(two.fingerprintLow());
    }
}
