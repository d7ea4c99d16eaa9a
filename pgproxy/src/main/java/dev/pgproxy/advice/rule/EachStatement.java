package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A rule that looks at one statement at a time. Stateless. */
interface EachStatement extends Rule {
    /** What it says of this one; null = nothing. */
    @Nullable
    Advice of(Load load, ReadStatement statement, DatabaseFacts facts);

    @Override
    default List<Advice> of(List<Load> loads, DatabaseFacts facts) {
        List<Advice> all = new ArrayList<>();
        for (Load load : loads) {
            ReadStatement statement = load.statement();
            Advice advice = statement == null ? null : of(load, statement, facts);
            if (advice != null) {
                all.add(advice);
            }
        }
        return all;
    }
}
