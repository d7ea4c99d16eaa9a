package dev.pgproxy.results;

import dev.pgproxy.routing.catalog.CacheHindrance;
import java.util.Locale;

/** What became of a read, as far as the cache is concerned. Immutable. */
public enum CacheReason {
    HIT("answered from the cache"),
    SHADOW("its answer is in the cache, and a server answers: cache_mode = shadow"),
    MISS("cacheable, and not in the cache, or not true any more"),
    RENEWAL("in the cache, and soon or already over its time: asked of a server for all who are still served"),
    IN_DOUBT("a write to one of its tables is under way"),
    APART("there is no contact with the other instances, which may have written"),
    NOT_A_READ("it is no query that reads and does nothing else"),
    NO_TABLE("it reads no table"),
    NO_CATALOG("the definitions of the database are not known yet, or have just changed"),
    MOMENT("its value depends on the time"),
    CHANCE("its value depends on chance"),
    SESSION("its value depends on the session, the backend or the transaction"),
    HOST("its value depends on the host"),
    DEFINITIONS("it reads definitions: system catalogs, or functions that look at them"),
    FUNCTION("it calls a function of which it is not known what its value depends on"),
    FOREIGN_TABLE("it reads a foreign table"),
    TEMPORARY_RELATION("it reads a temporary relation"),
    UNKNOWN("what it reads is not known"),
    TIME_PARAMETER("a parameter may stand for the moment, such as 'now'"),
    TRANSACTION("its transaction has its own view of the data"),
    SERIALIZABLE("its transaction is SERIALIZABLE"),
    EXCHANGE("its messages are more than one whole execution of one statement"),
    COLUMNS("the client may have been told of other columns"),
    HINT("a hint says where it is to be answered, or not from the cache"),
    TOKEN("pgproxy.freshness asks for a position"),
    RULE("a rule of cache_rules says never"),
    SESSION_MODE("pool_mode = session: all its statements go to its server"),
    PINNED("its session keeps its server: SHOW PINS in the console says why"),
    SELDOM("its statement is hardly ever asked with the same values again: some in a second are looked up"),
    TOO_LONG("its text and parameters are too long to be looked up"),
    STALE_REPLICA("the replica that answers may lack a write to its tables: answered, and not kept");

    private final String description;

    CacheReason(String description) {
        this.description = description;
    }

    /** As it is counted under. */
    public String code() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** For people. */
    public String description() {
        return description;
    }

    /** Why such a result is not kept. */
    public static CacheReason of(CacheHindrance hindrance) {
        return switch (hindrance) {
            case WRITE, NOT_A_QUERY, ROW_LOCK -> NOT_A_READ;
            case UNKNOWN -> UNKNOWN;
            case MOMENT -> MOMENT;
            case CHANCE -> CHANCE;
            case SESSION -> SESSION;
            case HOST -> HOST;
            case DEFINITIONS -> DEFINITIONS;
            case VOLATILE_FUNCTION, STABLE_FUNCTION -> FUNCTION;
            case FOREIGN_TABLE -> FOREIGN_TABLE;
            case TEMPORARY_RELATION -> TEMPORARY_RELATION;
        };
    }
}
