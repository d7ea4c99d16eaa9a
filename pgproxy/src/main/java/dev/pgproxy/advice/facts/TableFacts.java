package dev.pgproxy.advice.facts;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A table, a materialized view, or a partitioned table with its partitions together. Immutable.
 *
 * @param kind as pg_class.relkind: r, m or p
 * @param parent of a partition; 0 = it is none
 * @param tuples estimated
 * @param pages as big as they are now
 * @param visible share of the pages whose rows all see, so that an index alone can answer; 0 for a partitioned table
 * @param partitionedBy columns of its partition key
 */
public record TableFacts(
        long oid,
        String schema,
        String name,
        char kind,
        long parent,
        double tuples,
        double pages,
        double visible,
        Activity activity,
        Set<String> partitionedBy,
        List<ColumnFacts> columns) {
    /** Smaller tables are read from end to end in no time: 1 MB. */
    private static final int FEW_PAGES = 128;

    private static final int FEW_TUPLES = 5000;

    /**
     * What the cumulative statistics count. Immutable.
     *
     * @param writes rows inserted, updated and deleted
     * @param changed rows since the last ANALYZE
     * @param isAnalyzed whether it ever was
     * @param live rows, estimated
     */
    public record Activity(
            long sequentialScans,
            long sequentialTuples,
            long indexScans,
            long writes,
            long changed,
            boolean isAnalyzed,
            long live) {}

    public TableFacts {
        partitionedBy = Set.copyOf(partitionedBy);
        columns = List.copyOf(columns);
    }

    /** Whether an index can be of any use. */
    public boolean isLarge() {
        return pages >= FEW_PAGES && tuples >= FEW_TUPLES;
    }

    /** The column of this name; null if there is none. */
    public @Nullable ColumnFacts column(String column) {
        for (ColumnFacts each : columns) {
            if (each.name().equals(column)) {
                return each;
            }
        }
        return null;
    }

    /** As SQL writes it. */
    public String sql() {
        return Identifier.quoted(schema) + "." + Identifier.quoted(name);
    }

    /** For people. */
    public String shown() {
        return schema + "." + name;
    }
}
