package dev.pgproxy.advice.statement;

import dev.pgproxy.advice.facts.TableFacts;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A table in one place of a statement, and what is asked of its rows there. Read-only once the statement is read. */
public final class TableUse {
    private final TableFacts table;
    private final String alias;
    private final List<Term> terms = new ArrayList<>();
    private final List<SortKey> sort = new ArrayList<>();
    private int others;
    private boolean limited;
    private boolean whole;
    private @Nullable Set<String> columns;

    /** A column that the result is ordered by. Immutable. */
    public record SortKey(String column, boolean descending) {}

    TableUse(TableFacts table, String alias) {
        this.table = table;
        this.alias = alias;
    }

    /** Which. */
    public TableFacts table() {
        return table;
    }

    String alias() {
        return alias;
    }

    /** What all its rows have to fulfil, as far as it is understood. */
    public List<Term> terms() {
        return Collections.unmodifiableList(terms);
    }

    /** The order of the result, if it is that of this table's rows alone. */
    public List<SortKey> sort() {
        return Collections.unmodifiableList(sort);
    }

    /** Conditions that were not understood. */
    public int others() {
        return others;
    }

    /** Whether only so many rows are wanted. */
    public boolean isLimited() {
        return limited;
    }

    /** Whether the rows of the result are the rows found here. */
    public boolean isWhole() {
        return whole;
    }

    /** The columns that are needed, and perhaps some more; null = any of them. */
    public @Nullable Set<String> columns() {
        return columns;
    }

    void need(@Nullable Set<String> needed) {
        columns = needed;
    }

    void add(Term term) {
        if (!terms.contains(term)) {
            terms.add(term);
        }
    }

    void addOther() {
        others++;
    }

    void sortedBy(List<SortKey> keys) {
        sort.addAll(keys);
    }

    void limit() {
        limited = true;
    }

    void makeWhole() {
        whole = true;
    }

    @Override
    public String toString() {
        return table.shown() + " " + terms + " " + sort;
    }
}
