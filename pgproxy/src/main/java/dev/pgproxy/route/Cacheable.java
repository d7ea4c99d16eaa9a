package dev.pgproxy.route;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.results.CacheReason;
import dev.pgproxy.routing.catalog.CacheHindrance;
import dev.pgproxy.routing.catalog.Reading;
import org.jspecify.annotations.Nullable;

/** Whether what a text gives may be kept, by what it is. Stateless. */
public final class Cacheable {
    private Cacheable() {}

    /** Why it may not; null if it may. */
    public static @Nullable CacheReason hindrance(QueryFacts facts, Reading reading) {
        CacheHindrance hindrance = reading.uncacheable();
        if (hindrance != null) {
            return CacheReason.of(hindrance);
        }
        boolean selects = switch (facts.kind()) {
            case SELECT, VALUES, TABLE, WITH -> true;
            case MULTIPLE -> areQueries(facts);
            default -> false;
        };
        return selects ? null : CacheReason.NOT_A_READ;
    }

    /** Whether all statements of a text are queries. */
    public static boolean areQueries(QueryFacts facts) {
        for (int i = 0; i < facts.statementCount(); i++) {
            switch (facts.statements().get(i).kind()) {
                case SELECT, VALUES, TABLE -> {}
                default -> {
                    return false;
                }
            }
        }
        return true;
    }
}
