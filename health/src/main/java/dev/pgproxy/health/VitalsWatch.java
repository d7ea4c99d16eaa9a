package dev.pgproxy.health;

import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.HostVitals;
import dev.pgproxy.health.probe.VitalsProbe;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.freshness.Monotonic;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks one host how it is, again and again, on a thread of its own: neither the question for its position nor another host
 * waits for that. A host that does not answer the first is not asked this. Thread-safe apart from {@link #run}, which is the
 * thread.
 */
final class VitalsWatch implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(VitalsWatch.class);
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final Host host;
    private final ClusterMonitor monitor;
    private final VitalsProbe probe;
    private final long every;
    private boolean told;
    private volatile @Nullable HostVitals vitals;

    VitalsWatch(Host host, ClusterMonitor monitor, ControlConnections connections, boolean readsFiles, Duration every) {
        this.host = host;
        this.monitor = monitor;
        this.probe = new VitalsProbe(connections, readsFiles);
        this.every = every.toNanos();
    }

    /** What it said last; null if it does not answer. */
    @Nullable
    HostVitals vitals() {
        return vitals;
    }

    @Override
    public void run() {
        while (monitor.isOpen()) {
            boolean answers = monitor.answer(host) != null;
            if (answers) {
                ask();
            } else {
                vitals = null;
            }
            rest(answers ? every : Math.min(every, SECOND));
        }
    }

    private void ask() {
        try {
            vitals = probe.ask();
            told = false;
        } catch (SQLException e) {
            vitals = null;
            if (monitor.isOpen() && !told) {
                told = true;
                LOG.info("{}: does not tell how it is: {}", host, e.getMessage());
            }
        }
    }

    private void rest(long nanos) {
        long next = Monotonic.now() + nanos;
        for (long left = nanos; left > 0 && monitor.isOpen(); left = next - Monotonic.now()) {
            LockSupport.parkNanos(this, left);
        }
    }
}
