package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.statement.Oddity;
import dev.pgproxy.advice.statement.ReadStatement;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** NOT IN (SELECT …), which PostgreSQL cannot join. Stateless. */
final class NotInSubquery implements EachStatement {
    private static final double SLOW = 1;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        for (Oddity oddity : statement.oddities()) {
            boolean large = statement.uses().stream()
                    .anyMatch(use -> use.table().isLarge() && !use.table().equals(oddity.table()));
            if (oddity.kind() == Oddity.Kind.NOT_IN && load.mean() >= SLOW && large) {
                String column = Identifier.quoted(oddity.column().name());
                return Advice.of(
                        "not_in",
                        load.servedPerHour() / 2,
                        load.fingerprint(),
                        oddity.table().shown(),
                        "use NOT EXISTS instead of NOT IN (SELECT …)",
                        String.format(
                                Locale.ROOT,
                                "NOT IN cannot be joined, and finds nothing at all once the subquery gives a NULL: %.1f ms"
                                        + " per call",
                                load.mean()),
                        "… WHERE NOT EXISTS (SELECT FROM " + oddity.text() + " inside WHERE inside.… = "
                                + Identifier.quoted(oddity.table().name()) + "." + column + ")");
            }
        }
        return null;
    }
}
