package dev.pgproxy.config;

import java.util.Locale;

/** When a server goes back to its pool; written in lower case in files. */
public enum PoolMode {
    /** When the client disconnects. */
    SESSION,
    /** When the transaction has ended. */
    TRANSACTION,
    /** When the statement has ended; transactions of several statements are refused. */
    STATEMENT;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
