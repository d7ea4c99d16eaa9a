package dev.pgproxy.cache.feed;

/**
 * A table as the catalog spells it, without quotes. Immutable.
 *
 * @param schema as in pg_namespace.nspname
 * @param name as in pg_class.relname
 */
public record TableName(String schema, String name) {
    @Override
    public String toString() {
        return schema + "." + name;
    }
}
