package dev.pgproxy.advice.index;

import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.Term;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * An index that could be. Immutable.
 *
 * @param included columns that it only carries, so that the table need not be read
 * @param where constant conditions of a partial index; empty = of all rows
 */
record IndexCandidate(TableFacts table, String method, List<Key> keys, List<ColumnFacts> included, List<Term> where) {
    /**
     * One of its keys. Immutable.
     *
     * @param text as in {@link Term#key}
     * @param opclass empty = the default
     */
    record Key(String text, ColumnFacts column, String opclass, boolean descending) {
        String sql() {
            String plain = text.equals(column.name())
                    ? Identifier.quoted(text)
                    : text.substring(0, text.indexOf('(') + 1) + Identifier.quoted(column.name()) + ")";
            return plain + (opclass.isEmpty() ? "" : " " + opclass) + (descending ? " DESC" : "");
        }
    }

    IndexCandidate {
        keys = List.copyOf(keys);
        included = List.copyOf(included);
        where = List.copyOf(where);
    }

    IndexCandidate including(List<ColumnFacts> columns) {
        return new IndexCandidate(table, method, keys, columns, where);
    }

    boolean isCarrying() {
        return !included.isEmpty();
    }

    /** All that it stores. */
    List<ColumnFacts> columns() {
        List<ColumnFacts> columns = new ArrayList<>(included);
        keys.forEach(key -> columns.add(key.column()));
        return columns;
    }

    IndexShape shape() {
        List<IndexShape.Key> shapes = new ArrayList<>();
        for (Key key : keys) {
            boolean pattern = key.opclass().endsWith("_pattern_ops");
            shapes.add(new IndexShape.Key(key.text(), pattern, !pattern, key.descending()));
        }
        Set<String> predicates = new HashSet<>();
        where.forEach(term -> predicates.add(predicate(term)));
        Set<String> carried = new HashSet<>();
        included.forEach(column -> carried.add(column.name()));
        return new IndexShape(method, shapes, carried, predicates, false);
    }

    /** As {@link IndexShape#predicate} writes it; of a condition that is not constant something that no index has. */
    static String predicate(Term term) {
        return switch (term.kind()) {
            case IS_NULL -> IndexShape.predicate(term.key(), "ISNULL");
            case IS_NOT_NULL -> IndexShape.predicate(term.key(), "ISNOTNULL");
            case IS_TRUE -> IndexShape.predicate(term.key(), "");
            case IS_FALSE -> IndexShape.predicate(term.key(), "NOT");
            case EQUAL, RANGE, PREFIX, CONTAINS, JOIN -> "?";
        };
    }

    private static String condition(Term term) {
        String column = Identifier.quoted(term.key());
        return switch (term.kind()) {
            case IS_NULL -> column + " IS NULL";
            case IS_NOT_NULL -> column + " IS NOT NULL";
            case IS_FALSE -> "NOT " + column;
            case IS_TRUE, EQUAL, RANGE, PREFIX, CONTAINS, JOIN -> column;
        };
    }

    /** To copy: without a name, which PostgreSQL finds by itself. A partitioned table takes no CONCURRENTLY. */
    String sql() {
        StringBuilder sql = new StringBuilder("CREATE INDEX ");
        sql.append(table.kind() == 'p' ? "ON " : "CONCURRENTLY ON ").append(table.sql());
        sql.append(method.equals("btree") ? " (" : " USING " + method + " (");
        for (int i = 0; i < keys.size(); i++) {
            sql.append(i == 0 ? "" : ", ").append(keys.get(i).sql());
        }
        for (int i = 0; i < included.size(); i++) {
            sql.append(i == 0 ? ") INCLUDE (" : ", ")
                    .append(Identifier.quoted(included.get(i).name()));
        }
        sql.append(')');
        for (int i = 0; i < where.size(); i++) {
            sql.append(i == 0 ? " WHERE " : " AND ").append(condition(where.get(i)));
        }
        return sql.toString();
    }
}
