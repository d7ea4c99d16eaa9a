package dev.pgproxy.alert;

import dev.pgproxy.config.AlertSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks once a second, on a daemon thread of its own, at what a person should be told of, and tells it when it begins and when it
 * is over. Thread-safe.
 */
public final class Alerts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Alerts.class);
    private static final long TICK = TimeUnit.SECONDS.toNanos(1);

    /** How many alerts that are over are remembered. */
    static final int REMEMBERED = 100;

    /** One of them, from the first moment that it might become one. */
    private static final class Standing {
        private final Hysteresis hysteresis = new Hysteresis();
        private Threshold threshold = Threshold.YES;
        private @Nullable Alert alert;
    }

    /**
     * What there is to show. Immutable.
     *
     * @param raised those that are raised, the latest first
     * @param over the last ones that are not any more, the latest first
     */
    public record View(List<Alert> raised, List<Alert> over) {
        public View {
            raised = List.copyOf(raised);
            over = List.copyOf(over);
        }
    }

    private final List<Condition> conditions;
    private final Sinks sinks;
    private final Map<Alert.Id, Standing> standings = new HashMap<>();
    private final Deque<Alert> over = new ArrayDeque<>();
    private final Set<Condition> broken = new HashSet<>();
    private final Thread thread;
    private volatile AlertSettings settings;
    private volatile View view = new View(List.of(), List.of());
    private volatile boolean open = true;

    Alerts(AlertSettings settings, List<Condition> conditions, Retry retry) {
        this.settings = settings;
        this.conditions = List.copyOf(conditions);
        this.sinks = new Sinks(retry);
        this.thread = Thread.ofPlatform().daemon().name("alerts").unstarted(this::watch);
    }

    /** Looks from now on. */
    public static Alerts start(AlertSettings settings, Conditions conditions) {
        Alerts alerts = new Alerts(settings, conditions.all(), Retry.USUAL);
        alerts.thread.start();
        return alerts;
    }

    /** RELOAD: counts from the next look on. */
    public void reload(AlertSettings changed) {
        settings = changed;
    }

    /** What is raised and what was. */
    public View view() {
        return view;
    }

    /** How telling it goes, the log first. */
    public List<SinkStatus> sinks() {
        return sinks.status();
    }

    private void watch() {
        while (open) {
            look(System.nanoTime(), Instant.now());
            LockSupport.parkNanos(this, TICK);
        }
        sinks.close();
    }

    /**
     * Looks once.
     *
     * @param now by System.nanoTime, as conditions take it
     * @param time the same moment for people
     */
    void look(long now, Instant time) {
        AlertSettings by = settings;
        sinks.reload(by);
        boolean changed = false;
        for (Condition condition : conditions) {
            Map<String, Reading> readings = readings(condition, by, now);
            changed |= readings != null && judge(condition, readings, by, now, time);
        }
        sinks.tick(by.perMinute(), now, time);
        if (changed) {
            publish();
        }
    }

    /** By subject; null if nobody knows. */
    private @Nullable Map<String, Reading> readings(Condition condition, AlertSettings by, long now) {
        try {
            Map<String, Reading> readings = new LinkedHashMap<>();
            condition.look(by, now).forEach(reading -> readings.put(reading.subject(), reading));
            broken.remove(condition);
            return readings;
        } catch (RuntimeException e) {
            if (broken.add(condition)) {
                LOG.error("alert {}: internal error", condition.kind(), e);
            }
            return null;
        }
    }

    private boolean judge(
            Condition condition, Map<String, Reading> readings, AlertSettings by, long now, Instant time) {
        boolean changed = false;
        readings.keySet().forEach(subject -> standings.computeIfAbsent(id(condition, subject), id -> new Standing()));
        Iterator<Map.Entry<Alert.Id, Standing>> all = standings.entrySet().iterator();
        while (all.hasNext()) {
            Map.Entry<Alert.Id, Standing> entry = all.next();
            if (entry.getKey().kind() != condition.kind()) {
                continue;
            }
            Standing standing = entry.getValue();
            Reading reading = readings.get(entry.getKey().subject());
            standing.threshold = reading == null ? standing.threshold : reading.threshold();
            Duration raiseAfter = condition.isEvent() ? Duration.ZERO : by.raiseAfter();
            boolean turned = standing.hysteresis.look(
                    reading == null ? standing.threshold.clear() : reading.value(),
                    standing.threshold,
                    raiseAfter.toNanos(),
                    by.clearAfter().toNanos(),
                    now);
            if (turned) {
                changed = true;
                turn(standing, entry.getKey(), reading, by, now, time);
            }
            if (standing.hysteresis.isQuiet()) {
                all.remove();
            }
        }
        return changed;
    }

    private static Alert.Id id(Condition condition, String subject) {
        return new Alert.Id(condition.kind(), subject);
    }

    private void turn(
            Standing standing, Alert.Id id, @Nullable Reading reading, AlertSettings by, long now, Instant time) {
        Alert alert;
        if (standing.hysteresis.isRaised()) {
            alert = Alert.of(
                    id.kind(), id.subject(), Objects.requireNonNull(reading).text(), time);
            standing.alert = alert;
        } else {
            alert = Objects.requireNonNull(standing.alert).clearedAt(time);
            standing.alert = null;
            over.addFirst(alert);
            if (over.size() > REMEMBERED) {
                over.removeLast();
            }
        }
        sinks.tell(alert, by.perMinute(), now);
    }

    private void publish() {
        List<Alert> raised = standings.values().stream()
                .map(standing -> standing.alert)
                .filter(Objects::nonNull)
                .sorted(Comparator.comparing(Alert::raised).reversed())
                .toList();
        view = new View(raised, List.copyOf(over));
    }

    /** Stops; what has not been told is not told any more. Waits for nothing. */
    @Override
    public void close() {
        open = false;
        LockSupport.unpark(thread);
        if (!thread.isAlive()) {
            sinks.close(); // else the thread does so
        }
    }
}
