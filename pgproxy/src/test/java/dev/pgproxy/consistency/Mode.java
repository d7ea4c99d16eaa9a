package dev.pgproxy.consistency;

/**
 * What a read must at least return. In every mode, a version that was never written, was rolled back, or is not
 * committed yet by another session is a violation; so are two values of one snapshot that are always written together and
 * differ, a row that changes within a snapshot, and an error that no disturbance explains.
 *
 * <p>A version is <i>acknowledged</i> at the moment when its writer had the answer to the commit; it was <i>sent</i> at the
 * moment before the message that may commit it. One whose writer lost the connection in between may be read, and need not.
 * Reads in an explicit transaction that is not READ ONLY are held to {@link #TABLE} in every mode. The snapshot of
 * REPEATABLE READ and SERIALIZABLE is held to the moment before its first statement was sent. A session ends with its
 * connection.
 */
public enum Mode {
    /**
     * At least every version acknowledged, by anyone, before the read was sent; and what this session has read of the row
     * before, acknowledged or not.
     */
    TABLE,

    /**
     * At least what this session wrote or read of the row before, and every version acknowledged before its floor: the
     * latest moment at which a write was sent that this session made or whose version it read. So own writes, monotonic
     * reads, and causality: who reads a version sees everything that was acknowledged before that version was sent.
     */
    SESSION,

    /** At least every version acknowledged longer ago than the greatest lag and a slack. */
    EVENTUAL
}
