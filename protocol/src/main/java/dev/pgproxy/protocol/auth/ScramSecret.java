package dev.pgproxy.protocol.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The verifier that a server stores instead of a password, as in {@code pg_authid.rolpassword}:
 * {@code SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>}, the last three in base64 (PostgreSQL's manual,
 * "pg_authid"). Immutable; shows nothing of itself.
 */
public final class ScramSecret {
    /** How PostgreSQL's verifiers begin. */
    public static final String PREFIX = "SCRAM-SHA-256$";

    /** PostgreSQL's {@code scram_iterations} unless changed. */
    public static final int DEFAULT_ITERATIONS = 4096;

    /** Bytes of salt that PostgreSQL draws. */
    public static final int SALT_LENGTH = 16;

    private static final Pattern FORMAT = Pattern.compile("SCRAM-SHA-256\\$([0-9]{1,10}):([^$:]+)\\$([^$:]+):([^$:]+)");

    private final int iterations;
    private final byte[] salt;
    private final byte[] storedKey;
    private final byte[] serverKey;

    ScramSecret(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) {
        this.iterations = iterations;
        this.salt = salt.clone();
        this.storedKey = storedKey.clone();
        this.serverKey = serverKey.clone();
    }

    /** The verifier that the text spells, or null if it spells none. */
    public static @Nullable ScramSecret parse(String text) {
        Matcher matcher = FORMAT.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        long iterations = Long.parseLong(matcher.group(1));
        byte[] salt = Base64Text.decode(matcher.group(2));
        byte[] storedKey = Base64Text.decode(matcher.group(3));
        byte[] serverKey = Base64Text.decode(matcher.group(4));
        if (iterations < 1
                || iterations > Integer.MAX_VALUE
                || salt == null
                || storedKey == null
                || storedKey.length != Hashes.LENGTH
                || serverKey == null
                || serverKey.length != Hashes.LENGTH) {
            return null;
        }
        return new ScramSecret((int) iterations, salt, storedKey, serverKey);
    }

    /** The verifier of a password, see {@link ScramKeys#derive}. Takes milliseconds. */
    public static ScramSecret derive(byte[] password, byte[] salt, int iterations) {
        return ScramKeys.derive(password, salt, iterations).secret();
    }

    /**
     * A salt that is always the same for this user and tells nothing: for users of whom no verifier is stored, and for
     * those who do not exist, so that an observer cannot tell one from the other by asking twice.
     *
     * @param processSecret random bytes drawn once per process
     */
    public static byte[] stableSalt(String user, byte[] processSecret) {
        byte[] hash = Hashes.hmac(processSecret, user.getBytes(StandardCharsets.UTF_8));
        return Arrays.copyOf(hash, SALT_LENGTH);
    }

    /** A verifier that no password fits, with the {@link #stableSalt}: for {@link ScramServer#mock}. */
    public static ScramSecret mock(String user, byte[] processSecret, int iterations) {
        byte[] nothing = new byte[Hashes.LENGTH];
        return new ScramSecret(iterations, stableSalt(user, processSecret), nothing, nothing);
    }

    /** As PostgreSQL stores it, for {@link #parse}. Not for people. */
    public String format() {
        return PREFIX
                + iterations
                + ':'
                + Base64Text.encode(salt)
                + '$'
                + Base64Text.encode(storedKey)
                + ':'
                + Base64Text.encode(serverKey);
    }

    /** Whether this is the verifier of that password. Takes milliseconds. */
    public boolean accepts(byte[] password) {
        return MessageDigest.isEqual(
                storedKey, ScramKeys.derive(password, salt, iterations).storedKey());
    }

    public int iterations() {
        return iterations;
    }

    public byte[] salt() {
        return salt.clone();
    }

    public byte[] storedKey() {
        return storedKey.clone();
    }

    public byte[] serverKey() {
        return serverKey.clone();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ScramSecret that
                && iterations == that.iterations
                && MessageDigest.isEqual(salt, that.salt)
                && MessageDigest.isEqual(storedKey, that.storedKey)
                && MessageDigest.isEqual(serverKey, that.serverKey);
    }

    @Override
    public int hashCode() {
        return 31 * iterations + Arrays.hashCode(salt);
    }

    @Override
    public String toString() {
        return "ScramSecret[iterations=" + iterations + "]";
    }
}
