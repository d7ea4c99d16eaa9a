package dev.pgproxy.consistency;

import dev.pgproxy.demo.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delays the replicas and breaks connections at random, by seed, and takes everything back at the end. Each disturbance
 * ends within {@code longestMillis}. Confined to its thread.
 */
final class Disturber {
    private static final Logger LOG = LoggerFactory.getLogger(Disturber.class);

    private final Arena arena;
    private final List<CheckerSession> sessions;
    private final int longestMillis;
    private final SplittableRandom random;
    private final Map<String, Integer> done = new TreeMap<>();

    Disturber(Arena arena, List<CheckerSession> sessions, int longestMillis, long seed) {
        this.arena = arena;
        this.sessions = sessions;
        this.longestMillis = longestMillis;
        this.random = new SplittableRandom(seed * 7_919 + 1);
    }

    /** Breaks connections and keeps the primary busy until told to stop; what was done, by name, is the answer. */
    Map<String, Integer> interruptWhile(BooleanSupplier running) {
        while (running.getAsBoolean()) {
            interrupt();
            park(random.nextInt(10, 60));
        }
        return done;
    }

    /** Delays replicas until told to stop; what was done, by name, is the answer. */
    Map<String, Integer> delayWhile(BooleanSupplier running) {
        try {
            while (running.getAsBoolean()) {
                delay();
                park(random.nextInt(5, 40));
            }
        } finally {
            arena.cluster().replicas().forEach(this::restore);
        }
        return done;
    }

    private void delay() {
        EmbeddedPostgres replica = any(arena.cluster().replicas());
        switch (random.nextInt(7)) {
            case 0, 1, 2 -> pauseReplay(replica);
            case 3 -> applyDelay(arena.cluster().replicas().getLast());
            case 4, 5 -> freeze("walreceiver", replica, pid(replica, "SELECT pid FROM pg_stat_wal_receiver"));
            default -> freeze("postmaster", replica, replica.pid().orElse(0));
        }
    }

    private void interrupt() {
        EmbeddedPostgres primary = arena.cluster().primary();
        switch (random.nextInt(20)) {
            case 0 -> on("checkpoint", primary, "CHECKPOINT");
            case 1 -> on("switch WAL", primary, "SELECT pg_switch_wal()");
            case 2 -> on("vacuum", primary, "VACUUM " + vacuumed());
            case 3, 4 -> terminate("in a commit", primary, "query ILIKE '%commit%'");
            case 5 -> terminate("on the primary", primary, "state = 'active'");
            case 6 -> terminate("on a replica", any(arena.cluster().replicas()), "state = 'active'");
            default -> {
                any(sessions).cancel();
                count("cancel");
            }
        }
    }

    private String vacuumed() {
        return any(List.of("plain", "pair_left", "child", "trigger_copy", "parted"));
    }

    private void pauseReplay(EmbeddedPostgres replica) {
        on("pause replay", replica, "SELECT pg_wal_replay_pause()");
        park(random.nextInt(5, longestMillis));
        on("resume replay", replica, "SELECT pg_wal_replay_resume()");
    }

    private void applyDelay(EmbeddedPostgres replica) {
        int millis = random.nextBoolean() ? 0 : random.nextInt(1, Math.max(2, longestMillis / 4));
        on("apply delay", replica, "ALTER SYSTEM SET recovery_min_apply_delay = '" + millis + "ms'");
        replica.reload();
    }

    private void freeze(String what, EmbeddedPostgres replica, long pid) {
        if (pid > 0) {
            count("freeze " + what);
            try {
                kill("STOP", pid);
                park(random.nextInt(5, longestMillis));
            } finally {
                kill("CONT", pid);
            }
        } else {
            LOG.debug("no {} on {}", what, replica);
        }
    }

    private void terminate(String which, EmbeddedPostgres server, String condition) {
        on(
                "terminate " + which,
                server,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                        + " AND pid <> pg_backend_pid() AND datname = '" + arena.database() + "' ORDER BY (" + condition
                        + ") DESC, random() LIMIT 1");
    }

    private void restore(EmbeddedPostgres replica) {
        on("restore", replica, "ALTER SYSTEM RESET recovery_min_apply_delay");
        replica.reload();
        on("restore", replica, "SELECT pg_wal_replay_resume()");
    }

    private void on(String name, EmbeddedPostgres server, String sql) {
        count(name);
        try (Connection connection =
                        server.connect(server == arena.cluster().primary() ? arena.database() : "postgres");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            LOG.info("{} on {}: {}", name, server, e.getMessage());
        }
    }

    private static long pid(EmbeddedPostgres server, String sql) {
        try (Connection connection = server.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            return result.next() ? result.getLong(1) : 0;
        } catch (SQLException e) {
            return 0;
        }
    }

    private static void kill(String signal, long pid) {
        try {
            new ProcessBuilder("kill", "-" + signal, Long.toString(pid)).start().waitFor();
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void count(String name) {
        done.merge(name, 1, Integer::sum);
    }

    private static void park(int millis) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    private <T> T any(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }
}
