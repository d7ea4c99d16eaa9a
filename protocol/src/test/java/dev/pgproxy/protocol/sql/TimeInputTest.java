package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class TimeInputTest {
    private static boolean mayBeIn(String constant) {
        byte[] text = ("SELECT " + constant + "::date now").getBytes(UTF_8);
        return TimeInput.mayBeIn(text, 7, 7 + constant.getBytes(UTF_8).length);
    }

    @Test
    void findsWhatStandsForTheMoment() {
        for (String constant : List.of(
                "'now'",
                "'NOW'",
                "' today '",
                "'Tomorrow 04:00'",
                "'04:00 yesterday'",
                "'today+1'",
                "$$now$$",
                "$x$now$x$",
                "N'now'",
                "E'now'",
                "E'\\x6eow'",
                "U&'\\006eow'",
                "'to'\n'day'")) {
            assertThat(mayBeIn(constant)).as(constant).isTrue();
        }
        assertThat(TimeInput.isIn("today")).isTrue();
        assertThat(TimeInput.isIn("2026-01-01 now")).isTrue();
    }

    @Test
    void leavesOtherTextsAlone() {
        for (String constant : List.of(
                "''",
                "'known'",
                "'nowhere'",
                "'snow'",
                "'todays'",
                "'O''Brien'",
                "'a\\b'",
                "E'plain'",
                "E'b\\'\\n'",
                "'infinity'",
                "'2026-11-21'",
                "'a\nb'",
                "'" + "long ".repeat(20) + "now'")) {
            assertThat(mayBeIn(constant)).as(constant).isFalse();
        }
        assertThat(TimeInput.isIn("known")).isFalse();
        assertThat(TimeInput.isIn("")).isFalse();
        assertThat(TimeInput.isIn("long ".repeat(20) + "now")).isFalse();
    }
}
