package dev.pgproxy.server;

/** States of a server connection, as PgBouncer's SHOW SERVERS names them. */
public enum ServerState {
    /** Connecting or logging in. */
    LOGIN("new"),
    /** In its pool. */
    IDLE("idle"),
    /** Leased to a client. */
    ACTIVE("active"),
    /** Not lent yet: it is being rolled back, reset, probed, or a cancel is in flight. */
    TESTED("tested"),
    /** Closed. */
    CLOSED("closed");

    private final String text;

    ServerState(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
