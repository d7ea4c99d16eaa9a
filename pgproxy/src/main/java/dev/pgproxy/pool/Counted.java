package dev.pgproxy.pool;

import java.util.Map;

/**
 * What was counted since the program started, in the order of {@link PoolCounters.Counter}. Owned by whoever asked.
 *
 * @param databases by their names, in order
 * @param elsewhere of databases of the wildcard that nobody uses any longer
 */
public record Counted(Map<String, long[]> databases, long[] elsewhere) {}
