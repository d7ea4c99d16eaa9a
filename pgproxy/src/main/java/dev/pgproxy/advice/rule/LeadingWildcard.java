package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Advice.Estimate;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.Expressions;
import dev.pgproxy.advice.statement.Oddity;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.TableUse;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** LIKE '%…' and ILIKE on a large table without an index of pg_trgm. Stateless. */
final class LeadingWildcard implements EachStatement {
    private static final double SLOW = 1;

    /** A pattern of about five letters is assumed: three trigrams, each found in so many pages of the index. */
    private static final double PATTERN_PAGES = 3 * 5;

    /** Bytes of such an index for each byte of text. */
    private static final double INDEX_BYTES = 3;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        for (Oddity oddity : statement.oddities()) {
            if (oddity.kind() == Oddity.Kind.LEADING_WILDCARD
                    && load.mean() >= SLOW
                    && oddity.table().isLarge()
                    && !isIndexed(oddity, facts)) {
                return advice(load, statement, oddity, facts);
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

    private static Advice advice(Load load, ReadStatement statement, Oddity oddity, DatabaseFacts facts) {
        boolean installed = facts.surroundings().extensions().contains("pg_trgm");
        TableFacts table = oddity.table();
        return new Advice(
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
                        + Identifier.quoted(oddity.column().name()) + " gin_trgm_ops)",
                estimate(load, statement, oddity));
    }

    /** Of a statement whose rows are those found in the table: else it is not known how many there are. */
    private static @Nullable Estimate estimate(Load load, ReadStatement statement, Oddity oddity) {
        TableUse use = statement.uses().size() == 1 ? statement.uses().getFirst() : null;
        TableFacts table = oddity.table();
        if (use == null || !use.isWhole() || use.isLimited() || table.kind() == 'p') {
            return null;
        }
        double after = PATTERN_PAGES + Math.min(load.rowsPerCall(), table.pages());
        double bytes = table.tuples() * oddity.column().width() * INDEX_BYTES;
        return new Estimate(table.pages(), after, (long) bytes, null);
    }
}
