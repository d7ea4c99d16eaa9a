package dev.pgproxy.advice;

import dev.pgproxy.advice.index.IndexFinding;
import java.util.List;
import java.util.Map;

/**
 * What was found in one look at all databases. Immutable.
 *
 * @param databases those that could be asked
 * @param problems those that could not, and why
 */
public record AdviceReport(List<OfDatabase> databases, Map<String, String> problems) {
    static final AdviceReport NONE = new AdviceReport(List.of(), Map.of());

    /**
     * What was found in one. Immutable.
     *
     * @param advice that which gains most first
     * @param indexes the largest first
     * @param loads the statements that advice may be about, by fingerprint
     */
    public record OfDatabase(
            String database, List<Advice> advice, List<IndexFinding> indexes, Map<String, Load> loads) {
        public OfDatabase {
            advice = List.copyOf(advice);
            indexes = List.copyOf(indexes);
            loads = Map.copyOf(loads);
        }
    }

    public AdviceReport {
        databases = List.copyOf(databases);
        problems = Map.copyOf(problems);
    }
}
