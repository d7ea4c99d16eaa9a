package dev.pgproxy.advice.statement;

import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.facts.Identifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.sf.jsqlparser.schema.Column;
import org.jspecify.annotations.Nullable;

/** One level of a statement: its FROM list, and the level around it. Confined to the reading of one statement. */
final class Block {
    private final @Nullable Block outer;
    private final Set<String> commonTables;
    final List<TableUse> uses = new ArrayList<>();

    /** Subqueries, functions and tables that are not known. */
    private final Set<String> unknown = new HashSet<>();

    Block(@Nullable Block outer, Set<String> commonTables) {
        this.outer = outer;
        this.commonTables = new HashSet<>(commonTables);
    }

    /** A column of a table that is known. */
    record Found(TableUse use, ColumnFacts column) {}

    boolean isCommonTable(String name) {
        return commonTables.contains(name);
    }

    Set<String> commonTables() {
        return commonTables;
    }

    void addUnknown(String alias) {
        unknown.add(alias);
    }

    /** Whether it is one known table alone. */
    boolean isSingle() {
        return uses.size() == 1 && unknown.isEmpty();
    }

    boolean isOwn(TableUse use) {
        return uses.contains(use);
    }

    /** Where the column is from; null if that is not known. */
    @Nullable
    Found find(Column column) {
        String name = Identifier.meant(column.getColumnName());
        String table = column.getTable() == null || column.getTable().getName() == null
                ? null
                : Identifier.meant(column.getTable().getName());
        for (Block block = this; block != null; block = block.outer) {
            Found found = null;
            int matches = 0;
            for (TableUse use : block.uses) {
                ColumnFacts facts = use.table().column(name);
                if (facts != null && (table == null || table.equals(use.alias()))) {
                    found = new Found(use, facts);
                    matches++;
                }
            }
            boolean stops = table == null ? !block.unknown.isEmpty() : block.unknown.contains(table);
            if (matches > 0 || stops) {
                return matches == 1 ? found : null;
            }
        }
        return null;
    }

    /** Whether a word that JSqlParser takes for a column can be one: {@code current_date} is none. */
    boolean mayBeColumn(Column column) {
        if (column.getTable() != null && column.getTable().getName() != null) {
            return true;
        }
        String name = Identifier.meant(column.getColumnName());
        boolean isWord = name.startsWith("current_") || name.startsWith("localtime") || name.equals("session_user");
        return !isWord && !name.equals("true") && !name.equals("false");
    }
}
