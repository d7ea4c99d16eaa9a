package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import dev.pgproxy.insight.ExplainedPlan;
import dev.pgproxy.insight.PlanReport;
import dev.pgproxy.insight.Plans;
import dev.pgproxy.insight.Printable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A statement has another plan than before. Confined to one thread. */
final class PlanChanged implements Condition {
    private final Plans plans;

    /** How often the plan of what had changed, by subject. */
    private Map<String, Long> last = new HashMap<>();

    private long counted;

    PlanChanged(Plans plans) {
        this.plans = plans;
    }

    @Override
    public AlertKind kind() {
        return AlertKind.PLAN_CHANGED;
    }

    @Override
    public boolean isEvent() {
        return true;
    }

    @Override
    public List<Reading> look(AlertSettings settings, long now) {
        long changed = plans.totals().changed();
        if (changed == counted) {
            return List.of();
        }
        counted = changed;
        List<Reading> readings = new ArrayList<>();
        Map<String, Long> known = new HashMap<>();
        for (PlanReport report : plans.all()) {
            ExplainedPlan before = report.before();
            ExplainedPlan plan = report.plan();
            if (before != null && plan != null) {
                String subject = Printable.of(report.database() + "/" + report.user()) + " " + report.fingerprint();
                known.put(subject, report.changes());
                if (report.changes() != last.getOrDefault(subject, 0L)) {
                    readings.add(Reading.of(
                            subject,
                            true,
                            "its plan is " + plan.hash() + " now, of cost " + plan.cost() + "; it was " + before.hash()
                                    + ", of cost " + before.cost()));
                }
            }
        }
        last = known;
        return readings;
    }
}
