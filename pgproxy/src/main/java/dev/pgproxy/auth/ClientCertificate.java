package dev.pgproxy.auth;

/** What a rule demands of a client's TLS certificate, beside its method ({@code clientcert=}). Immutable. */
public enum ClientCertificate {
    /** None is needed. */
    NONE,
    /** One that a trusted authority has signed. */
    VERIFY_CA,
    /** The same, and its common name is the user. */
    VERIFY_FULL
}
