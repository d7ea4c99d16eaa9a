package dev.pgproxy.client;

/** How far a client has come. */
public enum ClientStage {
    /** It has not proved who it is, or has gone. */
    LOGIN,
    /** It has, and waits for a server that tells what to greet it with. */
    LOGIN_WAITING,
    /** It sends queries. */
    QUERIES,
    /** It uses the console. */
    CONSOLE,
    /** It receives a physical replication stream. */
    PHYSICAL_REPLICATION,
    /** It receives a logical replication stream. */
    LOGICAL_REPLICATION;

    /** Whether it has logged in to a database with a pool. */
    public boolean isServed() {
        return this != LOGIN && this != CONSOLE;
    }

    /** As SHOW CLIENTS says it. */
    public String replication() {
        return switch (this) {
            case PHYSICAL_REPLICATION -> "physical";
            case LOGICAL_REPLICATION -> "logical";
            default -> "none";
        };
    }
}
