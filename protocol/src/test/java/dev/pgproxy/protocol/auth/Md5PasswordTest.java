package dev.pgproxy.protocol.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class Md5PasswordTest {
    /** Made by PostgreSQL 15 for user md5er. */
    private static final String HASH = "md59ee444bb93966d1d0a0c345ceda9fa96";

    private static final byte[] SALT = {1, 2, (byte) 0xfe, (byte) 0xff};

    @Test
    void hashesAsPostgresStores() {
        assertThat(Md5Password.hash("md5er", utf8("S\u20accret"))).isEqualTo(HASH);
    }

    @Test
    void answersAndVerifiesTheSaltedHash() throws Exception {
        byte[] answer = utf8(Md5Password.answer(HASH, SALT));
        byte[] input = new byte[36];
        System.arraycopy(utf8(HASH.substring(3)), 0, input, 0, 32);
        System.arraycopy(SALT, 0, input, 32, 4);
        byte[] digest = MessageDigest.getInstance("MD5").digest(input);
        assertThat(answer).isEqualTo(utf8("md5" + HexFormat.of().formatHex(digest)));
        assertThat(Md5Password.verify(HASH, SALT, answer)).isTrue();
        String shouted = "md5" + HASH.substring(3).toUpperCase(Locale.ROOT);
        assertThat(Md5Password.verify(shouted, SALT, answer)).isTrue();
    }

    @Test
    void refusesEveryOtherAnswer() {
        byte[] answer = utf8(Md5Password.answer(HASH, SALT));
        for (int i = 0; i < answer.length; i++) {
            byte[] other = answer.clone();
            other[i] ^= 1;
            assertThat(Md5Password.verify(HASH, SALT, other)).isFalse();
        }
        assertThat(Md5Password.verify(HASH, new byte[4], answer)).isFalse();
        assertThat(Md5Password.verify(HASH, SALT, new byte[0])).isFalse();
        assertThat(Md5Password.verify(HASH, SALT, utf8(HASH))).isFalse();
    }

    @Test
    void recognisesHashesByTheirForm() {
        assertThat(Md5Password.isHash(HASH)).isTrue();
        assertThat(Md5Password.isHash(HASH + "0")).isFalse();
        assertThat(Md5Password.isHash(HASH.substring(1) + "0")).isFalse();
        assertThat(Md5Password.isHash("md5" + "g".repeat(32))).isFalse();
        assertThat(Md5Password.isHash("md5" + "\uff11".repeat(32))).isFalse();
        assertThatThrownBy(() -> Md5Password.answer("secret", SALT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("secret");
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
