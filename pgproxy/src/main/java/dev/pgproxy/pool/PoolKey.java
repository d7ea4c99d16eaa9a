package dev.pgproxy.pool;

import dev.pgproxy.config.HostAddress;
import org.jspecify.annotations.Nullable;

/**
 * Which servers may serve the same clients. Immutable.
 *
 * @param database as clients name it
 * @param user as clients name it
 * @param asItself whether {@code user} logs in to servers even where the database has one user for all clients
 * @param replica the replica its servers are on; null = wherever the database's primary is
 */
public record PoolKey(
        String database,
        String user,
        boolean asItself,
        @Nullable HostAddress replica) {
    /** The pool of a client. */
    public PoolKey(String database, String user) {
        this(database, user, false, null);
    }

    /** A pool on the primary. */
    public PoolKey(String database, String user, boolean asItself) {
        this(database, user, asItself, null);
    }

    /** The same on a replica, or on the primary for null. */
    public PoolKey on(@Nullable HostAddress host) {
        return new PoolKey(database, user, asItself, host);
    }

    @Override
    public String toString() {
        return database + "/" + user + (replica == null ? "" : "@" + replica);
    }
}
