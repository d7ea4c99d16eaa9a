package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.config.DatabaseSettings;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.health.failover.Failover;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.route.Routes;
import dev.pgproxy.route.WatchedCluster;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostState;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * SWITCHOVER: a replica takes over from its primary, and clients notice a pause. Transactions that run may end; nobody begins
 * another; what the primary has written arrives at the replica; that is promoted, and everybody goes on there. Thread-safe.
 */
record Switchover(ProgramControl program, Pools pools, Routes routes) {
    CompletionStage<List<ConsoleAnswer>> to(String host) {
        CompletableFuture<List<ConsoleAnswer>> answers = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("switchover").start(() -> {
            try {
                answers.complete(answers(host));
            } catch (RuntimeException e) {
                answers.completeExceptionally(e);
            }
        });
        return answers;
    }

    private List<ConsoleAnswer> answers(String name) {
        for (WatchedCluster cluster : routes.clusters()) {
            for (Host host : cluster.hosts()) {
                Failover failover = cluster.failover();
                if (host.name().equals(name) && cluster.primary().isPatroni()) {
                    return List.of(refused("Patroni promotes here; use patronictl switchover"));
                }
                if (host.name().equals(name) && failover != null) {
                    HostState last = cluster.monitor().topology().primary();
                    String failure = takeOver(cluster.primary(), failover, host);
                    return failure.isEmpty()
                            ? List.of(left(Objects.requireNonNull(last).host()), new ConsoleAnswer.Done("SWITCHOVER"))
                            : List.of(refused(failure));
                }
            }
        }
        return List.of(
                Failures.of(
                        SqlState.UNDEFINED_OBJECT,
                        "no host " + name + " that could take over",
                        "Name a replica of a database that somebody has used, as SHOW REPLICAS does; failover must not be off."));
    }

    private static ConsoleAnswer left(Host last) {
        return new ConsoleAnswer.Notice(ErrorFields.notice(
                last + " gets nothing any more",
                "Stop it, run pg_rewind, and start it as a replica: it would take writes that do not pass through"
                        + " pgproxy."));
    }

    private static ConsoleAnswer refused(String failure) {
        return Failures.of(
                SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
                "SWITCHOVER failed, the primary stays: " + failure,
                "See SHOW REPLICAS, SHOW SERVERS and the log.");
    }

    private String takeOver(HostAddress primary, Failover failover, Host to) {
        if (!program.config().peers().peers().isEmpty()) {
            return "there are peers, which would go on writing to the primary";
        }
        String refusal = failover.refusal(to);
        if (!refusal.isEmpty()) {
            return refusal;
        }
        Duration limit = program.config().failover().patience();
        List<String> paused = databases(primary).stream()
                .filter(database -> !pools.gates().isPaused(database))
                .toList();
        paused.forEach(pools::pause);
        try {
            return failover.handOver(to, () -> hasNoServers(primary), limit);
        } finally {
            paused.forEach(pools::resume);
        }
    }

    /** By the names that clients use. */
    private List<String> databases(HostAddress primary) {
        return pools.all().stream()
                .map(pool -> pool.key().database())
                .distinct()
                .filter(database -> isOn(database, primary))
                .toList();
    }

    private boolean isOn(String database, HostAddress primary) {
        @Nullable DatabaseSettings settings = program.config().database(database);
        return settings != null && settings.primary().equals(primary);
    }

    private boolean hasNoServers(HostAddress primary) {
        return pools.all().stream()
                .filter(pool -> pool.key().replica() == null && isOn(pool.key().database(), primary))
                .allMatch(Pool::hasNoServers);
    }
}
