package dev.pgproxy.routing;

import java.util.Locale;

/** How a read chooses among the replicas that may answer it. Immutable. */
public enum Balance {
    /** Smooth weighted round robin. */
    ROUND_ROBIN,
    /** The one with the fewest running, for its weight. */
    LEAST_ACTIVE,
    /** By weighted chance. */
    RANDOM;

    /** As in the configuration. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
