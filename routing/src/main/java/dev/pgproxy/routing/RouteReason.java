package dev.pgproxy.routing;

import dev.pgproxy.routing.catalog.Hindrance;
import java.util.Locale;

/** Why a statement went where it went: one code for each decision, counted and shown. Immutable. */
public enum RouteReason {
    // ---- to a replica
    FRESH(true, "a replica is fresh enough"),
    READ_ONLY_TRANSACTION(true, "its transaction is read only and stays on this replica"),
    HINT_REPLICA(true, "a hint asks for a replica"),
    HINT_HOST(true, "a hint names this host"),
    SHARE_OF_PRIMARY(false, "primary_reads = always: it is the primary's turn"),

    // ---- to the primary, for what the statement is: the hindrances of the catalog, by their names
    WRITE(Hindrance.WRITE),
    NOT_A_QUERY(Hindrance.NOT_A_QUERY),
    ROW_LOCK(Hindrance.ROW_LOCK),
    SESSION_STATE(Hindrance.SESSION_STATE),
    UNPARSED(Hindrance.UNPARSED),
    UNKNOWN_RELATION(Hindrance.UNKNOWN_RELATION),
    UNKNOWN_FUNCTION(Hindrance.UNKNOWN_FUNCTION),
    VOLATILE_FUNCTION(Hindrance.VOLATILE_FUNCTION),
    HOST_STATE(Hindrance.HOST_STATE),
    TEMPORARY_RELATION(Hindrance.TEMPORARY_RELATION),
    UNLOGGED_RELATION(Hindrance.UNLOGGED_RELATION),
    FOREIGN_TABLE(Hindrance.FOREIGN_TABLE),
    VOLATILE_OPERATOR(Hindrance.VOLATILE_OPERATOR),

    // ---- to the primary, for where it stands
    HINT_PRIMARY(false, "a hint asks for the primary"),
    TRANSACTION(false, "its transaction is on the primary"),
    SESSION_MODE(false, "pool_mode = session: everything stays on the client's server"),
    SERIALIZABLE(false, "its transaction is serializable, or repeatable read and may write"),
    TRANSACTION_BOUND(false, "its value is bound to the transaction"),
    OPEN_EXCHANGE(false, "it has no Sync yet, or is streamed"),
    NOT_READ_YET(false, "it is seen for the first time, and reading it takes too long"),
    NO_CATALOG(false, "the definitions in the database are not known yet, or have just changed"),
    LEARNT(false, "replicas have failed to answer it, and the primary has not"),

    // ---- to the primary, for what the replicas are
    IN_DOUBT(false, "a write to one of its tables has been sent and not been acknowledged"),
    NOT_FRESH(false, "no replica has replayed the last write to its tables yet"),
    LAGGING(false, "all replicas lag more than max_replica_lag"),
    NO_REPLICA(false, "no replica answers"),
    BROKEN(false, "replicas answer, but logins to them fail: see SHOW BREAKERS"),
    HINT_UNKNOWN_HOST(false, "a hint names a host that is not there, or cannot answer"),

    // ---- to the primary, after a replica was asked
    HEALED(false, "the replica failed before its first row; the primary answered in its place");

    private final boolean replica;
    private final String description;

    RouteReason(boolean replica, String description) {
        this.replica = replica;
        this.description = description;
    }

    RouteReason(Hindrance hindrance) {
        this(false, hindrance.description());
    }

    /** The reason of the same name. */
    public static RouteReason of(Hindrance hindrance) {
        return valueOf(hindrance.name());
    }

    /** Whether it leads to a replica. */
    public boolean isReplica() {
        return replica;
    }

    /** A sentence for people. */
    public String description() {
        return description;
    }

    /** As it is shown: in lower case. */
    public String code() {
        return name().toLowerCase(Locale.ROOT);
    }
}
