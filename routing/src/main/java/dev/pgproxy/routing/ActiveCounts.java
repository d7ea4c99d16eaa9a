package dev.pgproxy.routing;

/** How many statements run on each host now, as far as its owner knows. Confined to its event loop. */
@FunctionalInterface
public interface ActiveCounts {
    /** Statements that run on the host of this {@link Host#index()}. */
    int running(int hostIndex);
}
