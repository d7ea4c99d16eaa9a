package dev.pgproxy.console;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Routes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What backends wait for at this moment, asked of their hosts as {@code control_user}: wait_event_type and wait_event of
 * pg_stat_activity. Who may not see them, or gets no answer in time, gets none. Thread-safe; waits on threads of its own, and
 * asks one host only once at a time.
 */
final class ServerWaits {
    private static final Logger LOG = LoggerFactory.getLogger(ServerWaits.class);
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final String SQL =
            "SELECT pid, wait_event_type, wait_event FROM pg_stat_activity WHERE pid = ANY (?) AND wait_event IS NOT NULL";

    /** Hosts that are asked together; who looks meanwhile sees no waits. */
    private static final int MOST = 20;

    /** One of a host's backends. */
    record Backend(HostAddress host, int pid) {}

    /** As in pg_stat_activity. */
    record Wait(String type, String event) {}

    private final Routes routes;
    private final Semaphore asking = new Semaphore(MOST);
    private final Executor threads =
            task -> Thread.ofVirtual().name("server waits").start(task);

    ServerWaits(Routes routes) {
        this.routes = routes;
    }

    /** The waits of those that wait, as far as their hosts say so within two seconds. */
    CompletionStage<Map<Backend, Wait>> of(Set<Backend> backends) {
        Map<HostAddress, List<Integer>> byHost = new HashMap<>();
        backends.forEach(each ->
                byHost.computeIfAbsent(each.host(), host -> new ArrayList<>()).add(each.pid()));
        List<CompletableFuture<Map<Backend, Wait>>> answers = new ArrayList<>();
        byHost.forEach((host, pids) -> {
            ControlTarget target = target(host);
            if (target != null && asking.tryAcquire()) {
                answers.add(CompletableFuture.supplyAsync(() -> ask(target, host, pids), threads)
                        .whenComplete((found, failure) -> asking.release())
                        .completeOnTimeout(Map.of(), PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
            }
        });
        return CompletableFuture.allOf(answers.toArray(new CompletableFuture<?>[0]))
                .thenApply(done -> {
                    Map<Backend, Wait> all = new HashMap<>();
                    answers.forEach(answer -> all.putAll(answer.join()));
                    return all;
                });
    }

    /** Where the host is asked, in any of the databases that are used there. */
    private @Nullable ControlTarget target(HostAddress host) {
        for (DatabaseState state : routes.all()) {
            for (ControlTarget target : routes.controlTargets(state.database())) {
                if (target.host().name().equals(host.toString())) {
                    return target;
                }
            }
        }
        return null;
    }

    private static Map<Backend, Wait> ask(ControlTarget target, HostAddress host, List<Integer> pids) {
        Map<Backend, Wait> found = new HashMap<>();
        try (Connection connection = ControlConnections.alone(target, PATIENCE, Map.of());
                PreparedStatement statement = connection.prepareStatement(SQL)) {
            statement.setArray(1, connection.createArrayOf("int4", pids.toArray()));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    found.put(new Backend(host, rows.getInt(1)), new Wait(rows.getString(2), rows.getString(3)));
                }
            }
        } catch (SQLException e) {
            LOG.debug("{} does not say what its backends wait for", host, e);
        }
        return found;
    }
}
