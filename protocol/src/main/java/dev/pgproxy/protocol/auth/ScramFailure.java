package dev.pgproxy.protocol.auth;

/**
 * The end of an exchange that did not prove what it should. Immutable, and without a stack trace, because peers cause it
 * at will.
 *
 * <p>{@link #getMessage} may be sent to the other side; {@link #reason} says precisely what was wrong and is for the
 * operator only, since with a wrong password it would tell an attacker whether the user exists. Neither holds a secret.
 *
 * <p>SQLSTATEs: 28P01 the password is wrong; 08P01 a message is malformed; 28000 the channel is not the one that was
 * proved, or the server did not prove itself; 0A000 an extension that nobody here speaks.
 */
public final class ScramFailure extends Exception {
    private static final long serialVersionUID = 1L;

    private final String sqlState;
    private final String reason;

    ScramFailure(String sqlState, String message, String reason) {
        super(message, null, false, false);
        this.sqlState = sqlState;
        this.reason = reason;
    }

    static ScramFailure malformed(String reason) {
        return new ScramFailure("08P01", "malformed SCRAM message", reason);
    }

    static ScramFailure unsupported(String message) {
        return new ScramFailure("0A000", message, message);
    }

    /** The five characters of the ErrorResponse. */
    public String sqlState() {
        return sqlState;
    }

    /** What exactly failed; for the log, not for the peer. */
    public String reason() {
        return reason;
    }
}
