package dev.pgproxy.protocol.auth;

import java.nio.charset.StandardCharsets;
import java.util.Random;

/** Draws passwords: bytes of ASCII, of all of Unicode, and bytes that are no UTF-8. */
final class RandomPasswords {
    private final Random random;

    RandomPasswords(long seed) {
        random = new Random(seed);
    }

    byte[] next() {
        int kind = random.nextInt(4);
        if (kind == 0) {
            byte[] bytes = new byte[1 + random.nextInt(80)];
            random.nextBytes(bytes);
            return bytes;
        }
        int limit = kind == 1 ? 0x7f : kind == 2 ? 0x3000 : 0x110000;
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(12);
        while (text.codePointCount(0, text.length()) < length) {
            int c = 1 + random.nextInt(limit - 1);
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                text.appendCodePoint(c);
            }
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    byte[] salt() {
        byte[] salt = new byte[1 + random.nextInt(40)];
        random.nextBytes(salt);
        return salt;
    }

    int below(int bound) {
        return random.nextInt(bound);
    }
}
