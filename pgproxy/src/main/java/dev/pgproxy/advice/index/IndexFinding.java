package dev.pgproxy.advice.index;

import org.jspecify.annotations.Nullable;

/**
 * Something to look at in the indexes of a database. Immutable.
 *
 * @param kind such as {@code unused}
 * @param index as PostgreSQL calls it; empty = it is about the table
 * @param bytes of the index, or of the table
 * @param scans of it that are counted; null = they are not what it is about
 * @param sql to copy; empty = none
 */
public record IndexFinding(
        String kind,
        String table,
        String index,
        long bytes,
        @Nullable Long scans,
        String reason,
        String sql) {}
