package dev.pgproxy.auth;

import org.jspecify.annotations.Nullable;

/**
 * What one line of {@code pg_hba.conf} asks of those to whom it applies. Immutable.
 *
 * @param line where it stands, counted from 1, so that a refusal can name it
 * @param clientCertificate asked for in addition to the method; VERIFY_FULL with method cert, VERIFY_CA if it has a map
 * @param map of {@link IdentMaps}, by which another name may be the user; null = it must be the same
 */
public record HbaRule(
        int line,
        AuthMethod method,
        ClientCertificate clientCertificate,
        @Nullable String map) {
    HbaRule(int line, AuthMethod method, ClientCertificate clientCertificate) {
        this(line, method, clientCertificate, null);
    }
}
