package dev.pgproxy.cache.redis;

/** What the other instances know of this one's writes. */
public enum Standing {
    /** They hear of each write before it is sent. */
    MEMBER,

    /**
     * Out of contact, and they know it: none of them serves hits until this one is back, or is forgotten. Writes are as
     * visible as ever.
     */
    APART,

    /**
     * Out of contact, and they may serve hits: this one never reached Redis, or has been away for longer than {@code
     * forgetAfter}. Its writes are to them what those of a stranger are. Who must not allow that refuses writes meanwhile.
     */
    UNSEEN
}
