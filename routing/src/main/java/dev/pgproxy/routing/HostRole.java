package dev.pgproxy.routing;

/** What a host says it is. Immutable. */
public enum HostRole {
    /** Not in recovery: it takes writes. */
    PRIMARY,
    /** In recovery, and answers. */
    REPLICA,
    /** It does not answer, or has not been asked yet. */
    UNKNOWN
}
