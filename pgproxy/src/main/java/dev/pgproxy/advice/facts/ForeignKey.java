package dev.pgproxy.advice.facts;

import java.util.List;

/**
 * A foreign key. Immutable.
 *
 * @param table oid of the table that refers
 * @param target oid of the table that it refers to
 */
public record ForeignKey(String name, long table, long target, List<String> columns) {
    public ForeignKey {
        columns = List.copyOf(columns);
    }
}
