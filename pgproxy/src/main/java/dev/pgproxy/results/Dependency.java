package dev.pgproxy.results;

import dev.pgproxy.protocol.backend.ResultColumns;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Mark;
import dev.pgproxy.routing.freshness.TableClock;
import java.util.List;

/**
 * What decides whether a result is still true. Immutable; leads to no catalog.
 *
 * @param clock says when the database's relations were written
 * @param reads what the result was read from
 * @param marks of its fingerprint and tags
 * @param columns what the statement gave; {@link ResultColumns#UNKNOWN} where that is in the answer itself
 */
public record Dependency(TableClock clock, RelationSet reads, List<Mark> marks, ResultColumns columns) {
    public Dependency {
        marks = List.copyOf(marks);
    }

    /** Whether nothing that was acknowledged since, or may be happening, can have changed a result as of this moment. */
    boolean holds(long asOf) {
        for (int i = 0; i < marks.size(); i++) {
            if (!marks.get(i).isBefore(asOf)) {
                return false;
            }
        }
        return clock.lastWrite(reads) < asOf; // what is in doubt is later than every moment
    }
}
