package dev.pgproxy.cache.redis;

import java.util.Locale;

/** What a writer waits for, and so what a reader of another instance can count on. */
public enum Coherence {
    /**
     * A message that can commit waits until every instance that may serve hits holds its tables in doubt: no read is older
     * than what was acknowledged anywhere before it began.
     */
    STRICT,

    /** Nothing waits: a hit may be stale for as long as a message takes, or for a lease where messages fail. */
    PUSH;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
