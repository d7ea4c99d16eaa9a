package dev.pgproxy.config;

import java.util.Locale;

/** How much TLS is asked of a connection; the modes of libpq's {@code sslmode}, for clients as in PgBouncer. */
public enum SslMode {
    /** No TLS. */
    DISABLE,
    /** TLS where the other side insists on it. */
    ALLOW,
    /** TLS where the other side can. */
    PREFER,
    /** TLS, certificate not checked. */
    REQUIRE,
    /** TLS with a certificate signed by a known authority. */
    VERIFY_CA,
    /** Also, for servers, the certificate must name the host; for clients the same as {@link #VERIFY_CA}. */
    VERIFY_FULL;

    /** Whether the other side's certificate is checked. */
    public boolean verifies() {
        return this == VERIFY_CA || this == VERIFY_FULL;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
