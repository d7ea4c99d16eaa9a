package dev.pgproxy.protocol.frame;

import dev.pgproxy.protocol.backend.SqlState;

/**
 * A peer broke the protocol: its connection ends with a FATAL error. Carries no stack trace, since it is the peer's
 * fault and a hostile peer must not make us do work. Immutable.
 */
public final class ProtocolViolation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final SqlState state;

    /** With SQLSTATE 08P01. */
    public ProtocolViolation(String message) {
        this(SqlState.PROTOCOL_VIOLATION, message);
    }

    /** With another SQLSTATE. */
    public ProtocolViolation(SqlState state, String message) {
        super(message, null, false, false);
        this.state = state;
    }

    /** The SQLSTATE to report. */
    public SqlState state() {
        return state;
    }

    /** The message to report. */
    public String message() {
        return String.valueOf(getMessage());
    }
}
