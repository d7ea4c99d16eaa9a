package dev.pgproxy.health;

import dev.pgproxy.health.probe.Answer;
import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.HostProbe;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.freshness.Monotonic;
import java.sql.SQLException;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks one host again and again, on a thread of its own so that no host waits for another. Thread-safe apart from
 * {@link #run}, which is the thread.
 *
 * <p>Polls are at multiples of the interval, those of replicas a fifth of it later: by then they have most likely replayed what
 * the primary had at its own poll.
 */
final class HostWatch implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(HostWatch.class);

    private final Host host;
    private final ClusterMonitor monitor;
    private final HostProbe probe;
    private final Thread thread;
    private String complaint = "";
    private volatile long lastAnswered = Monotonic.now();
    private volatile long interval;
    private volatile boolean awaited = true;
    private volatile boolean down;

    HostWatch(Host host, ClusterMonitor monitor, ControlConnections connections) {
        this.host = host;
        this.monitor = monitor;
        this.probe = new HostProbe(connections);
        this.thread = Thread.ofPlatform().daemon().name("health " + host.name()).unstarted(this);
    }

    void start() {
        interval = monitor.interval(false);
        thread.start();
    }

    /** Asks now, or as soon as the running question has ended. */
    void wake() {
        awaited = true;
        LockSupport.unpark(thread);
    }

    /** Whether it has been silent for longer than it may. */
    boolean isSilent(long now, long timeout) {
        return now - lastAnswered > interval + timeout;
    }

    @Override
    public void run() {
        while (monitor.isOpen()) {
            awaited = false;
            poll();
            interval = monitor.interval(down);
            rest();
        }
    }

    private void rest() {
        long every = interval;
        long phase = monitor.isPrimary(host) ? 0 : every / 5;
        long next = ((Monotonic.now() - phase) / every + 1) * every + phase;
        for (long left = next - Monotonic.now();
                left > 0 && !awaited && monitor.isOpen();
                left = next - Monotonic.now()) {
            LockSupport.parkNanos(this, left);
        }
    }

    /** What broke one connection need not be the host: only if the next one fails too it is down. */
    private void poll() {
        for (int attempt = 1; monitor.isOpen(); attempt++) {
            try {
                Answer answer = probe.ask(monitor.isNeeded());
                lastAnswered = Monotonic.now();
                if (down) {
                    LOG.info("{}: answers as {}", host, answer.role());
                    monitor.returned(host);
                }
                down = false;
                complaint = "";
                monitor.answered(host, answer);
                return;
            } catch (SQLException e) {
                if (!monitor.isOpen()) {
                    return;
                }
                monitor.interrupted(host);
                if (attempt > 1 || down) {
                    complain(e);
                    down = true;
                    monitor.silent(host);
                    return;
                }
            }
        }
    }

    private void complain(SQLException e) {
        Throwable cause = e; // the pool's own words tell nothing
        while (cause.getCause() instanceof SQLException inner) {
            cause = inner;
        }
        String reason = String.valueOf(cause.getMessage());
        if (!down || !reason.equals(complaint)) {
            complaint = reason;
            LOG.warn(
                    "{}: does not answer: {}{}",
                    host,
                    reason,
                    HostProbe.isForbidden(e) ? "; the role needs pg_monitor" : "");
        }
    }
}
