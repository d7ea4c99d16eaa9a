package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.ReadStatement.Trait;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** SELECT count(*) of all rows of a large table. Stateless. */
final class CountAll implements EachStatement {
    private static final double SLOW = 1;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        boolean counts = statement.has(Trait.COUNT)
                && !statement.has(Trait.WHERE)
                && statement.uses().size() == 1
                && load.mean() >= SLOW;
        TableFacts table = counts ? statement.uses().getFirst().table() : null;
        if (table == null || !table.isLarge() || table.kind() == 'p') {
            return null;
        }
        return Advice.of(
                "count_all",
                0.9 * load.servedPerHour(),
                load.fingerprint(),
                table.shown(),
                "take the planner's estimate, or keep the number",
                String.format(
                        Locale.ROOT, "counting reads all %.0f rows: %.1f ms per call", table.tuples(), load.mean()),
                "SELECT reltuples::int8 FROM pg_class WHERE oid = '"
                        + table.sql().replace("'", "''") + "'::regclass");
    }
}
