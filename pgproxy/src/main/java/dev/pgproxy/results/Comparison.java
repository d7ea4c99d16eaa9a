package dev.pgproxy.results;

/** What came of comparing a server's answer with what the cache would have said in its place. Immutable. */
public enum Comparison {
    /** Byte for byte the same. */
    SAME,
    /** The same but for the order of rows. */
    REORDERED,
    /** Another answer. */
    DIFFERENT,
    /** One of its tables may have been written meanwhile: what was kept would not have been served any more. */
    OVERTAKEN
}
