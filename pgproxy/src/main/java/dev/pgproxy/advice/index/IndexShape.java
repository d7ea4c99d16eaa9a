package dev.pgproxy.advice.index;

import dev.pgproxy.advice.facts.IndexFacts;
import dev.pgproxy.advice.statement.Expressions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * An index that is there, or could be, as far as costs depend on it. Immutable.
 *
 * @param included columns that it only carries
 * @param predicates conditions as {@link #predicate} writes them; empty = of all rows
 * @param isDoubtful whether it has a predicate that is not understood, so that a statement may be able to use it, or not
 */
record IndexShape(String method, List<Key> keys, Set<String> included, Set<String> predicates, boolean isDoubtful) {
    /**
     * One of its keys. Immutable.
     *
     * @param text a column, or an expression as {@link Expressions#canonical} writes it
     * @param matches whether LIKE with a prefix can use it
     * @param hasOrder whether it is in the order of ORDER BY
     */
    record Key(String text, boolean matches, boolean hasOrder, boolean descending) {}

    IndexShape {
        keys = List.copyOf(keys);
        included = Set.copyOf(included);
        predicates = Set.copyOf(predicates);
    }

    static IndexShape of(IndexFacts index) {
        List<Key> keys = new ArrayList<>();
        for (IndexFacts.Key key : index.keys()) {
            boolean pattern = key.opclass().endsWith("_pattern_ops");
            String text = key.isExpression() ? Expressions.canonical(key.text()) : key.text();
            int option = key.option();
            keys.add(new Key(text, pattern, !pattern && (option == 0 || option == 3), option == 3));
        }
        String predicate = Expressions.canonical(index.predicate());
        boolean understood = predicate.isEmpty() || predicate.matches("(NOT)?[\\p{L}_0-9]+(IS(NOT)?NULL)?");
        return new IndexShape(
                index.method(),
                keys,
                Set.copyOf(index.included()),
                predicate.isEmpty() ? Set.of() : Set.of(predicate),
                !understood);
    }

    /** Whether it has all of these columns. */
    boolean has(Set<String> columns) {
        return columns.stream()
                .allMatch(column -> included.contains(column)
                        || keys.stream().anyMatch(key -> key.text().equals(column)));
    }

    /** A condition as PostgreSQL writes it, without blanks, quotes and parentheses. */
    static String predicate(String column, String condition) {
        return condition.equals("NOT") ? "NOT" + column : column + condition;
    }
}
