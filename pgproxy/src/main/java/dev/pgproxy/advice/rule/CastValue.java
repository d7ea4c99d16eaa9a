package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.statement.Oddity;
import dev.pgproxy.advice.statement.ReadStatement;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A value of a type for which PostgreSQL casts the column instead, whose index then is of no use. Stateless. */
final class CastValue implements EachStatement {
    private static final double SLOW = 1;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        for (Oddity oddity : statement.oddities()) {
            boolean declared = oddity.kind() == Oddity.Kind.DECLARED_VALUE;
            if ((declared || oddity.kind() == Oddity.Kind.CAST_VALUE)
                    && load.mean() >= SLOW
                    && oddity.table().isLarge()
                    && Indexed.isFirst(oddity, facts)) {
                String column = Identifier.quoted(oddity.column().name());
                return Advice.of(
                        "implicit_cast",
                        0.9 * load.servedPerHour(),
                        load.fingerprint(),
                        oddity.table().shown(),
                        declared
                                ? "have the driver send the value as "
                                        + oddity.column().type() + ", not as " + oddity.text()
                                        + ", or cast the parameter"
                                : "cast the value to " + oddity.column().type() + ", not to " + oddity.text(),
                        column + " is " + oddity.column().type() + ": compared with " + oddity.text()
                                + " it is cast itself, and its index is of no use; "
                                + String.format(Locale.ROOT, "%.1f ms per call", load.mean()),
                        "… WHERE " + column + " = $1::" + oddity.column().type());
            }
        }
        return null;
    }
}
