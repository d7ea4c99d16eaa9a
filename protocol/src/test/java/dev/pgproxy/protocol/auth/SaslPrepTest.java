package dev.pgproxy.protocol.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SaslPrepTest {
    @ParameterizedTest
    @CsvSource(
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "I\u00adX,IX",
                "user,user",
                "USER,USER",
                "\u00aa,a",
                "\u2168,IX",
                "a\u00a0b,a b",
                "a\u3000b,a b",
                "a\u200bb,a b",
                "e\u0301,\u00e9",
                "\u0627\u0651,\u0627\u0651",
            })
    void normalisesAsTheExamplesOfTheRfcAndOfPostgres(String given, String expected) {
        assertThat(prepared(given)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // control, private use, non-character, tag, and characters younger than Unicode 3.2
                "\u00ad\u0007",
                "\u00ad\ue000",
                "\u00ad\ufffe",
                "\u00ad\udb40\udc20",
                "\u00ad\u0221",
                "\u00ad\ud83d\ude00",
                // right to left mixed with left to right, or not at both ends
                "\u06271\u00ad",
                "\u0627\u00ada\u0627",
                // nothing left
                "\u00ad\u00ad",
            })
    void keepsAsItIsWhatTheProfileRefuses(String password) {
        assertThat(prepared(password)).isEqualTo(password);
    }

    @Test
    void keepsControlCharactersOfAscii() {
        byte[] password = {1, 7, 'a', 127};
        assertThat(SaslPrep.prepare(password)).isSameAs(password);
    }

    @Test
    void keepsBytesThatAreNotUtf8() {
        byte[] latin1 = {'a', (byte) 0xad, 'b'};
        byte[] surrogate = {(byte) 0xed, (byte) 0xa0, (byte) 0x80};
        byte[] overlong = {(byte) 0xc0, (byte) 0xaf};
        assertThat(SaslPrep.prepare(latin1)).isSameAs(latin1);
        assertThat(SaslPrep.prepare(surrogate)).isSameAs(surrogate);
        assertThat(SaslPrep.prepare(overlong)).isSameAs(overlong);
    }

    private static String prepared(String password) {
        return new String(SaslPrep.prepare(password.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
    }
}
