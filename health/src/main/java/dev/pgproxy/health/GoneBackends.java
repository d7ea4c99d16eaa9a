package dev.pgproxy.health;

import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.Timeline;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out when server processes have ended whose connection was lost: only then it is settled what became of their last
 * statement. A process leaves pg_stat_activity after its transaction has ended (on_shmem_exit callbacks run after
 * ShutdownPostgres). Asks all at once, at first every 100 ms, then up to 1 s apart. Thread-safe; its thread is its own.
 */
final class GoneBackends implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(GoneBackends.class);
    private static final long FIRST = Duration.ofMillis(100).toNanos();
    private static final long LONGEST = Duration.ofSeconds(1).toNanos();
    private static final String AGES = """
            SELECT pid, extract(epoch FROM clock_timestamp() - backend_start)::float8
            FROM pg_stat_activity WHERE pid = ANY(?)
            """;

    private final ClusterMonitor monitor;
    private final List<Pending> pending = new ArrayList<>();
    private final Thread thread =
            Thread.ofPlatform().daemon().name("health gone").unstarted(this);
    private long pause = FIRST;

    /** Somebody who waits; {@code timeline} is null if no primary had been seen. */
    private record Pending(long pid, long since, @Nullable Timeline timeline, Runnable then) {}

    GoneBackends(ClusterMonitor monitor) {
        this.monitor = monitor;
    }

    void start() {
        thread.start();
    }

    void add(long pid, Runnable then) {
        Pending added = new Pending(pid, Monotonic.now(), monitor.latestTimeline(), then);
        synchronized (pending) {
            pending.add(added);
            pause = FIRST;
        }
        wake();
    }

    void wake() {
        LockSupport.unpark(thread);
    }

    @Override
    public void run() {
        while (monitor.isOpen()) {
            List<Pending> asked;
            long rest;
            synchronized (pending) {
                asked = List.copyOf(pending);
                rest = pause;
                pause = Math.min(2 * pause, LONGEST);
            }
            if (asked.isEmpty()) {
                LockSupport.park(this);
                continue;
            }
            List<Pending> gone = gone(asked);
            synchronized (pending) {
                pending.removeAll(gone);
            }
            gone.forEach(GoneBackends::tell);
            if (gone.size() < asked.size()) {
                LockSupport.parkNanos(this, rest);
            }
        }
    }

    private List<Pending> gone(List<Pending> asked) {
        Timeline before = monitor.latestTimeline();
        ControlConnections primary = monitor.primaryConnections();
        Map<Long, Double> ages = null;
        long now = Monotonic.now();
        if (primary != null) {
            try {
                ages = ages(primary, asked);
            } catch (SQLException e) {
                LOG.debug("the primary does not tell about lost connections: {}", e.getMessage());
            }
        }
        List<Pending> gone = new ArrayList<>();
        for (Pending one : asked) {
            boolean replaced =
                    one.timeline() != null && before != null && !one.timeline().equals(before);
            boolean ended = ages != null
                    && (one.timeline() == null || one.timeline().equals(before))
                    && isGone(ages.get(one.pid()), now - one.since());
            if (replaced || ended) {
                gone.add(one);
            }
        }
        return gone;
    }

    /** A process younger than the loss is another one with the same number. */
    private static boolean isGone(@Nullable Double ageSeconds, long sinceLoss) {
        return ageSeconds == null || ageSeconds * 1e9 < sinceLoss;
    }

    /** By process; infinite where the role may not see it. */
    private static Map<Long, Double> ages(ControlConnections primary, List<Pending> asked) throws SQLException {
        try (Connection connection = primary.connection();
                PreparedStatement statement = connection.prepareStatement(AGES)) {
            Array pids = connection.createArrayOf(
                    "int4",
                    asked.stream().map(one -> (int) one.pid()).distinct().toArray());
            statement.setArray(1, pids);
            Map<Long, Double> ages = new HashMap<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    double age = rows.getDouble(2);
                    ages.put(rows.getLong(1), rows.wasNull() ? Double.POSITIVE_INFINITY : age);
                }
            }
            return ages;
        }
    }

    private static void tell(Pending one) {
        try {
            one.then().run();
        } catch (RuntimeException e) {
            LOG.error("after the end of server process {}", one.pid(), e);
        }
    }
}
