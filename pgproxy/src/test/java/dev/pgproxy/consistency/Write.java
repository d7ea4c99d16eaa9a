package dev.pgproxy.consistency;

/** One version of one row, from its statement to its end. Guarded by its {@link Register}. */
final class Write {
    /** How far it has come. */
    enum State {
        /** Its statement may have run; nothing that commits it was sent. */
        PENDING,
        /** The message that may commit it was sent. */
        COMMITTING,
        COMMITTED,
        /** The connection was lost after the message that may commit it was sent. */
        UNKNOWN,
        ABORTED
    }

    final Register register;
    final long version;
    final String session;
    final String sql;

    /** Past the proxy: seen through it when it has been told. */
    final boolean outside;

    State state = State.PENDING;

    /** When the message that may commit it was sent. */
    long sent = Long.MAX_VALUE;

    /** When its writer got the answer to the commit. */
    long acknowledged = Long.MAX_VALUE;

    /** From its acknowledgement to the sending of the last read that lacked it; only if it is {@link #outside}. */
    long missed;

    /** A session that is not its writer, or no longer its transaction, has read it. */
    boolean seen;

    Write(Register register, long version, String session, String sql, boolean outside) {
        this.register = register;
        this.version = version;
        this.session = session;
        this.sql = sql;
        this.outside = outside;
    }

    boolean isAcknowledgedOutside() {
        return outside && state == State.COMMITTED;
    }

    @Override
    public String toString() {
        return (outside ? "past the proxy, " : "") + "version " + version + " by " + session + ", " + state + ": "
                + sql;
    }
}
