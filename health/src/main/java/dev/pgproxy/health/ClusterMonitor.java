package dev.pgproxy.health;

import dev.pgproxy.health.breaker.Breaker;
import dev.pgproxy.health.probe.Answer;
import dev.pgproxy.health.probe.ControlConnections;
import dev.pgproxy.health.probe.ControlTarget;
import dev.pgproxy.health.probe.HostVitals;
import dev.pgproxy.health.probe.MachineLoad;
import dev.pgproxy.health.probe.NodeExporter;
import dev.pgproxy.routing.AdaptiveWeights;
import dev.pgproxy.routing.Host;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.ResponseTimes;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.Timeline;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the hosts of one cluster and publishes what they are. Starts whether or not they answer. Thread-safe; whatever waits
 * does so on threads of its own.
 *
 * <p>A replica that restarts after a crash may answer from an older position than it had. Who sends a read to a replica by the
 * freshness published here must therefore use a connection whose login ended before its {@link HostState#polledAt}: then that
 * position was told by the very server process group that answers the read.
 */
public final class ClusterMonitor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterMonitor.class);
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final long TICK = Duration.ofMillis(100).toNanos();
    private static final long MACHINE_INTERVAL = 2 * SECOND;
    /** Freshness is needed for so long after somebody said so. */
    private static final long NEEDED_FOR = 5 * SECOND;

    private final List<Host> hosts;
    private final MonitorSettings settings;
    private final Consumer<Topology> listener;
    private final ResponseTimes.Reader responseTimes;
    private final AdaptiveWeights weights;
    private final List<Breaker> breakers;
    private final ClusterView view;
    private final List<ControlConnections> connections = new ArrayList<>();
    private final List<HostWatch> watches = new ArrayList<>();
    private final List<VitalsWatch> vitals = new ArrayList<>();
    private final AtomicReferenceArray<MachineLoad> machines;
    private final GoneBackends goneBackends = new GoneBackends(this);
    private final List<Thread> threads = new ArrayList<>();
    private final Object lock = new Object();

    /** What the log says of each host's settings; each is its own thread's. */
    private final String[] told;

    private volatile Topology topology;
    private volatile long neededAt;
    private volatile boolean open = true;

    private ClusterMonitor(
            List<ControlTarget> targets,
            MonitorSettings settings,
            ResponseTimes responseTimes,
            List<Breaker> breakers,
            @Nullable Timeline latest,
            Consumer<Topology> listener) {
        this.hosts = targets.stream().map(ControlTarget::host).toList();
        this.settings = settings;
        this.listener = listener;
        this.responseTimes = responseTimes.reader();
        long now = Monotonic.now();
        this.weights = new AdaptiveWeights(settings.adaptiveWeights(), hosts.size(), now);
        this.breakers = List.copyOf(breakers);
        this.view = new ClusterView(hosts, weights, breakers, settings.maxReplicaLag(), latest);
        this.machines = new AtomicReferenceArray<>(hosts.size());
        this.told = new String[hosts.size()];
        Arrays.fill(told, "");
        this.topology = view.topology(now);
        this.neededAt = now - NEEDED_FOR - 1;
    }

    /**
     * Begins to watch.
     *
     * @param targets in the order of {@link Host#index()}
     * @param breakers in the same order: a replica whose breaker is not closed is published as broken
     * @param latest the timeline of the last primary that was seen before: one on an earlier timeline is none; null if unknown
     * @param listener takes each snapshot, one after the other, on threads of the monitor; it must be quick
     */
    public static ClusterMonitor start(
            List<ControlTarget> targets,
            MonitorSettings settings,
            ResponseTimes responseTimes,
            List<Breaker> breakers,
            @Nullable Timeline latest,
            Consumer<Topology> listener) {
        for (int i = 0; i < targets.size(); i++) {
            if (targets.get(i).host().index() != i) {
                throw new IllegalArgumentException(targets.get(i) + " at " + i);
            }
        }
        if (responseTimes.hosts() < targets.size()) {
            throw new IllegalArgumentException("response times of " + responseTimes.hosts() + " hosts");
        }
        ClusterMonitor monitor = new ClusterMonitor(targets, settings, responseTimes, breakers, latest, listener);
        monitor.startThreads(targets);
        return monitor;
    }

    private void startThreads(List<ControlTarget> targets) {
        for (ControlTarget target : targets) {
            ControlConnections toHost = new ControlConnections(target, settings.timeout());
            connections.add(toHost);
            watches.add(new HostWatch(target.host(), this, toHost));
            boolean readsFiles = target.nodeExporter() == null;
            vitals.add(new VitalsWatch(target.host(), this, toHost, readsFiles, settings.healthInterval()));
        }
        if (targets.stream().anyMatch(target -> target.nodeExporter() != null)) {
            HttpClient client =
                    HttpClient.newBuilder().connectTimeout(settings.timeout()).build();
            for (ControlTarget target : targets) {
                URI address = target.nodeExporter();
                if (address != null) {
                    NodeExporter exporter = new NodeExporter(client, address, settings.timeout());
                    startThread("health machine " + target.host(), () -> watchMachine(target.host(), exporter));
                }
            }
        }
        watches.forEach(HostWatch::start);
        hosts.forEach(host -> startThread("health vitals " + host, vitals.get(host.index())));
        goneBackends.start();
        startThread("health clock", this::watchClock);
    }

    private void startThread(String name, Runnable work) {
        threads.add(Thread.ofPlatform().daemon().name(name).start(work));
    }

    /** What is known now. */
    public Topology topology() {
        return topology;
    }

    /** Somebody routes by freshness; without this for some seconds hosts are asked once a second only. Cheap. */
    public void needed() {
        long now = Monotonic.now();
        long before = neededAt;
        if (now - before > SECOND) {
            neededAt = now;
            if (now - before > NEEDED_FOR) {
                watches.forEach(HostWatch::wake);
            }
        }
    }

    /** A connection to the host ended unexpectedly: it is asked now, and its freshness is not known until it answers. */
    public void suspect(Host host) {
        interrupted(host);
        watches.get(host.index()).wake();
    }

    /** Every host is asked now. */
    public void askNow() {
        watches.forEach(HostWatch::wake);
    }

    /**
     * Another host is about to be promoted: from now on none that takes writes on this timeline or an earlier one is the
     * primary. Null = that has failed, and they may be again.
     */
    public void leave(@Nullable Timeline timeline) {
        synchronized (lock) {
            view.leave(timeline);
            publish();
        }
    }

    /** The number of the timeline that a replica was last seen to receive; 0 if none was, or it may have restarted since. */
    public int receivedTimeline(Host host) {
        synchronized (lock) {
            return view.receivedTimeline(host.index());
        }
    }

    /** For whom the primary's commits wait; empty for nobody, or without a primary. */
    public String synchronousStandbys() {
        synchronized (lock) {
            return view.synchronousStandbys();
        }
    }

    /**
     * Runs something once the primary has no such server process any more, or another primary has taken its place. To be called
     * when the connection to the process was lost. It runs on a thread of the monitor and must be quick; never after the
     * monitor is closed.
     *
     * @param serverPid from BackendKeyData
     */
    public void whenGone(long serverPid, Runnable then) {
        goneBackends.add(serverPid, then);
    }

    /** How the host is, as it said last; null if it does not answer. */
    public @Nullable HostVitals vitals(Host host) {
        return answer(host) == null ? null : vitals.get(host.index()).vitals();
    }

    /** How busy its machine is, by its node_exporter or else by its files. */
    public MachineLoad machine(Host host) {
        HostVitals said = vitals(host);
        MachineLoad load = machines.get(host.index());
        load = load == null && said != null ? said.machine() : load;
        return load == null ? MachineLoad.UNKNOWN : load;
    }

    /** What the host said last of its role and position; null if it does not answer. */
    public @Nullable Answer answer(Host host) {
        synchronized (lock) {
            return view.answer(host.index());
        }
    }

    /** The share of the host's CPUs in use by its node_exporter, 0 to 1; negative if not known. */
    public double cpu(Host host) {
        MachineLoad load = machines.get(host.index());
        return load == null || load.cpu() == null ? -1 : load.cpu();
    }

    /** The host's typical response time in nanoseconds; 0 if not known. */
    public long typicalNanos(Host host) {
        synchronized (lock) {
            return weights.typicalNanos(host.index(), Monotonic.now());
        }
    }

    /** Between two questions to a host. */
    long interval(boolean down) {
        if (down) {
            return SECOND;
        }
        if (hosts.size() == 1) {
            return settings.healthInterval().toNanos();
        }
        return isNeeded()
                ? settings.freshnessInterval().toNanos()
                : Math.min(SECOND, settings.healthInterval().toNanos());
    }

    /** Whether somebody routes by freshness. */
    boolean isNeeded() {
        return hosts.size() > 1 && Monotonic.now() - neededAt <= NEEDED_FOR;
    }

    boolean isOpen() {
        return open;
    }

    boolean isPrimary(Host host) {
        HostState primary = topology.primary();
        return primary != null && primary.host().index() == host.index();
    }

    /** It did not answer, and does again. */
    void returned(Host host) {
        breakers.get(host.index()).returned();
    }

    void answered(Host host, Answer answer) {
        synchronized (lock) {
            view.answered(host.index(), answer);
            publish();
        }
        String strange = strangeSettings(host);
        if (!strange.equals(told[host.index()])) {
            told[host.index()] = strange;
            if (strange.isEmpty()) {
                LOG.info("{}: its settings are as on the primary", host);
            } else {
                LOG.warn("{}: gets no reads, which would say something else there: {}", host, strange);
            }
        }
    }

    /** The settings for whose sake a replica gets no reads, for people; empty if there are none. */
    public String strangeSettings(Host host) {
        synchronized (lock) {
            return view.strangeSettings(host.index());
        }
    }

    void interrupted(Host host) {
        synchronized (lock) {
            view.interrupted(host.index());
            publish();
        }
    }

    void silent(Host host) {
        synchronized (lock) {
            view.silent(host.index());
            publish();
        }
    }

    @Nullable
    Timeline latestTimeline() {
        synchronized (lock) {
            return view.latestTimeline();
        }
    }

    @Nullable
    ControlConnections primaryConnections() {
        synchronized (lock) {
            return view.primary() < 0 ? null : connections.get(view.primary());
        }
    }

    /** Under the lock: snapshots are published in the order in which they arise. */
    private void publish() {
        if (!open) {
            return;
        }
        Topology next = view.topology(Monotonic.now());
        topology = next;
        try {
            listener.accept(next);
        } catch (RuntimeException e) {
            LOG.error("a listener failed", e);
        }
    }

    private void watchClock() {
        long tick = hosts.size() == 1 ? SECOND : TICK; // nobody chooses between hosts where there is one
        while (open) {
            long now = Monotonic.now();
            synchronized (lock) {
                for (Host host : hosts) {
                    if (watches.get(host.index())
                            .isSilent(now, settings.timeout().toNanos())) {
                        view.silent(host.index());
                    }
                }
                weigh(now);
                publish();
            }
            LockSupport.parkNanos(this, tick);
        }
    }

    private void weigh(long now) {
        responseTimes.advance();
        for (Host host : hosts) {
            int index = host.index();
            weights.answered(index, responseTimes.count(index), responseTimes.meanLogarithm(index), now);
            weights.cpu(index, cpu(host));
        }
        weights.update(now);
    }

    private void watchMachine(Host host, NodeExporter exporter) {
        while (open) {
            MachineLoad load = MachineLoad.UNKNOWN;
            try {
                load = exporter.load();
            } catch (IOException e) {
                LOG.debug("{}: its node_exporter does not answer: {}", host, e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            machines.set(host.index(), load);
            long next = Monotonic.now() + MACHINE_INTERVAL;
            for (long left = MACHINE_INTERVAL; left > 0 && open; left = next - Monotonic.now()) {
                LockSupport.parkNanos(this, left);
            }
        }
    }

    /** Ends every thread and connection; does not wait for hosts. */
    @Override
    public void close() {
        synchronized (lock) {
            open = false;
        }
        watches.forEach(HostWatch::wake);
        goneBackends.wake();
        threads.forEach(Thread::interrupt);
        connections.forEach(ControlConnections::close);
    }
}
