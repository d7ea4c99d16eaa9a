package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.health.ClusterMonitor;
import dev.pgproxy.health.breaker.BreakerReport;
import dev.pgproxy.health.probe.Answer;
import dev.pgproxy.health.probe.HostVitals;
import dev.pgproxy.health.probe.MachineLoad;
import dev.pgproxy.patroni.Member;
import dev.pgproxy.patroni.PatroniWatch;
import dev.pgproxy.route.Breakers;
import dev.pgproxy.route.DatabaseRoutes;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Routes;
import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.freshness.Lsn;
import dev.pgproxy.routing.freshness.Monotonic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** SHOW HOSTS, SHOW BREAKERS, SHOW PATRONI. Thread-safe. */
record HostTables(Routes known) {
    /** @param configured as its primary */
    private record Cluster(HostAddress configured, DatabaseRoutes routes) {}

    /** One for each cluster, however many of its databases are in use. */
    private Collection<Cluster> clusters() {
        Map<ClusterMonitor, Cluster> found = new HashMap<>();
        for (DatabaseState state : known.all()) {
            DatabaseRoutes routes = state.routes();
            if (routes != null) {
                found.putIfAbsent(routes.cluster(), new Cluster(state.database().primary(), routes));
            }
        }
        return found.values().stream()
                .sorted(Comparator.comparing(cluster ->
                        cluster.configured().toString() + cluster.routes().addresses()))
                .toList();
    }

    ConsoleAnswer patroni() {
        Table table =
                Table.of("cluster member host port:int4 role state timeline:int4 lag_bytes:int8 tags reads told_by"
                        + " told_ms:int8 problem");
        for (PatroniWatch watch : known.patroni()) {
            PatroniWatch.Status status = watch.status();
            String problem = status.problem().isEmpty() ? null : status.problem();
            long told = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - status.at());
            for (Member member : status.members()) {
                table.row(
                        watch.cluster(),
                        member.name(),
                        member.address().host(),
                        member.address().port(),
                        member.role(),
                        member.state(),
                        member.timeline(),
                        member.lag(),
                        member.tags().isEmpty() ? null : member.tags(),
                        member.takesReads() ? "yes" : "no",
                        status.by(),
                        told,
                        problem);
            }
            if (status.members().isEmpty()) {
                table.row(watch.cluster(), null, null, null, null, null, null, null, null, null, null, null, problem);
            }
        }
        return table.answer();
    }

    ConsoleAnswer hosts() {
        Table table = Table.of("cluster host port:int4 role timeline:int4 position lag_bytes:int8 lag_seconds:numeric"
                + " connections:int8 max_connections:int4 reserved:int4 oldest_transaction_s:numeric"
                + " oldest_idle_transaction_s:numeric waiting_locks:int8 longest_lock_wait_s:numeric deadlocks:int8"
                + " buffer_hit_ratio cpu memory_used disk_used asked_ms:int8");
        for (Cluster each : clusters()) {
            DatabaseRoutes cluster = each.routes();
            for (HostState host : cluster.cluster().topology().hosts()) {
                HostAddress address = cluster.addresses().get(host.host().index());
                List<@Nullable Object> row = new ArrayList<>();
                row.add(each.configured());
                row.add(address.host());
                row.add(address.port());
                position(row, host, cluster.cluster().answer(host.host()));
                vitals(row, cluster.cluster().vitals(host.host()));
                machine(row, cluster.cluster().machine(host.host()));
                row.add(age(cluster.cluster().vitals(host.host())));
                table.row(row);
            }
        }
        return table.answer();
    }

    ConsoleAnswer breakers(Breakers of) {
        Map<String, String> roles = new HashMap<>();
        for (Cluster each : clusters()) {
            for (HostState host : each.routes().cluster().topology().hosts()) {
                roles.put(host.host().name(), host.role().toString().toLowerCase(Locale.ROOT));
            }
        }
        Table table = Table.of("host role state failures_in_row:int4 failures:int8 calls:int8 last_failure"
                + " last_failure_s:numeric times_opened:int8 state_s:numeric next_try_s:numeric");
        Map<String, BreakerReport> sorted = new TreeMap<>();
        of.all().forEach((host, breaker) -> sorted.put(host.toString(), breaker.report()));
        sorted.forEach((host, report) -> {
            String failure = report.lastFailure();
            table.row(
                    host,
                    roles.get(host),
                    report.state(),
                    report.inRow(),
                    report.failures(),
                    report.calls(),
                    failure,
                    failure == null ? null : decimal(report.lastFailureAge()),
                    report.opened(),
                    decimal(report.age()),
                    decimal(report.nextTry()));
        });
        return table.answer();
    }

    private static @Nullable String decimal(@Nullable Duration value) {
        return value == null ? null : decimal(value.toMillis() / 1000.0);
    }

    private static void position(List<@Nullable Object> row, HostState host, @Nullable Answer answer) {
        // the answer may be a later one than that by which the role was found
        boolean leftBehind = host.role() == HostRole.UNKNOWN
                && host.polledAt() != HostState.NEVER
                && answer != null
                && answer.role() == HostRole.PRIMARY;
        row.add(leftBehind ? "left behind" : host.role().toString().toLowerCase(Locale.ROOT));
        row.add(answer == null || answer.timeline() == 0 ? null : answer.timeline());
        row.add(answer == null ? null : Lsn.toString(answer.lsn()));
        row.add(host.lagBytes() < 0 ? null : host.lagBytes());
    }

    private static void vitals(List<@Nullable Object> row, @Nullable HostVitals vitals) {
        row.add(vitals == null ? null : decimal(vitals.lag()));
        row.add(vitals == null ? null : vitals.connections());
        row.add(vitals == null ? null : vitals.maxConnections());
        row.add(vitals == null ? null : vitals.reserved());
        row.add(vitals == null ? null : decimal(vitals.oldestTransaction()));
        row.add(vitals == null ? null : decimal(vitals.oldestIdleTransaction()));
        row.add(vitals == null ? null : vitals.waitingLocks());
        row.add(vitals == null ? null : decimal(vitals.longestLockWait()));
        row.add(vitals == null ? null : vitals.deadlocks());
        row.add(vitals == null ? null : percent(vitals.bufferHitRatio()));
    }

    private static void machine(List<@Nullable Object> row, MachineLoad load) {
        row.add(percent(load.cpu()));
        row.add(percent(load.memory()));
        row.add(percent(load.disk()));
    }

    private static @Nullable Long age(@Nullable HostVitals vitals) {
        return vitals == null ? null : TimeUnit.NANOSECONDS.toMillis(Monotonic.now() - vitals.asked());
    }

    private static @Nullable String decimal(@Nullable Double value) {
        return value == null ? null : String.format(Locale.ROOT, "%.2f", value);
    }

    private static @Nullable String percent(@Nullable Double share) {
        return share == null ? null : decimal(100 * share) + " %";
    }
}
