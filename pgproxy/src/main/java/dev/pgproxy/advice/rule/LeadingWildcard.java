package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.Expressions;
import dev.pgproxy.advice.statement.Oddity;
import dev.pgproxy.advice.statement.ReadStatement;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** LIKE '%…' and ILIKE on a large table without an index of pg_trgm. Stateless. */
final class LeadingWildcard implements EachStatement {
    private static final double SLOW = 1;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        for (Oddity oddity : statement.oddities()) {
            if (oddity.kind() == Oddity.Kind.LEADING_WILDCARD
                    && load.mean() >= SLOW
                    && oddity.table().isLarge()
                    && !isIndexed(oddity, facts)) {
                return advice(load, oddity, facts);
            }
        }
        return null;
    }

    private static boolean isIndexed(Oddity oddity, DatabaseFacts facts) {
        return facts.indexes(oddity.table()).stream()
                .flatMap(index -> index.keys().stream())
                .anyMatch(key -> key.opclass().endsWith("_trgm_ops")
                        && Expressions.canonical(key.text())
                                .contains(oddity.column().name()));
    }

    private static Advice advice(Load load, Oddity oddity, DatabaseFacts facts) {
        boolean installed = facts.surroundings().extensions().contains("pg_trgm");
        TableFacts table = oddity.table();
        return Advice.of(
                "leading_wildcard",
                load.servedPerHour() / 2,
                load.fingerprint(),
                table.shown(),
                "create an index of trigrams",
                String.format(
                        Locale.ROOT,
                        "no ordinary index can find %s with a wildcard in front%s: %.0f rows are read in %.1f ms",
                        oddity.text(),
                        oddity.text().equals("ILIKE") ? ", or regardless of case" : "",
                        table.tuples(),
                        load.mean()),
                (installed ? "" : "CREATE EXTENSION pg_trgm; ") + "CREATE INDEX "
                        + (table.kind() == 'p' ? "ON " : "CONCURRENTLY ON ") + table.sql() + " USING gin ("
                        + Identifier.quoted(oddity.column().name()) + " gin_trgm_ops)");
    }
}
