package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.ReadStatement.Trait;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** INSERT of single rows by somebody who does hardly anything else. Stateless. */
final class RowByRow implements EachStatement {
    private static final int CALLS = 1000;
    private static final double MOSTLY = 0.5;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        if (!statement.has(Trait.ONE_ROW) || load.calls() < CALLS || load.share() < MOSTLY) {
            return null;
        }
        TableFacts table = statement.written();
        String name = table == null ? "…" : table.sql();
        return Advice.of(
                "row_by_row_insert",
                0.8 * load.servedPerHour(),
                load.fingerprint(),
                table == null ? "" : table.shown(),
                "insert many rows at once, or COPY them",
                String.format(
                        Locale.ROOT,
                        "%d calls of one row each, %.0f %% of all that their sender does",
                        load.calls(),
                        100 * load.share()),
                "INSERT INTO " + name + " (…) VALUES (…), (…), (…) -- or: COPY " + name + " (…) FROM STDIN");
    }
}
