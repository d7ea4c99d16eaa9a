package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.ReadStatement;
import java.util.ArrayList;
import java.util.List;

/** Statements that ended in deadlocks. Stateless. */
final class Deadlocks implements Rule {
    @Override
    public List<Advice> of(List<Load> loads, DatabaseFacts facts) {
        List<Load> dead = loads.stream().filter(load -> load.deadlocks() > 0).toList();
        List<Advice> advice = new ArrayList<>();
        for (Load load : dead) {
            ReadStatement statement = load.statement();
            TableFacts written = statement == null ? null : statement.written();
            advice.add(Advice.of(
                    "deadlock",
                    0,
                    load.fingerprint(),
                    written == null ? "" : written.shown(),
                    "lock rows in the same order everywhere, such as by their key",
                    load.deadlocks() + " of " + load.calls() + " calls ended in a deadlock (40P01)"
                            + (load.deadlockedWith().isEmpty()
                                    ? "; what it waited for is not known: it did not pass through here"
                                    : ": " + String.join("; ", load.deadlockedWith())),
                    ""));
        }
        return advice;
    }
}
