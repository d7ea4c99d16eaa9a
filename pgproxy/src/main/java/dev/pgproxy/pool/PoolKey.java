package dev.pgproxy.pool;

/**
 * Which servers may serve the same clients. Immutable.
 *
 * @param database as clients name it
 * @param user as clients name it
 */
public record PoolKey(String database, String user) {
    @Override
    public String toString() {
        return database + "/" + user;
    }
}
