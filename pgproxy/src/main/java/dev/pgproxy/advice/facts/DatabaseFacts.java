package dev.pgproxy.advice.facts;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a database says of itself. Immutable. */
public final class DatabaseFacts {
    private final Map<Long, TableFacts> byOid = new HashMap<>();
    private final Map<String, List<TableFacts>> byName = new HashMap<>();
    private final Map<Long, List<IndexFacts>> indexes = new HashMap<>();
    private final List<ForeignKey> foreignKeys;
    private final Surroundings surroundings;

    /**
     * What is not of one table. Immutable.
     *
     * @param extensions that are installed
     * @param immutableFunctions functions of pg_catalog of one parameter that can be indexed, whatever its type
     * @param since when the cumulative statistics begin; null = with the database
     * @param open transactions that have been open for some time
     * @param isWhole whether the scans of all replicas are counted, too
     */
    public record Surroundings(
            Set<String> extensions,
            Set<String> immutableFunctions,
            PlannerCosts costs,
            @Nullable Instant since,
            List<OpenTransaction> open,
            boolean isWhole) {
        public Surroundings {
            extensions = Set.copyOf(extensions);
            immutableFunctions = Set.copyOf(immutableFunctions);
            open = List.copyOf(open);
        }
    }

    /** All of these. */
    public DatabaseFacts(
            List<TableFacts> tables,
            List<IndexFacts> indexes,
            List<ForeignKey> foreignKeys,
            Surroundings surroundings) {
        for (TableFacts table : tables) {
            byOid.put(table.oid(), table);
            byName.computeIfAbsent(table.name(), name -> new ArrayList<>(1)).add(table);
        }
        for (IndexFacts index : indexes) {
            this.indexes
                    .computeIfAbsent(index.table(), table -> new ArrayList<>(2))
                    .add(index);
        }
        this.foreignKeys = List.copyOf(foreignKeys);
        this.surroundings = surroundings;
    }

    /**
     * The table that a statement means; null if it is not known, or several schemas have one and the statement does not
     * say which: the search_path of its session is not known here.
     *
     * @param schema null = not said
     */
    public @Nullable TableFacts table(@Nullable String schema, String name) {
        List<TableFacts> named = byName.getOrDefault(name, List.of());
        if (schema == null) {
            return named.size() == 1 ? named.getFirst() : null;
        }
        for (TableFacts table : named) {
            if (table.schema().equals(schema)) {
                return table;
            }
        }
        return null;
    }

    /** By oid; null if it is not known. */
    public @Nullable TableFacts table(long oid) {
        return byOid.get(oid);
    }

    /** All of them. */
    public List<TableFacts> tables() {
        return List.copyOf(byOid.values());
    }

    /** Of a table. */
    public List<IndexFacts> indexes(TableFacts table) {
        return indexes.getOrDefault(table.oid(), List.of());
    }

    /** All of them. */
    public List<ForeignKey> foreignKeys() {
        return foreignKeys;
    }

    /** What is not of one table. */
    public Surroundings surroundings() {
        return surroundings;
    }
}
