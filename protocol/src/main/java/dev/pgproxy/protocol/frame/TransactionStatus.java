package dev.pgproxy.protocol.frame;

/** The status byte of ReadyForQuery. Source: manual, "Message Formats", ReadyForQuery. */
public final class TransactionStatus {
    /** Not in a transaction block. */
    public static final byte IDLE = 'I';
    /** In a transaction block. */
    public static final byte IN_TRANSACTION = 'T';
    /** In a failed transaction block: everything but its end is refused. */
    public static final byte FAILED = 'E';

    private TransactionStatus() {}
}
