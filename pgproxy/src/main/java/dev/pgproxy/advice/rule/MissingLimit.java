package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.ReadStatement.Trait;
import dev.pgproxy.advice.statement.ReadStatement.Verb;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A query that gives many rows to whoever asks. Stateless. */
final class MissingLimit implements EachStatement {
    private static final int MANY = 5000;
    private static final int CALLS = 3;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        boolean fits = statement.verb() == Verb.SELECT
                && !statement.has(Trait.LIMIT)
                && !statement.has(Trait.GROUPED)
                && !statement.uses().isEmpty()
                && load.calls() >= CALLS
                && load.rowsPerCall() >= MANY;
        return fits
                ? Advice.of(
                        "missing_limit",
                        load.servedPerHour() / 2,
                        load.fingerprint(),
                        statement.uses().getFirst().table().shown(),
                        "add LIMIT, or fetch in parts with a cursor",
                        String.format(
                                Locale.ROOT,
                                "%.0f rows per call, %d bytes",
                                load.rowsPerCall(),
                                load.bytes() / load.calls()),
                        "")
                : null;
    }
}
