package dev.pgproxy.insight.log;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.health.probe.ControlTarget;
import org.jspecify.annotations.Nullable;

/** Where databases are. Thread-safe. */
public interface LogPlaces {
    /**
     * A database as its servers know it, whatever name it was asked for by. Immutable.
     *
     * @param primary as configured
     */
    record Place(HostAddress primary, String database) {
        @Override
        public String toString() {
            return primary + "/" + database;
        }
    }

    /** The database that clients reach who ask for {@code asked}; null if it is none of the configuration any more. */
    @Nullable
    Place of(String asked);

    /** Where its primary is now, and as whom to log in there; null if nobody knows. */
    @Nullable
    ControlTarget target(Place place);

    /** Whether this is its primary now. */
    boolean isPrimary(Place place, HostAddress host);
}
