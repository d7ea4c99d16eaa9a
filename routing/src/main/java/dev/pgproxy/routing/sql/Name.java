package dev.pgproxy.routing.sql;

import org.jspecify.annotations.Nullable;

/**
 * The name of a relation, function or type as a text writes it, folded and unescaped as PostgreSQL does it. Immutable.
 *
 * @param schema null if search_path decides
 */
public record Name(@Nullable String schema, String name) {
    @Override
    public String toString() {
        return schema == null ? name : schema + "." + name;
    }
}
