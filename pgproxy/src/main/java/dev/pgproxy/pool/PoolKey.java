package dev.pgproxy.pool;

/**
 * Which servers may serve the same clients. Immutable.
 *
 * @param database as clients name it
 * @param user as clients name it
 * @param asItself whether {@code user} logs in to servers even where the database has one user for all clients
 */
public record PoolKey(String database, String user, boolean asItself) {
    /** The pool of a client. */
    public PoolKey(String database, String user) {
        this(database, user, false);
    }

    @Override
    public String toString() {
        return database + "/" + user;
    }
}
