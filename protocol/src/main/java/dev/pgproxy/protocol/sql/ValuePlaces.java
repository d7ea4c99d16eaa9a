package dev.pgproxy.protocol.sql;

import java.util.List;

/**
 * Where in a text the values stand that pick its rows: equality, IN, LIKE and their like. What only says how far to read, behind
 * LIMIT, OFFSET, BETWEEN and comparisons by size, picks none; nor does a column that is compared by size elsewhere in the
 * text, as keyset pagination does. Immutable.
 *
 * @param keys bit n - 1 for {@code $n} that picks rows; parameters from 65 on are not told apart
 * @param single how many different parameters stand outside of IN lists
 * @param hasList whether there is an IN list of values
 * @param hasArray whether an array picks rows: {@code = ANY($1)}
 * @param hasKey whether any value picks rows, a literal or a parameter
 * @param columns the names of the columns that these are compared with, as far as they are plain
 */
public record ValuePlaces(
        long keys, int single, boolean hasList, boolean hasArray, boolean hasKey, List<String> columns) {
    public ValuePlaces {
        columns = List.copyOf(columns);
    }

    /** Whether so many parameters give an IN list more than one value. */
    public boolean isBatch(int parameters) {
        return hasArray || hasList && parameters - single > 1;
    }

    /** Whether the parameter, counted from 0, picks rows. */
    public boolean isKey(int parameter) {
        return parameter >= Long.SIZE || (keys >>> parameter & 1) != 0;
    }
}
