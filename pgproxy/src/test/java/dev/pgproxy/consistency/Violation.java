package dev.pgproxy.consistency;

/** A promise that was broken, in words. Immutable. */
public record Violation(Kind kind, String words) {
    /** What was broken. */
    public enum Kind {
        /** Older than the mode promises. */
        STALE,
        /** Read by another session before anything that commits it was sent. */
        UNCOMMITTED,
        ROLLED_BACK,
        NEVER_WRITTEN,
        /** Values of one snapshot that are always written together differ, or one of them changed. */
        TORN,
        /** The format, the schema or the rows of a session with other settings. */
        OTHERS,
        /** Rows are missing or too many. */
        ROWS,
        /** An error that no disturbance explains. */
        ERROR
    }

    @Override
    public String toString() {
        return kind + ": " + words;
    }
}
