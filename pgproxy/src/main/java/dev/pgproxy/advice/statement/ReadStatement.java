package dev.pgproxy.advice.statement;

import dev.pgproxy.advice.facts.TableFacts;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a statement looks for, in the terms of one database. Immutable.
 *
 * @param uses every place where a known table stands
 * @param isComplete whether all relations that it names are known tables
 * @param written the table that it changes; null if it only reads, or the table is not known
 * @param order the columns of ORDER BY as written
 */
public record ReadStatement(
        Verb verb,
        Set<Trait> traits,
        List<TableUse> uses,
        List<Oddity> oddities,
        boolean isComplete,
        @Nullable TableFacts written,
        List<String> order) {
    /** What it does. */
    public enum Verb {
        SELECT,
        INSERT,
        UPDATE,
        DELETE
    }

    /** Of the outermost level. */
    public enum Trait {
        /** SELECT *. */
        STAR,
        LIMIT,
        OFFSET,
        /** Rows of the result are no rows of a table. */
        GROUPED,
        /** SELECT count(*) and nothing else. */
        COUNT,
        WHERE,
        LOCKS,
        /** INSERT … VALUES with one row. */
        ONE_ROW
    }

    public ReadStatement {
        traits = Set.copyOf(traits);
        uses = List.copyOf(uses);
        oddities = List.copyOf(oddities);
        order = List.copyOf(order);
    }

    /** Whether it has this trait. */
    public boolean has(Trait trait) {
        return traits.contains(trait);
    }
}
