package dev.pgproxy.auth;

/**
 * What one line of {@code pg_hba.conf} asks of those to whom it applies. Immutable.
 *
 * @param line where it stands, counted from 1, so that a refusal can name it
 * @param clientCertificate asked for in addition to the method; VERIFY_FULL with method cert
 */
public record HbaRule(int line, AuthMethod method, ClientCertificate clientCertificate) {}
