package dev.pgproxy.results;

import dev.pgproxy.protocol.backend.ResultColumns;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.TableClock;

/**
 * What decides whether a result is still true. Immutable; leads to no catalog.
 *
 * @param clock says when the database's relations were written
 * @param reads what the result was read from
 * @param columns what the statement gave; {@link ResultColumns#UNKNOWN} where that is in the answer itself
 */
public record Dependency(TableClock clock, RelationSet reads, ResultColumns columns) {
    /** Whether nothing that was acknowledged since, or may be happening, can have changed a result as of this moment. */
    boolean holds(long asOf) {
        return clock.lastWrite(reads) < asOf; // what is in doubt is later than every moment
    }
}
