package dev.pgproxy.advice.rule;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.facts.DatabaseFacts;
import java.util.List;

/** Something that statements can do better. Stateless. */
public interface Rule {
    /** All that are looked at. */
    List<Rule> ALL = List.of(
            new DeepOffset(),
            new LeadingWildcard(),
            new WrappedColumn(),
            new CastValue(),
            new NotInSubquery(),
            new WideStar(),
            new MissingLimit(),
            new RowByRow(),
            new CountAll(),
            new CacheCandidate(),
            new Deadlocks(),
            new LongTransactions());

    /** What it says of the statements of one database. */
    List<Advice> of(List<Load> loads, DatabaseFacts facts);
}
