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
    State state = State.PENDING;

    /** When the message that may commit it was sent. */
    long sent = Long.MAX_VALUE;

    /** When its writer got the answer to the commit. */
    long acknowledged = Long.MAX_VALUE;

    /** A session that is not its writer, or no longer its transaction, has read it. */
    boolean seen;

    Write(Register register, long version, String session, String sql) {
        this.register = register;
        this.version = version;
        this.session = session;
        this.sql = sql;
    }

    @Override
    public String toString() {
        return "version " + version + " by " + session + ", " + state + ": " + sql;
    }
}
