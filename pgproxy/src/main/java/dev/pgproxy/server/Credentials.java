package dev.pgproxy.server;

import dev.pgproxy.protocol.auth.ScramKeys;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What a pool knows to prove who it is: a password, keys taken from a client's own SCRAM exchange, an md5 hash, or
 * nothing. Thread-safe; never shows itself.
 */
public final class Credentials {
    private volatile byte @Nullable [] password;
    private volatile @Nullable String md5;
    private volatile @Nullable ScramKeys keys;

    /** With a plain password, which may be all that is needed for every method. */
    public void password(String plain) {
        password = plain.getBytes(StandardCharsets.UTF_8);
    }

    /** With {@code md5…} as PostgreSQL stores it. */
    public void md5(String hash) {
        password = null;
        md5 = hash;
    }

    /** With keys, from a client's exchange or derived from the password. */
    public void keys(ScramKeys known) {
        keys = known;
    }

    /** The password and the md5 hash known so far are no longer the user's. */
    public void forgetPassword() {
        password = null;
        md5 = null;
    }

    /** Whether the plain password is known. */
    public boolean hasPassword() {
        return password != null;
    }

    byte @Nullable [] password() {
        return password;
    }

    @Nullable
    String md5() {
        return md5;
    }

    @Nullable
    ScramKeys keys() {
        return keys;
    }

    @Override
    public String toString() {
        return "****";
    }
}
