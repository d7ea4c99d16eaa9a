package dev.pgproxy.migrate;

/** Why migrations stop, in words that say what to do. */
public final class MigrationException extends Exception {
    private static final long serialVersionUID = 1;

    MigrationException(String message) {
        super(message);
    }

    MigrationException(String message, Throwable cause) {
        super(message, cause);
    }
}
