package dev.pgproxy.protocol.auth;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The functions of RFC 5802 section 2.2 over SHA-256, and how a digest is fetched from the JDK. Stateless, thread-safe.
 */
final class Hashes {
    /** Bytes of a SHA-256 digest, and so of each SCRAM key. */
    static final int LENGTH = 32;

    private static final String HMAC = "HmacSHA256";

    private Hashes() {}

    static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no " + algorithm, e);
        }
    }

    static byte[] sha256(byte[] input) {
        return digest("SHA-256").digest(input);
    }

    static byte[] hmac(byte[] key, byte[] message) {
        return mac(key).doFinal(message);
    }

    /**
     * {@code Hi}: PBKDF2 with one block. Written on Mac because the JDK's own PBKDF2 takes characters, and a password
     * that is not valid UTF-8 is used as the bytes it is.
     */
    static byte[] saltedPassword(byte[] password, byte[] salt, int iterations) {
        try {
            Mac mac = mac(password);
            mac.update(salt);
            mac.update(new byte[] {0, 0, 0, 1});
            byte[] block = mac.doFinal();
            byte[] result = block.clone();
            for (int i = 1; i < iterations; i++) {
                mac.update(block);
                mac.doFinal(block, 0);
                for (int k = 0; k < LENGTH; k++) {
                    result[k] ^= block[k];
                }
            }
            return result;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] xor(byte[] left, byte[] right) {
        byte[] result = new byte[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            result[i] = (byte) (left[i] ^ right[i]);
        }
        return result;
    }

    private static Mac mac(byte[] key) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            // the JDK refuses an empty key; HMAC pads keys with zeros, so one zero byte is the same key
            mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, HMAC));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
