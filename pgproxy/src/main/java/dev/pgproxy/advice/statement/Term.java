package dev.pgproxy.advice.statement;

import dev.pgproxy.advice.facts.ColumnFacts;
import org.jspecify.annotations.Nullable;

/**
 * One of the conditions that all must hold of a row. Immutable.
 *
 * @param key name of the column, or the expression as {@link Expressions#canonical} writes it
 * @param column that it is about
 * @param isMany whether several values may be looked for
 * @param other for a join: whose column it is compared with; null = of something that has no statistics
 * @param otherColumn which one
 */
public record Term(
        Kind kind,
        String key,
        ColumnFacts column,
        boolean isMany,
        @Nullable TableUse other,
        @Nullable ColumnFacts otherColumn) {
    /** What is asked. */
    public enum Kind {
        EQUAL,
        RANGE,
        /** LIKE with a pattern that does not begin with a wildcard. */
        PREFIX,
        /** {@code @>} and {@code &&}. */
        CONTAINS,
        /** Equal to a column of another table. */
        JOIN,
        IS_NULL,
        IS_NOT_NULL,
        IS_TRUE,
        IS_FALSE
    }

    static Term of(Kind kind, String key, ColumnFacts column) {
        return new Term(kind, key, column, false, null, null);
    }

    /** Whether it is about an expression of the column. */
    public boolean isExpression() {
        return !key.equals(column.name());
    }

    /** Whether it is the same for all calls, so that a partial index can have it as its predicate. */
    public boolean isConstant() {
        return switch (kind) {
            case IS_NULL, IS_NOT_NULL, IS_TRUE, IS_FALSE -> !isExpression();
            case EQUAL, RANGE, PREFIX, CONTAINS, JOIN -> false;
        };
    }
}
