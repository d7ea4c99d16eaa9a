package dev.pgproxy.protocol.auth;

import java.security.SecureRandom;

/** Draws nonces as PostgreSQL does: 18 random bytes, in base64. Thread-safe. */
final class Nonce {
    private static final int LENGTH = 18;
    private static final SecureRandom RANDOM = new SecureRandom();

    private Nonce() {}

    static String draw() {
        byte[] bytes = new byte[LENGTH];
        RANDOM.nextBytes(bytes);
        return Base64Text.encode(bytes);
    }
}
