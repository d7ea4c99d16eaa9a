package dev.pgproxy.console;

import dev.pgproxy.advice.Advice;
import dev.pgproxy.advice.Advice.Estimate;
import dev.pgproxy.advice.AdviceReport;
import dev.pgproxy.advice.AdviceReport.OfDatabase;
import dev.pgproxy.advice.Advisor;
import dev.pgproxy.advice.Load;
import dev.pgproxy.advice.index.IndexFinding;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.insight.IndexTrial;
import dev.pgproxy.insight.Printable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** SHOW ADVICE and SHOW INDEXES. Thread-safe. */
record AdviceTables(Advisor advisor) {
    /** What stands there for a database that could not be asked. */
    private static final String PROBLEM = "problem";

    private record Row(String database, Advice advice, Map<String, Load> loads) {}

    CompletionStage<ConsoleAnswer> advice() {
        return advisor.report().thenApply(AdviceTables::advice);
    }

    private static ConsoleAnswer advice(AdviceReport report) {
        Table table = Table.of(
                "database kind gain_ms_per_hour:int8 fingerprint calls:int8 table advice why"
                        + " pages_before:numeric pages_after:numeric size_bytes:int8 verified cost_before:numeric cost_after:numeric sql query");
        List<Row> rows = new ArrayList<>();
        for (OfDatabase of : report.databases()) {
            of.advice().forEach(advice -> rows.add(new Row(of.database(), advice, of.loads())));
        }
        rows.sort(Comparator.comparingDouble((Row row) -> row.advice().gain()).reversed());
        for (Row row : rows) {
            Advice advice = row.advice();
            Estimate estimate = advice.estimate();
            IndexTrial.Costs costs = estimate == null ? null : estimate.verified();
            Load load = row.loads().get(advice.fingerprint());
            table.row(
                    row.database(),
                    advice.kind(),
                    Math.round(advice.gain()),
                    advice.fingerprint().isEmpty() ? null : advice.fingerprint(),
                    load == null ? null : load.calls(),
                    advice.table().isEmpty() ? null : Printable.of(advice.table()),
                    advice.advice(),
                    Printable.of(advice.why()),
                    estimate == null ? null : Math.round(estimate.before()),
                    estimate == null ? null : Math.round(estimate.after()),
                    estimate == null ? null : estimate.bytes(),
                    estimate == null ? null : verified(costs),
                    costs == null ? null : costs.before(),
                    costs == null ? null : costs.after(),
                    advice.sql().isEmpty() ? null : Printable.of(advice.sql()),
                    load == null ? null : Printable.of(load.text()));
        }
        report.problems()
                .forEach((database, why) -> table.row(
                        database,
                        PROBLEM,
                        0,
                        null,
                        null,
                        null,
                        "",
                        Printable.of(why),
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null));
        return table.answer();
    }

    private static String verified(IndexTrial.@Nullable Costs costs) {
        if (costs == null) {
            return "no";
        }
        return costs.isTaken() ? "yes" : "refused";
    }

    CompletionStage<ConsoleAnswer> indexes() {
        return advisor.report().thenApply(AdviceTables::indexes);
    }

    private static ConsoleAnswer indexes(AdviceReport report) {
        Table table = Table.of("database kind table index size_bytes:int8 scans:int8 reason sql");
        for (OfDatabase of : report.databases()) {
            for (IndexFinding finding : of.indexes()) {
                table.row(
                        of.database(),
                        finding.kind(),
                        Printable.of(finding.table()),
                        finding.index().isEmpty() ? null : Printable.of(finding.index()),
                        finding.bytes(),
                        finding.scans(),
                        Printable.of(finding.reason()),
                        finding.sql().isEmpty() ? null : Printable.of(finding.sql()));
            }
        }
        report.problems()
                .forEach((database, why) ->
                        table.row(database, PROBLEM, null, null, null, null, Printable.of(why), null));
        return table.answer();
    }
}
