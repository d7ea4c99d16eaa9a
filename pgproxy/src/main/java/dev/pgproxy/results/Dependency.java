package dev.pgproxy.results;

import dev.pgproxy.cache.redis.Epoch;
import dev.pgproxy.protocol.backend.ResultColumns;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Mark;
import dev.pgproxy.routing.freshness.TableClock;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What decides whether a result is still true. Immutable; leads to no catalog.
 *
 * @param clock says when the database's relations were written
 * @param reads what the result was read from
 * @param marks of its fingerprint and tags
 * @param epoch what the written state of the tables is called in all instances; null if there is one, or nobody can know
 * @param columns what the statement gave; {@link ResultColumns#UNKNOWN} where that is in the answer itself
 */
public record Dependency(
        TableClock clock,
        RelationSet reads,
        List<Mark> marks,
        @Nullable Epoch epoch,
        ResultColumns columns) {
    public Dependency {
        marks = List.copyOf(marks);
    }

    /** The same of what gave these columns. */
    public Dependency with(ResultColumns known) {
        return known == columns ? this : new Dependency(clock, reads, marks, epoch, known);
    }

    /** The same as of this epoch. */
    public Dependency with(@Nullable Epoch known) {
        return Objects.equals(known, epoch) ? this : new Dependency(clock, reads, marks, known, columns);
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
