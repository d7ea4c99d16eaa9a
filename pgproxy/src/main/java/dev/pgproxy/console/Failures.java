package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;

/** Errors of the console; with PgBouncer's words and its SQLSTATE (08P01) where PgBouncer has the same. Stateless. */
final class Failures {
    private Failures() {}

    static ConsoleAnswer of(String message) {
        return new ConsoleAnswer.Failed(ErrorFields.error(SqlState.PROTOCOL_VIOLATION, message));
    }

    static ConsoleAnswer of(SqlState state, String message, String hint) {
        return new ConsoleAnswer.Failed(ErrorFields.error(state, message, hint));
    }

    static ConsoleAnswer unknown(String command) {
        return of(
                SqlState.PROTOCOL_VIOLATION,
                "invalid command '" + command + "', use SHOW HELP;",
                "This is the console of pgproxy, not a database: it knows the commands of SHOW HELP only.");
    }

    /** With lines that say what exactly is wrong. */
    static ConsoleAnswer detailed(SqlState state, String message, String detail) {
        return new ConsoleAnswer.Failed(ErrorFields.error(state, message).withDetail(detail));
    }
}
