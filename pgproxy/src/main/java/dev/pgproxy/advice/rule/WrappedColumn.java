package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.statement.Oddity;
import dev.pgproxy.advice.statement.ReadStatement;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A function, a cast or arithmetic around a column that has an index, which then is of no use. Stateless. */
final class WrappedColumn implements EachStatement {
    private static final double SLOW = 1;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        for (Oddity oddity : statement.oddities()) {
            if (oddity.kind() == Oddity.Kind.WRAPPED
                    && load.mean() >= SLOW
                    && oddity.table().isLarge()
                    && Indexed.isFirst(oddity, facts)
                    && !hasExpression(oddity, facts)) {
                String column = Identifier.quoted(oddity.column().name());
                boolean time = oddity.column().type().startsWith("timestamp");
                return Advice.of(
                        "function_on_column",
                        load.servedPerHour() / 2,
                        load.fingerprint(),
                        oddity.table().shown(),
                        "compare " + column + " itself"
                                + (time ? ", with the first and the last moment" : ", and calculate the value"),
                        oddity.text() + " around " + column + " keeps its index from being used: "
                                + String.format(Locale.ROOT, "%.1f ms per call", load.mean()),
                        time ? "… WHERE " + column + " >= $1 AND " + column + " < $2" : "");
            }
        }
        return null;
    }

    /** An index of some expression of the column may be just this one. */
    private static boolean hasExpression(Oddity oddity, DatabaseFacts facts) {
        return facts.indexes(oddity.table()).stream()
                .flatMap(index -> index.keys().stream())
                .anyMatch(key -> key.isExpression()
                        && key.text().contains(oddity.column().name()));
    }
}
