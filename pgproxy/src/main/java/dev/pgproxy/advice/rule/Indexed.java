package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.statement.Oddity;

/** Whether an index begins with a column. Stateless. */
final class Indexed {
    private Indexed() {}

    static boolean isFirst(Oddity oddity, DatabaseFacts facts) {
        return facts.indexes(oddity.table()).stream()
                .anyMatch(index -> index.isValid()
                        && !index.keys().isEmpty()
                        && index.keys().getFirst().text().equals(oddity.column().name()));
    }
}
