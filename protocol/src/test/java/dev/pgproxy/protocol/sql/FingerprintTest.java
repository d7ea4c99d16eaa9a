package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FingerprintTest {
    private static void assertSame(String a, String b) {
        assertThat(Analysis.fingerprint(a)).as(b).isEqualTo(Analysis.fingerprint(b));
    }

    @Test
    void whiteSpaceCommentsCaseAndValuesDoNotCount() {
        assertSame("SELECT a FROM t WHERE b = 1", "select  A\n/* x */from T -- y\nwhere b=22.5");
        assertSame("SELECT 'a'", "SELECT $$b$$");
        assertSame("SELECT 'a'", "SELECT E'b\\''\n'c'");
        assertSame("SELECT $1", "SELECT $2");
        assertSame(
                "SELECT a_name_of_sixteen, and_a_longer_name_than_that",
                "select A_NAME_OF_SIXTEEN,And_A_Longer_Name_Than_That");
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
