package dev.pgproxy.routing.catalog;

import org.jspecify.annotations.Nullable;

/** Why the result of a statement may not be kept in a result cache, however fresh its tables are. Immutable. */
public enum CacheHindrance {
    WRITE("it changes data, definitions or rights"),
    NOT_A_QUERY("it is not a query"),
    ROW_LOCK("it locks rows"),
    UNKNOWN("what it reads cannot be known"),
    MOMENT("its value depends on the time"),
    CHANCE("its value depends on chance"),
    SESSION("it asks for what belongs to the session, its backend, its transaction or its connection"),
    HOST("it asks for the state of the host or the WAL"),
    DEFINITIONS("it reads a system catalog"),
    VOLATILE_FUNCTION("it calls a volatile function"),
    STABLE_FUNCTION("it calls a stable function of which it is not known what it depends on"),
    FOREIGN_TABLE("it names a foreign table"),
    TEMPORARY_RELATION("it names a temporary relation");

    private final String description;

    CacheHindrance(String description) {
        this.description = description;
    }

    /** A sentence's end for people: "not cached, because …". */
    public String description() {
        return description;
    }

    /** What keeps a read from replicas keeps it from the cache too, but for what replicas merely do not have. */
    static @Nullable CacheHindrance of(Hindrance hindrance) {
        return switch (hindrance) {
            case WRITE -> WRITE;
            case NOT_A_QUERY -> NOT_A_QUERY;
            case ROW_LOCK -> ROW_LOCK;
            case SESSION_STATE -> SESSION;
            case UNPARSED, UNKNOWN_RELATION, UNKNOWN_FUNCTION -> UNKNOWN;
            case VOLATILE_FUNCTION, VOLATILE_OPERATOR -> VOLATILE_FUNCTION;
            case HOST_STATE -> HOST;
            case TEMPORARY_RELATION -> TEMPORARY_RELATION;
            case FOREIGN_TABLE -> FOREIGN_TABLE;
            case UNLOGGED_RELATION -> null;
        };
    }
}
