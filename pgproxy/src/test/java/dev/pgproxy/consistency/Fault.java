package dev.pgproxy.consistency;

/** How a {@link SplitLink} is wrong. */
enum Fault {
    /** Not at all: everything goes to the primary. */
    NONE,
    /** Any replica for any read. */
    NO_CHECK,
    /** Any replica for a read, unless this session wrote within the last 50 ms. */
    OWN_WRITES_FOR_50_MS,
    /** One replica for all reads of a session. */
    STICKY_REPLICA,
    /** Each read of a read-only transaction on another replica; else right. */
    SCATTERED_SNAPSHOT,
    /** ROLLBACK commits; else right. */
    ROLLBACK_COMMITS,
    /** COMMIT rolls back; else right. */
    COMMIT_ROLLS_BACK
}
