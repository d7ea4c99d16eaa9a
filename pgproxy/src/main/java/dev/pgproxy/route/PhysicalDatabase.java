package dev.pgproxy.route;

import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.HostAddress;

/**
 * A database as its servers know it: several names of the configuration may lead to it. Immutable.
 *
 * @param primary where its cluster's primary is
 * @param name its name there
 */
public record PhysicalDatabase(HostAddress primary, String name) {
    /** What clients reach who ask for {@code asked}. */
    public static PhysicalDatabase of(DatabaseSettings database, String asked) {
        return new PhysicalDatabase(database.primary(), database.serverDatabase(asked));
    }
}
