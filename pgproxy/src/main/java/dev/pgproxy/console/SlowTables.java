package dev.pgproxy.console;

import dev.pgproxy.client.ClientConnection;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.console.ServerWaits.Backend;
import dev.pgproxy.console.ServerWaits.Wait;
import dev.pgproxy.insight.ExplainedPlan;
import dev.pgproxy.insight.PlanReport;
import dev.pgproxy.insight.Plans;
import dev.pgproxy.insight.Printable;
import dev.pgproxy.insight.SlowLog;
import dev.pgproxy.insight.SlowReports;
import dev.pgproxy.query.Active;
import dev.pgproxy.server.ServerConnection;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
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

    /** The longest first, with what their servers wait for. */
    static CompletionStage<ConsoleAnswer> active(Snapshot now, ServerWaits waits) {
        Set<Backend> backends = now.clients().stream()
                .map(SlowTables::backend)
                .filter(Objects::nonNull)
                .collect(Collectors.toSet());
        return waits.of(backends).thenApply(found -> active(now, found));
    }

    private static ConsoleAnswer active(Snapshot now, Map<Backend, Wait> waits) {
        Table table = Table.of("id:int4 database user application_name addr state duration_us:int8 host remote_pid:int4"
                + " wait_event_type wait_event fingerprint query");
        now.clients().stream()
                .filter(view -> view.active() != null)
                .sorted((a, b) -> Long.compare(b.activeFor(), a.activeFor()))
                .forEach(view -> row(view, waits, table));
        return table.answer();
    }

    /** Who works for a client; null where nobody does. */
    private static @Nullable Backend backend(ClientView view) {
        Active active = view.active();
        ServerConnection server = view.server();
        HostAddress host = active == null ? null : active.host();
        return host == null || server == null
                ? null
                : new Backend(host, server.identity().processId());
    }

    private static void row(ClientView view, Map<Backend, Wait> waits, Table table) {
        ClientConnection client = view.client();
        Active active = view.active();
        if (active == null) {
            return;
        }
        InetAddress address = client.address();
        Backend backend = backend(view);
        Wait wait = backend == null ? null : waits.get(backend);
        table.row(
                client.id(),
                Printable.of(client.database()),
                Printable.of(client.user()),
                Printable.of(view.applicationName()),
                address == null ? "" : address.getHostAddress(),
                active.state(),
                view.activeFor() / 1000,
                active.host(),
                backend == null ? null : backend.pid(),
                wait == null ? null : wait.type(),
                wait == null ? null : wait.event(),
                active.shape().fingerprint(),
                Printable.of(active.shape().masked()));
    }
}
