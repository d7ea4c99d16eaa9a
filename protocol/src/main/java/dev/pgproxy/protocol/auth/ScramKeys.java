package dev.pgproxy.protocol.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/**
 * What one password becomes under one salt and iteration count (RFC 5802 section 3): enough to prove the password to a
 * server that keeps the same salt and count, without the password. Deriving it costs milliseconds, so callers keep it.
 * Immutable; shows nothing of itself; lives in memory only.
 */
public final class ScramKeys {
    private static final byte[] CLIENT_KEY = "Client Key".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SERVER_KEY = "Server Key".getBytes(StandardCharsets.US_ASCII);

    private final byte[] salt;
    private final int iterations;
    private final byte[] clientKey;
    private final byte[] storedKey;
    private final byte[] serverKey;

    private ScramKeys(byte[] salt, int iterations, byte[] clientKey, byte[] storedKey, byte[] serverKey) {
        this.salt = salt;
        this.iterations = iterations;
        this.clientKey = clientKey;
        this.storedKey = storedKey;
        this.serverKey = serverKey;
    }

    /**
     * Derives the keys of a password.
     *
     * @param password its bytes as typed, in UTF-8 where that is known; {@link SaslPrep} is applied here
     * @param iterations at least 1
     */
    public static ScramKeys derive(byte[] password, byte[] salt, int iterations) {
        if (iterations < 1) {
            throw new IllegalArgumentException("iterations must be positive");
        }
        byte[] salted = Hashes.saltedPassword(SaslPrep.prepare(password), salt, iterations);
        byte[] clientKey = Hashes.hmac(salted, CLIENT_KEY);
        return new ScramKeys(
                salt.clone(), iterations, clientKey, Hashes.sha256(clientKey), Hashes.hmac(salted, SERVER_KEY));
    }

    /**
     * The keys of a client that has proved its password against this verifier.
     *
     * @throws IllegalArgumentException if that client key does not belong to the verifier
     */
    public static ScramKeys of(ScramSecret secret, byte[] clientKey) {
        byte[] storedKey = Hashes.sha256(clientKey);
        if (!MessageDigest.isEqual(storedKey, secret.storedKey())) {
            throw new IllegalArgumentException("the client key is not of this verifier");
        }
        return new ScramKeys(secret.salt(), secret.iterations(), clientKey.clone(), storedKey, secret.serverKey());
    }

    /** The verifier that a server would store. */
    public ScramSecret secret() {
        return new ScramSecret(iterations, salt, storedKey, serverKey);
    }

    /** Whether these keys answer a server that names this salt and this count. */
    public boolean fit(byte[] otherSalt, int otherIterations) {
        return iterations == otherIterations && MessageDigest.isEqual(salt, otherSalt);
    }

    public int iterations() {
        return iterations;
    }

    /** As good as the password towards every server with the same verifier. */
    public byte[] clientKey() {
        return clientKey.clone();
    }

    public byte[] storedKey() {
        return storedKey.clone();
    }

    public byte[] serverKey() {
        return serverKey.clone();
    }

    @Override
    public String toString() {
        return "ScramKeys[iterations=" + iterations + "]";
    }
}
