package dev.pgproxy.health.failover;

import dev.pgproxy.health.ClusterMonitor;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.freshness.Lsn;
import dev.pgproxy.routing.freshness.Timeline;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes another host of a cluster the primary: when there has been none for too long, or when a person wants it. First the
 * last primary is left, for good: whatever is on its timeline gets nothing any more, should it come back the next moment. Then
 * the replica is promoted, and the others are made to follow it. Thread-safe; waits on threads of its own.
 */
public final class Failover implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Failover.class);

    /** Who sends nothing any more to the last primary. */
    public interface Fence {
        /** Why no other must be promoted from here; empty if it may be. May wait a second. */
        String hindrance();

        /** Whatever is on this timeline, or an earlier one, is not the primary any more. Must be quick. */
        void leave(Timeline last);

        /** That has come to nothing: what is on it may be the primary again. */
        void stay(Timeline last);
    }

    private static final long TICK = Duration.ofMillis(50).toNanos();
    private static final long RETRY = Duration.ofSeconds(1).toNanos();
    private static final Duration PROMOTION = Duration.ofSeconds(60);

    /** How far behind a replica may be that is to take over on purpose: what is missing is waited for by all writers. */
    private static final long NEAR = 16 << 20;

    private static final String MARK =
            "SELECT set_config('synchronous_commit', 'local', true), pg_logical_emit_message(true, 'pgproxy', '')";

    private final List<ControlTarget> targets;
    private final ClusterMonitor monitor;
    private final Rules rules;
    private final Fence fence;
    private final Following following;
    private final Thread thread;
    private final ExecutorService asking = Executors.newVirtualThreadPerTaskExecutor();

    private final long begun = System.nanoTime();
    private long nextAttempt = begun;
    private long nextLook = begun;
    private volatile @Nullable LastPrimary last;
    private volatile String state = "";
    private volatile String missing = "";
    private final AtomicLong promotions = new AtomicLong();
    private volatile boolean open = true;

    /**
     * Begins to watch, if the rules say so.
     *
     * @param targets all hosts, by their index; as somebody who may promote, and change primary_conninfo
     * @param fence is told before another host is promoted
     * @param last what was known when this cluster was watched before; null if it was not
     */
    public Failover(
            List<ControlTarget> targets, ClusterMonitor monitor, Rules rules, Fence fence, @Nullable LastPrimary last) {
        this.last = last;
        this.targets = List.copyOf(targets);
        this.monitor = monitor;
        this.rules = rules;
        this.fence = fence;
        this.following = new Following(targets);
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("failover " + targets.getFirst().host())
                .unstarted(this::watch);
        if (rules.promotes()) {
            thread.start();
        }
    }

    /** The primary as it was last seen; null if none was. */
    public @Nullable LastPrimary last() {
        return last;
    }

    /** What is the matter, for people; empty if nothing is. */
    public String state() {
        return state;
    }

    /** What may be lost with the last primary, for people; empty if nothing is that was acknowledged, as far as is known here. */
    public String missing() {
        return missing;
    }

    /** How many times a replica was promoted, on purpose or not. */
    public long promotions() {
        return promotions.get();
    }

    private void watch() {
        while (open) {
            try {
                look(System.nanoTime());
            } catch (RuntimeException e) {
                LOG.error("failover: internal error", e);
                nextAttempt = System.nanoTime() + RETRY;
            }
            LockSupport.parkNanos(this, TICK);
        }
    }

    private synchronized void look(long now) {
        Topology topology = monitor.topology();
        HostState primary = topology.primary();
        Timeline timeline = topology.timeline();
        LastPrimary lost = last;
        if (primary != null && timeline != null) {
            last = new LastPrimary(
                    primary.host().name(), timeline, primary.position(), monitor.synchronousStandbys(), now);
            if (now - nextLook >= 0) {
                boolean mended = following.look(primary.host(), topology, timeline.number());
                nextLook =
                        System.nanoTime() + (mended ? RETRY : rules.interval().toNanos());
            }
            say(following.problems());
        } else if (topology.hosts().stream()
                        .filter(host -> host.role() == HostRole.PRIMARY)
                        .count()
                > 1) {
            say("two hosts take writes on one timeline: nobody can say which is right, and none is promoted");
        } else if (lost == null) {
            boolean late = now - begun >= rules.after().toNanos();
            say(late ? "no primary has answered since the start: none is promoted" : "");
        } else if (now - lost.seen() >= rules.after().toNanos() && now - nextAttempt >= 0) {
            replace(lost, topology, now);
            nextAttempt = System.nanoTime() + RETRY;
        }
    }

    private void say(String what) {
        if (!what.equals(state)) {
            state = what;
            if (!what.isEmpty()) {
                LOG.warn("{}: {}", targets.getFirst().host(), what);
            }
        }
    }

    private void replace(LastPrimary lost, Topology topology, long now) {
        String hindrance = fence.hindrance();
        if (!hindrance.isEmpty()) {
            say("no primary answers, and none is promoted: " + hindrance);
            return;
        }
        double lostSeconds = (now - lost.seen()) / 1e9;
        Promotion decision = Promotion.decide(
                standbys(topology),
                lost.timeline().number(),
                SynchronousStandbys.parse(lost.synchronous()),
                targets.size() - 1,
                rules,
                lostSeconds);
        if (decision instanceof Promotion.Refused refused) {
            say("no primary answers, and none is promoted: " + refused.reason());
        } else if (decision instanceof Promotion.Of promotion) {
            Standby chosen = promotion.chosen();
            LOG.warn(
                    "{} has been gone for {} s: a replica is promoted",
                    lost.name(),
                    Math.round(lostSeconds * 10) / 10.0);
            Rally rally = new Rally(promotion.candidates(), asking);
            Supplier<@Nullable ControlTarget> first = () -> {
                Standby most = rally.around(chosen);
                if (most == null) {
                    return null;
                }
                String name = most.target().host().name();
                missing = promotion.hasAll() ? "" : lost.missing(name, most.received(), System.nanoTime());
                LOG.warn("{} is promoted{}{}", most, missing.isEmpty() ? "" : ": ", missing);
                return most.target();
            };
            String failure = promote(lost.timeline(), first, rally::back);
            missing = failure.isEmpty() ? missing : "";
            say(failure);
        }
    }

    /** All that answer now, asked at once, with the timelines that they were seen to follow. */
    private List<Standby> standbys(Topology topology) {
        List<Callable<Standby>> questions = new ArrayList<>();
        for (HostState host : topology.hosts()) {
            if (host.role() == HostRole.REPLICA) {
                questions.add(() -> {
                    Standby standby = Standby.ask(targets.get(host.host().index()));
                    return standby.following(monitor.receivedTimeline(host.host()));
                });
            }
        }
        return Answers.of(asking, questions);
    }

    /**
     * Leaves the last primary, promotes, and waits until that is seen.
     *
     * @param ready is asked after the one and before the other; null if nothing is to happen
     * @param undo what ready has done, where nobody was promoted
     * @return what is wrong; empty if the host is the primary now
     */
    private String promote(Timeline timeline, Supplier<@Nullable ControlTarget> ready, Runnable undo) {
        fence.leave(timeline);
        monitor.leave(timeline);
        ControlTarget target = ready.get();
        if (target == null) {
            stay(timeline, undo);
            return "no replica has all that the primary has written, or another takes writes by now";
        }
        try (Connection connection = Standby.connect(target)) {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT pg_promote(false)")) {
                row.next();
            } catch (SQLException e) {
                if (connection.isValid(1)) {
                    stay(timeline, undo); // it was refused
                    return target.host() + " cannot be promoted: " + e.getMessage();
                }
            }
        } catch (SQLException e) {
            stay(timeline, undo);
            return target.host() + " cannot be promoted: " + e.getMessage();
        }
        boolean seen = await(PROMOTION, () -> {
            monitor.askNow();
            HostState primary = monitor.topology().primary();
            return primary != null && primary.host().index() == target.host().index();
        });
        if (!seen) {
            return target.host() + " was promoted, and is not seen as the primary: look at it";
        }
        promotions.incrementAndGet();
        nextLook = System.nanoTime();
        return "";
    }

    private void stay(Timeline timeline, Runnable undo) {
        undo.run();
        fence.stay(timeline);
        monitor.leave(null);
    }

    private boolean await(Duration limit, BooleanSupplier done) {
        long end = System.nanoTime() + limit.toNanos();
        while (open && !done.getAsBoolean()) {
            if (System.nanoTime() - end >= 0) {
                return false;
            }
            LockSupport.parkNanos(this, TICK / 2);
        }
        return open;
    }

    /** Why a host cannot take over on purpose, now; empty if it can. Waits for the host. */
    public String refusal(Host wanted) {
        Topology topology = monitor.topology();
        HostState primary = topology.primary();
        HostState state = topology.hosts().get(wanted.index());
        if (primary == null) {
            return "there is no primary to take over from";
        } else if (primary.host().index() == wanted.index()) {
            return wanted + " is the primary";
        } else if (state.role() != HostRole.REPLICA || state.lagBytes() < 0) {
            return wanted + " is not a replica that follows the primary";
        } else if (state.lagBytes() > NEAR) {
            return wanted + " is " + state.lagBytes() + " bytes behind";
        }
        String hindrance = fence.hindrance();
        if (!hindrance.isEmpty()) {
            return hindrance;
        }
        try {
            return Standby.ask(targets.get(wanted.index())).hindrance();
        } catch (SQLException e) {
            return wanted + " does not answer: " + e.getMessage();
        }
    }

    /**
     * Another host takes over on purpose. Nobody begins to write to the primary any more when this is called, as far as it is
     * ours to say. Waits.
     *
     * @param quiet whether no connection to the primary is left
     * @param limit for that, and then for its last writes to arrive at the other
     * @return what is wrong, then nothing has changed; empty if the host is the primary now
     */
    public String handOver(Host to, BooleanSupplier quiet, Duration limit) {
        return await(limit, quiet)
                ? takeOver(to, quiet, limit)
                : "transactions, or sessions that keep a server, have not ended in failover_wait";
    }

    private synchronized String takeOver(Host to, BooleanSupplier quiet, Duration limit) {
        String refusal = refusal(to);
        Topology topology = monitor.topology();
        HostState primary = topology.primary();
        Timeline timeline = topology.timeline();
        if (!refusal.isEmpty() || primary == null || timeline == null) {
            return refusal.isEmpty() ? "there is no primary to take over from" : refusal;
        }
        ControlTarget target = targets.get(to.index());
        Supplier<@Nullable ControlTarget> ready = () -> {
            long begun = System.nanoTime();
            boolean all =
                    await(limit, quiet) && hasAll(target, primary.host(), limit.minusNanos(System.nanoTime() - begun));
            return all ? target : null;
        };
        String failure = promote(timeline, ready, () -> {});
        if (failure.isEmpty()) {
            missing = "";
            LOG.warn("{} has taken over from {}", to, primary.host());
            following.look(to, monitor.topology(), timeline.number() + 1);
        }
        return failure;
    }

    /** Whether a replica comes to have all that the primary has written. */
    private boolean hasAll(ControlTarget to, Host primary, Duration limit) {
        try (Connection from = Standby.connect(targets.get(primary.index()));
                Connection at = Standby.connect(to);
                Statement statement = from.createStatement();
                PreparedStatement received =
                        at.prepareStatement("SELECT coalesce(pg_last_wal_receive_lsn() >= ?::pg_lsn, false)")) {
            // its commit makes the primary flush all that was written before
            statement.execute(MARK);
            String end;
            try (ResultSet row = statement.executeQuery("SELECT pg_current_wal_flush_lsn()")) {
                row.next();
                end = row.getString(1);
            }
            received.setString(1, end);
            LOG.info("waiting until {} has {}", to.host(), Lsn.toString(Lsn.parse(end)));
            return await(limit, () -> isTrue(received));
        } catch (SQLException e) {
            LOG.warn("the primary's last position cannot be compared: {}", e.getMessage());
            return false;
        }
    }

    private static boolean isTrue(PreparedStatement question) {
        try (ResultSet row = question.executeQuery()) {
            return row.next() && row.getBoolean(1);
        } catch (SQLException e) {
            return false;
        }
    }

    @Override
    public void close() {
        open = false;
        LockSupport.unpark(thread);
        asking.shutdownNow();
    }
}
