package dev.pgproxy.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.backend.ErrorFields;
import org.junit.jupiter.api.Test;

final class ApplicationNameTest {
    @Test
    void whatIsNoPrintableAsciiIsShownAsTheVersionDoes() {
        ApplicationName name = new ApplicationName("app\n" + "\u00fc");
        assertThat(name.reported("15.4 (Debian 15.4-1)")).isEqualTo("app???");
        assertThat(name.reported("18beta1")).isEqualTo("app\\x0a\\xc3\\xbc");
        assertThat(name.reported(null)).isEqualTo("app\\x0a\\xc3\\xbc");
    }

    @Test
    void onlyWholeCharactersOf63BytesAreKept() {
        assertThat(new ApplicationName("x".repeat(70)).reported("18.1")).isEqualTo("x".repeat(63));
        assertThat(new ApplicationName("x".repeat(61) + "\u20ac").reported("18.1"))
                .isEqualTo("x".repeat(61));
        assertThat(new ApplicationName("x".repeat(60) + "\u20ac").notice("notice"))
                .isNull();
        ErrorFields notice = new ApplicationName("x".repeat(61) + "\u20ac").notice("notice");
        assertThat(notice == null ? "" : notice.message()).endsWith("truncated to \"" + "x".repeat(61) + "\"");
        assertThat(new ApplicationName("x".repeat(70)).notice("WARNING")).isNull();
    }
}
