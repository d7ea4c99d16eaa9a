package dev.pgproxy.insight;

import dev.pgproxy.protocol.sql.ValuePlaces;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.StatementShape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which statement, for people, without the shape, which may be large. Immutable.
 *
 * @param high of its shape, as {@code low}
 * @param fingerprint the same in every process
 * @param text without literals
 * @param facts what it names; null if that was not known yet
 * @param keys the columns that are compared with values
 */
public record Statement(
        long high,
        long low,
        String fingerprint,
        String text,
        @Nullable StatementShape facts,
        List<String> keys) {
    public Statement {
        keys = List.copyOf(keys);
    }

    static Statement of(Shape shape) {
        ValuePlaces places = shape.values();
        return new Statement(
                shape.high(),
                shape.low(),
                shape.fingerprint(),
                shape.masked(),
                shape.facts(),
                places == null ? List.of() : places.columns());
    }

    boolean isOf(Shape shape) {
        return low == shape.low() && high == shape.high();
    }

    boolean isSame(Statement other) {
        return low == other.low && high == other.high;
    }
}
