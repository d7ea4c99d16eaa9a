package dev.pgproxy.console;

import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.insight.ExplainedPlan;
import dev.pgproxy.insight.PlanReport;
import dev.pgproxy.insight.Plans;
import dev.pgproxy.insight.Printable;
import dev.pgproxy.insight.SlowLog;
import dev.pgproxy.insight.SlowReports;
import dev.pgproxy.query.Active;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * SHOW PLANS, SHOW SLOW TOTALS and SHOW ACTIVE. Thread-safe.
 *
 * @param slow the plans and the log
 */
record SlowTables(SlowReports slow) {

    /** What was slow last comes first. */
    ConsoleAnswer plans() {
        Table table = Table.of("fingerprint database user host captured_at how hash total_cost changes:int8 changed_at"
                + " hash_before reason query plan plan_before");
        for (PlanReport each : slow.plans().all()) {
            ExplainedPlan plan = each.plan();
            ExplainedPlan before = each.before();
            table.row(
                    each.fingerprint(),
                    Printable.of(each.database()),
                    Printable.of(each.user()),
                    each.host(),
                    time(each.capturedAt()),
                    each.how(),
                    plan == null ? null : plan.hash(),
                    plan == null ? null : plan.cost(),
                    each.changes(),
                    time(each.changedAt()),
                    before == null ? null : before.hash(),
                    each.reason().isEmpty() ? null : each.reason(),
                    Printable.of(each.query()),
                    plan == null ? null : Printable.of(plan.text()),
                    before == null ? null : Printable.of(before.text()));
        }
        return table.answer();
    }

    private static @Nullable String time(@Nullable Instant at) {
        return at == null ? null : SocketTables.TIME.format(at);
    }

    /** One row. */
    ConsoleAnswer totals() {
        SlowLog log = slow.log();
        Path path = log.path();
        Plans.Totals plans = slow.plans().totals();
        String state = path == null ? "off" : log.problem().isEmpty() ? "on" : "failing";
        return Table.of("log log_state log_written:int8 log_dropped:int8 plans_captured:int8 plans_failed:int8"
                        + " plans_changed:int8 plans_dropped:int8 log_problem")
                .row(
                        path,
                        state,
                        log.written(),
                        log.dropped(),
                        plans.captured(),
                        plans.failed(),
                        plans.changed(),
                        plans.dropped(),
                        log.problem().isEmpty() ? null : log.problem())
                .answer();
    }

    /** The longest first. */
    static ConsoleAnswer active(Snapshot now) {
        Table table = Table.of("id:int4 database user application_name addr state duration_us:int8 host remote_pid:int4"
                + " fingerprint query");
        now.clients().stream()
                .filter(view -> view.active() != null)
                .sorted((a, b) -> Long.compare(b.activeFor(), a.activeFor()))
                .forEach(view -> row(view, table));
        return table.answer();
    }

    private static void row(ClientView view, Table table) {
        ClientConnection client = view.client();
        Active active = view.active();
        if (active == null) {
            return;
        }
        InetAddress address = client.address();
        table.row(
                client.id(),
                Printable.of(client.database()),
                Printable.of(client.user()),
                Printable.of(view.applicationName()),
                address == null ? "" : address.getHostAddress(),
                active.state(),
                view.activeFor() / 1000,
                active.host(),
                view.server() == null ? null : view.server().identity().processId(),
                active.shape().fingerprint(),
                Printable.of(active.shape().masked()));
    }
}
