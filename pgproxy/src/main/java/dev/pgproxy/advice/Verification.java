package dev.pgproxy.advice;

import dev.pgproxy.advice.Advice.Estimate;
import dev.pgproxy.insight.IndexTrial;
import dev.pgproxy.insight.Plans;
import dev.pgproxy.insight.StatementReport;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Has the planner asked of each proposed index, as the user who runs the statement most, and tells its answer. Immutable. */
record Verification(Plans plans) {
    /**
     * Those of indexes with what is known by now.
     *
     * @param reports of the database
     */
    List<Advice> of(List<Advice> indexes, List<StatementReport> reports) {
        List<Advice> verified = new ArrayList<>();
        for (Advice advice : indexes) {
            Estimate estimate = advice.estimate();
            if (estimate != null) {
                verified.add(of(advice, estimate, reports));
            }
        }
        return verified;
    }

    private Advice of(Advice advice, Estimate estimate, List<StatementReport> reports) {
        if (!plans.settings().planCapture()) {
            return advice.verified(estimate, null, "Not verified by the planner: plan_capture is off.");
        }
        IndexTrial trial = reports.stream()
                .filter(report -> report.fingerprint().equals(advice.fingerprint()))
                .max(Comparator.comparingLong(StatementReport::served))
                .map(report -> plans.propose(report, advice.sql()))
                .orElse(null);
        if (trial == null) {
            return advice.verified(estimate, null, "Not verified by the planner: the statement was not run since.");
        }
        IndexTrial.Costs costs = trial.costs();
        if (costs == null) {
            return advice.verified(estimate, null, "Not verified by the planner: " + trial.reason() + ".");
        }
        return advice.verified(estimate, costs, verdict(costs));
    }

    private static String verdict(IndexTrial.Costs costs) {
        return costs.isTaken()
                ? String.format(
                        Locale.ROOT,
                        "Verified by the planner, with HypoPG: its cost falls from %.2f to %.2f.",
                        costs.before(),
                        costs.after())
                : String.format(
                        Locale.ROOT,
                        "The planner has an index like it, of HypoPG, and does not use it: its cost is %.2f.",
                        costs.after());
    }
}
