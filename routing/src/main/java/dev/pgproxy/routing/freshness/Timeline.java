package dev.pgproxy.routing.freshness;

/**
 * The history that a WAL position belongs to; positions of two histories cannot be compared. Immutable.
 *
 * @param systemIdentifier of the cluster, unsigned (pg_control_system())
 * @param number its timeline, 1 or more
 */
public record Timeline(long systemIdentifier, int number) {
    @Override
    public String toString() {
        return Long.toUnsignedString(systemIdentifier) + "/" + number;
    }
}
