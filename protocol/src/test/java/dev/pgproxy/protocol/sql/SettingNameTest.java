package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SettingNameTest {
    private static boolean inFirstConstant(String sql) {
        byte[] text = sql.getBytes(UTF_8);
        int from = sql.indexOf('\'');
        return SettingName.isIn(text, from, sql.indexOf('\'', from + 1) + 1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT current_setting('app.tenant')",
                "current_setting('a.b', true)",
                "SELECT CURRENT_SETTING\n( 'a.b.c_1' )",
                "-- current_setting(\n'a.b'"
            })
    void plainNamesWithADotAreFound(String sql) {
        assertThat(inFirstConstant(sql)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT current_setting('work_mem')",
                "SELECT current_setting('a-b.c')",
                "SELECT current_setting('')",
                "SELECT current_setting(/* */'a.b')",
                "SELECT \"current_setting\"('a.b')",
                "SELECT current_settings('a.b')",
                "SELECT f('a.b')",
                "('a.b')",
                "'a.b'"
            })
    void othersAreNot(String sql) {
        assertThat(inFirstConstant(sql)).isFalse();
    }

    @Test
    void theFingerprintTellsThemApart() {
        assertThat(fingerprint("SELECT current_setting('app.a')"))
                .isEqualTo(fingerprint("SELECT current_setting( 'app.b' )"))
                .isNotEqualTo(fingerprint("SELECT current_setting('work_mem')"));
        assertThat(fingerprint("SELECT f('app.a')")).isEqualTo(fingerprint("SELECT f('work_mem')"));
    }

    private static long fingerprint(String sql) {
        byte[] text = sql.getBytes(UTF_8);
        SqlAnalyzer analyzer = new SqlAnalyzer();
        analyzer.analyze(Unpooled.wrappedBuffer(text), 0, text.length, true, false);
        return analyzer.fingerprintHigh();
    }
}
