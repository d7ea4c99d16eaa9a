package dev.pgproxy.routing;

/**
 * A PostgreSQL server as configured. Immutable.
 *
 * @param index its place among the hosts of its cluster: 0 is the configured primary, replicas follow in their order
 * @param name its address as configured, for people and as identity
 * @param weight its share of reads against that of other replicas; 0 = none but what others cannot answer
 */
public record Host(int index, String name, int weight) {
    @Override
    public String toString() {
        return name;
    }
}
