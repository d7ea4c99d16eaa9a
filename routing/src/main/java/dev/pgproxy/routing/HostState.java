package dev.pgproxy.routing;

/**
 * What was known of a host at one moment. Immutable.
 *
 * @param host which
 * @param role what it said it is
 * @param freshAsOf everything acknowledged by the primary before this {@link dev.pgproxy.routing.freshness.Monotonic}
 *     moment has been replayed here; {@link #NEVER} if that is not known
 * @param lagBytes WAL that the primary had and this host had not replayed; -1 if unknown
 * @param weight its share of reads now: the configured weight, lowered by load and slow start; 0 or more
 * @param polledAt when the answer was asked for that this rests on: a connection to a replica whose login ended later may be
 *     to one that has restarted since, from an older position; {@link #NEVER} if it does not answer
 * @param position where the primary writes WAL, or up to where the replica has replayed it; 0 if unknown
 * @param broken a replica that answers questions but fails logins, or did until a moment ago: it gets no reads
 */
public record HostState(
        Host host,
        HostRole role,
        long freshAsOf,
        long lagBytes,
        double weight,
        long polledAt,
        long position,
        boolean broken) {
    /** Before every moment. */
    public static final long NEVER = -1;
}
