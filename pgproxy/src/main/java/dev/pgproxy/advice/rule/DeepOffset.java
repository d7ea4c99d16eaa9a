package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import dev.pgproxy.advice.statement.ReadStatement.Trait;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** OFFSET far into a large result: all that is skipped is read first. Stateless. */
final class DeepOffset implements EachStatement {
    /** Milliseconds: the first pages are fast anyway. */
    private static final double SLOW = 5;

    @Override
    public @Nullable Advice of(Load load, ReadStatement statement, DatabaseFacts facts) {
        boolean deep = statement.has(Trait.OFFSET)
                && load.p99() >= SLOW
                && statement.uses().stream().anyMatch(use -> use.table().isLarge());
        if (!deep) {
            return null;
        }
        TableFacts table = statement.uses().getFirst().table();
        return Advice.of(
                "deep_offset",
                load.servedPerHour() / 2,
                load.fingerprint(),
                table.shown(),
                "ask for what follows the last row of the page before, instead of OFFSET",
                String.format(
                        Locale.ROOT,
                        "OFFSET reads all rows that it skips: 1 %% of the calls take %.0f ms or more, on average %.1f ms",
                        load.p99(),
                        load.mean()),
                keyset(statement));
    }

    private static String keyset(ReadStatement statement) {
        List<String> names = new ArrayList<>();
        boolean descending = false;
        boolean mixed = false;
        for (String key : statement.order()) {
            boolean down = key.toUpperCase(Locale.ROOT).contains(" DESC");
            mixed |= !names.isEmpty() && down != descending;
            descending = down;
            names.add(key.split(" ", -1)[0]);
        }
        if (names.isEmpty() || mixed) {
            return "… WHERE id > $1 ORDER BY id LIMIT $2";
        }
        List<String> values = new ArrayList<>();
        for (int i = 1; i <= names.size(); i++) {
            values.add("$" + i);
        }
        boolean one = names.size() == 1;
        String left = String.join(", ", names);
        String right = String.join(", ", values);
        return "… WHERE " + (one ? left : "(" + left + ")") + (descending ? " < " : " > ")
                + (one ? right : "(" + right + ")") + " ORDER BY " + String.join(", ", statement.order()) + " LIMIT $"
                + (names.size() + 1);
    }
}
