package dev.pgproxy.routing;

/**
 * How reads are spread over hosts. Immutable.
 *
 * @param algorithm among hosts that may all answer
 * @param primaryReads when the primary answers reads that a replica could answer
 * @param primaryWeight the primary's share of reads against that of replicas, for {@link PrimaryReads#ALWAYS}
 * @param maxReplicaLag in nanoseconds; a replica that is not known to be this fresh gets no reads;
 *     {@link Long#MAX_VALUE} for no limit
 */
public record ReadBalance(Balance algorithm, PrimaryReads primaryReads, double primaryWeight, long maxReplicaLag) {
    public ReadBalance {
        if (primaryWeight < 0 || !Double.isFinite(primaryWeight) || maxReplicaLag < 0) {
            throw new IllegalArgumentException("weight " + primaryWeight + ", lag " + maxReplicaLag);
        }
    }
}
