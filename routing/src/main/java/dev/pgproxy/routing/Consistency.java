package dev.pgproxy.routing;

import java.util.Locale;

/** How old an answer from a replica may be. Immutable. */
public enum Consistency {
    /** No older than the last write to each of its tables that was acknowledged, to any session, before it was asked. */
    TABLE,
    /** No older than what its session has written or seen. */
    SESSION,
    /** No older than {@code max_replica_lag}. */
    EVENTUAL;

    /** As in the configuration. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
