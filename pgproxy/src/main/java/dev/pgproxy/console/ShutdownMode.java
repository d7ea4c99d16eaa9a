package dev.pgproxy.console;

/** How the program stops. */
public enum ShutdownMode {
    /** Now: clients are told, transactions are rolled back. */
    IMMEDIATE,
    /** When every server has been given back; clients that wait for one are sent away. */
    WAIT_FOR_SERVERS,
    /** When every client has been sent away at the end of its transaction. */
    WAIT_FOR_CLIENTS;

    /** The command, as its tag is, and as the log says it. */
    public String command() {
        return this == IMMEDIATE ? "SHUTDOWN" : "SHUTDOWN " + name();
    }
}
