package dev.pgproxy.cache.feed;

import java.util.Set;

/**
 * A transaction of the stream. Immutable.
 *
 * @param xid the lower 32 bits of its number
 * @param tables that it changed, unless it is everything
 * @param everything whether it changed too many to tell, or something that was not understood
 * @param changes rows changed and tables truncated
 * @param committed when, in microseconds since 1970 by the server's clock; 0 if that is not known
 */
record Written(int xid, Set<TableName> tables, boolean everything, long changes, long committed) {}
