package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.ReadStatement.Trait;
import dev.pgproxy.advice.statement.TableUse;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** SELECT * from a table with wide columns. Stateless. */
final class WideStar implements EachStatement {
    private static final int WIDE = 500;
    private static final int MANY_ROWS = 100;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        if (!statement.has(Trait.STAR) || load.rows() < MANY_ROWS || load.bytes() / load.rows() < WIDE) {
            return null;
        }
        List<String> wide = new ArrayList<>();
        double all = 0;
        double narrow = 0;
        for (TableUse use : statement.uses()) {
            for (ColumnFacts column : use.table().columns()) {
                all += column.width();
                narrow += column.width() >= WIDE ? 0 : column.width();
                if (column.width() >= WIDE) {
                    wide.add(column.name() + " (" + column.width() + " bytes)");
                }
            }
        }
        if (wide.isEmpty()) {
            return null;
        }
        return Advice.of(
                "select_star",
                load.servedPerHour() * 0.5 * (1 - narrow / all),
                load.fingerprint(),
                statement.uses().getFirst().table().shown(),
                "name the columns that are needed",
                load.bytes() / load.rows() + " bytes per row; wide on average: " + String.join(", ", wide),
                "");
    }
}
