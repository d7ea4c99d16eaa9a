package dev.pgproxy.routing.catalog;

/** Why a statement cannot leave the primary, whatever is fresh. Immutable. */
public enum Hindrance {
    WRITE("it changes data, definitions or rights"),
    NOT_A_QUERY("it is not a query"),
    ROW_LOCK("it locks rows"),
    SESSION_STATE("it takes or changes state of the session: locks, sequences, large objects, notifications, settings"),
    UNPARSED("JSqlParser cannot read it, and it is not plainly harmless"),
    UNKNOWN_RELATION("it names a relation that the catalog does not know"),
    UNKNOWN_FUNCTION("it calls a function that the catalog does not know"),
    VOLATILE_FUNCTION("it calls a volatile function"),
    HOST_STATE("it asks for the state of the host, the backend, the transaction or the WAL"),
    TEMPORARY_RELATION("it names a temporary relation"),
    UNLOGGED_RELATION("it names an unlogged relation, which replicas do not have"),
    FOREIGN_TABLE("it names a foreign table"),
    VOLATILE_OPERATOR("it uses an operator, cast or type behind which is a volatile function");

    private final String description;

    Hindrance(String description) {
        this.description = description;
    }

    /** A sentence's end for people: "primary, because …". */
    public String description() {
        return description;
    }
}
