package dev.pgproxy.advice.statement;

import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.facts.TableFacts;

/**
 * A condition that an ordinary index of its column cannot help. Immutable.
 *
 * @param text the operation, such as {@code date_trunc}, or the type that a value is cast to or is declared as
 */
public record Oddity(Kind kind, TableFacts table, ColumnFacts column, String text) {
    /** What is odd. */
    public enum Kind {
        /** LIKE or ILIKE with a wildcard in front. */
        LEADING_WILDCARD,
        /** A function, a cast or arithmetic around the column. */
        WRAPPED,
        /** The value has a type that the column's operators do not take. */
        CAST_VALUE,
        /** The same by what a driver declares of a parameter. */
        DECLARED_VALUE,
        /** NOT IN (SELECT column …). */
        NOT_IN
    }
}
