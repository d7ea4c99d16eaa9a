package dev.pgproxy.advice.facts;

import java.util.List;

/**
 * An index. Immutable.
 *
 * @param table its oid
 * @param method btree, gin …
 * @param isValid complete, and used by the planner
 * @param isConstraint whether a constraint, a foreign key elsewhere or the replica identity needs it
 * @param isPartitioned whether it belongs to an index of a partitioned table, or is one
 * @param keys in their order, without those of INCLUDE
 * @param included columns of INCLUDE
 * @param predicate of a partial index, as PostgreSQL writes it; empty = of all rows
 * @param bytes as big as it is
 * @param scans on the primary and the replicas
 */
public record IndexFacts(
        long oid,
        long table,
        String schema,
        String name,
        String method,
        boolean isUnique,
        boolean isValid,
        boolean isConstraint,
        boolean isPartitioned,
        List<Key> keys,
        List<String> included,
        String predicate,
        long bytes,
        long scans) {
    /**
     * One of its keys. Immutable.
     *
     * @param text name of a column, not quoted, or an expression as PostgreSQL writes it
     * @param opclass its name
     * @param collation its oid
     * @param option as pg_index.indoption: 1 = descending, 2 = nulls first
     */
    public record Key(String text, boolean isExpression, String opclass, long collation, int option) {}

    public IndexFacts {
        keys = List.copyOf(keys);
        included = List.copyOf(included);
    }

    /** The same with scans elsewhere counted too. */
    public IndexFacts withScans(long more) {
        return new IndexFacts(
                oid,
                table,
                schema,
                name,
                method,
                isUnique,
                isValid,
                isConstraint,
                isPartitioned,
                keys,
                included,
                predicate,
                bytes,
                scans + more);
    }

    /** As SQL writes it. */
    public String sql() {
        return Identifier.quoted(schema) + "." + Identifier.quoted(name);
    }
}
