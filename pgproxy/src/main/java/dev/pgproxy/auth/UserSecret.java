package dev.pgproxy.auth;

import dev.pgproxy.protocol.auth.Md5Password;
import dev.pgproxy.protocol.auth.ScramSecret;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/** What is stored to check the password of a user by. Immutable; shows nothing of itself. */
public sealed interface UserSecret {
    /** The secret that a stored text is, told by its form as PostgreSQL does; an empty text is none. */
    static UserSecret parse(String stored) {
        if (stored.isEmpty()) {
            return new NoPassword();
        }
        if (stored.startsWith(ScramSecret.PREFIX)) {
            ScramSecret secret = ScramSecret.parse(stored);
            if (secret == null) {
                throw new IllegalArgumentException("malformed SCRAM verifier; expected"
                        + " SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>");
            }
            return new ScramVerifier(secret);
        }
        return Md5Password.isHash(stored) ? new Md5Hash(stored) : new PlainPassword(stored);
    }

    /**
     * Whether a client that sent this password in clear text is the user. Takes milliseconds for a SCRAM verifier. An
     * empty password is never right, as in PostgreSQL.
     */
    boolean accepts(String user, byte[] password);

    /** The password itself: serves every method, and logs in to servers with any verifier. */
    record PlainPassword(String password) implements UserSecret {
        /** The password as it goes over the wire. */
        public byte[] bytes() {
            return password.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public boolean accepts(String user, byte[] given) {
            return given.length > 0 && MessageDigest.isEqual(bytes(), given);
        }

        @Override
        public String toString() {
            return "PlainPassword[]";
        }
    }

    /** A SCRAM verifier; with it the client's proof yields the keys to log in to servers that store the same. */
    record ScramVerifier(ScramSecret secret) implements UserSecret {
        @Override
        public boolean accepts(String user, byte[] given) {
            return given.length > 0 && secret.accepts(given);
        }
    }

    /** PostgreSQL's older hash: {@code md5} and 32 hexadecimal digits. Enough to log in to servers that ask for MD5. */
    record Md5Hash(String hash) implements UserSecret {
        @Override
        public boolean accepts(String user, byte[] given) {
            return given.length > 0
                    && MessageDigest.isEqual(
                            hash.getBytes(StandardCharsets.US_ASCII),
                            Md5Password.hash(user, given).getBytes(StandardCharsets.US_ASCII));
        }

        @Override
        public String toString() {
            return "Md5Hash[]";
        }
    }

    /** The user may not log in (NOLOGIN): he is told so once he has proved who he is, as PostgreSQL does. */
    record Barred(UserSecret secret) implements UserSecret {
        @Override
        public boolean accepts(String user, byte[] given) {
            return secret.accepts(user, given);
        }
    }

    /** The user exists but no password opens; only {@code trust}, {@code cert} and {@code peer} let him in. */
    record NoPassword() implements UserSecret {
        @Override
        public boolean accepts(String user, byte[] given) {
            return false;
        }
    }
}
