package dev.pgproxy.routing;

import java.util.Locale;

/** Which of the reads that a replica may answer the primary takes. Immutable. */
public enum PrimaryReads {
    /**
     * None of them while a replica answers, even if it lags more than allowed; and none at all while no replica answers, for
     * then the load of all would fall on the primary. Consistency goes first: a read that no replica is fresh enough for needs
     * the primary.
     */
    NEVER,
    /** Those that no replica can answer as well as was asked for. */
    FALLBACK,
    /** Its share, by its weight. */
    ALWAYS;

    /** As in the configuration. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
