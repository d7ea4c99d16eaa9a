package dev.pgproxy.protocol.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;

/**
 * The password of servers and clients that know no SCRAM (PostgreSQL's manual, "AuthenticationMD5Password"). Stored is
 * {@code "md5" + hex(md5(password + user))}; the answer to a salt of four bytes is
 * {@code "md5" + hex(md5(the stored hexadecimal digits + salt))}. Stateless, thread-safe.
 */
public final class Md5Password {
    private static final String PREFIX = "md5";
    private static final int LENGTH = PREFIX.length() + 32;

    private Md5Password() {}

    /** Whether a stored password is such a hash; PostgreSQL, too, looks only at its form. */
    public static boolean isHash(String stored) {
        return stored.length() == LENGTH
                && stored.startsWith(PREFIX)
                && stored.chars().skip(PREFIX.length()).allMatch(c -> Character.digit(c, 16) >= 0 && c < 0x80);
    }

    /** What is stored for a user with this password. */
    public static String hash(String user, byte[] password) {
        return PREFIX + md5(password, user.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * The text of the PasswordMessage that answers a salt.
     *
     * @param hash what is stored, see {@link #hash}
     * @param salt the four bytes of AuthenticationMD5Password
     */
    public static String answer(String hash, byte[] salt) {
        if (!isHash(hash)) {
            throw new IllegalArgumentException("not the MD5 hash of a password");
        }
        String digits = hash.substring(PREFIX.length()).toLowerCase(Locale.ROOT);
        return PREFIX + md5(digits.getBytes(StandardCharsets.US_ASCII), salt);
    }

    /** Whether a client's PasswordMessage, without its zero byte, answers the salt for this stored hash. */
    public static boolean verify(String hash, byte[] salt, byte[] answer) {
        return MessageDigest.isEqual(answer(hash, salt).getBytes(StandardCharsets.US_ASCII), answer);
    }

    private static String md5(byte[] head, byte[] tail) {
        MessageDigest digest = Hashes.digest("MD5");
        digest.update(head);
        return HexFormat.of().formatHex(digest.digest(tail));
    }
}
