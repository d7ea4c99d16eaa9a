package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.SlowSettings;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The plans of statements that were slow or may get an index, and whose plans are to be asked for. Such a statement is looked at
 * in each interval from then on, slow or not, for as long as it is run: else nobody would learn what an index has changed.
 * Bounded: what was slow longest ago gives way. Thread-safe; what was slow and what was sampled are few enough for a lock.
 */
public final class Plans {
    /** So many plans are kept. */
    public static final int KEPT = 1000;

    /** Of so many indexes for one statement it is kept what came of them. */
    private static final int TRIALS = 4;

    /** So many samples wait to be asked for. */
    static final int WAITING = 64;

    /** A text that has not come again for so long makes room for another user's of the same shape. */
    private static final long PATIENCE_NANOS = 10_000_000_000L;

    private record Key(String fingerprint, String database, String user) {}

    private static final class Entry {
        PlanReport report;

        /** When it is to be asked for next, by System.nanoTime. */
        long due;

        /** When its text was looked for last, by System.nanoTime. */
        long sought;

        /** An index that the planner is asked of along with the plan, the next time. */
        @Nullable
        String proposed;

        /** What came of such indexes, by the SQL that would create them. */
        final Map<String, IndexTrial> trials = new LinkedHashMap<>();

        Entry(PlanReport report, long due) {
            this.report = report;
            this.due = due;
            this.sought = due;
        }
    }

    private final Map<Key, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
    private final Deque<Sample> waiting = new ArrayDeque<>();
    private SlowSettings settings;
    private long captured;
    private long failed;
    private long changed;
    private long dropped;

    /** None yet. */
    public Plans(SlowSettings settings) {
        this.settings = settings;
    }

    /** RELOAD. */
    public synchronized void reload(SlowSettings changedSettings) {
        settings = changedSettings;
        if (!settings.planCapture()) {
            waiting.clear();
        }
    }

    /** What is asked for now, and how. */
    public synchronized SlowSettings settings() {
        return settings;
    }

    synchronized void slow(SlowStatement slow, Shape shape) {
        if (!settings.planCapture()) {
            return;
        }
        Key key = new Key(
                slow.fingerprint(), slow.caller().database(), slow.caller().user());
        if (entries.get(key) == null) {
            enter(key, PlanReport.of(slow, shape.high(), shape.low()));
            if (shape.sought() == null) {
                shape.seek(new Shape.Sought(key.database, key.user, System.nanoTime()));
            }
        }
    }

    private Entry enter(Key key, PlanReport report) {
        Entry entry = new Entry(report, System.nanoTime());
        entries.put(key, entry);
        if (entries.size() > KEPT) {
            Iterator<Key> eldest = entries.keySet().iterator();
            eldest.next();
            eldest.remove();
        }
        return entry;
    }

    /**
     * An index is proposed for a statement. The planner is asked of it at the statement's next run, slow or not, and again once
     * in an interval for as long as it is proposed.
     *
     * @param statement as the user runs it who is to ask
     * @param sql that would create the index
     * @return what came of it the last time; null if it was not asked yet
     */
    public synchronized @Nullable IndexTrial propose(StatementReport statement, String sql) {
        if (!settings.planCapture()) {
            return null;
        }
        Caller caller = statement.key().caller();
        Key key = new Key(statement.fingerprint(), caller.database(), caller.user());
        Entry known = entries.get(key);
        Entry entry = known == null ? enter(key, PlanReport.of(statement)) : known;
        IndexTrial trial = entry.trials.get(sql);
        boolean isOld =
                trial == null || trial.at().plus(settings.planInterval()).isBefore(Instant.now());
        if (isOld && entry.proposed == null) {
            entry.proposed = sql;
            entry.due = trial == null ? System.nanoTime() : entry.due;
        }
        return trial;
    }

    /** The index that the planner is to be asked of along with this one; null if there is none. */
    public synchronized @Nullable String proposed(Sample sample) {
        Entry entry = find(sample);
        return entry == null ? null : entry.proposed;
    }

    /** This came of it. */
    public synchronized void tried(Sample sample, IndexTrial trial) {
        Entry entry = find(sample);
        if (entry != null) {
            tried(entry, trial);
        }
    }

    private static void tried(Entry entry, IndexTrial trial) {
        entry.proposed = null;
        entry.trials.remove(trial.sql());
        entry.trials.put(trial.sql(), trial);
        if (entry.trials.size() > TRIALS) {
            entry.trials.remove(entry.trials.keySet().iterator().next());
        }
    }

    /**
     * Has the next texts of all looked for whose plans are due; of several users of one statement whoever was looked for longest
     * ago. To be called a few times a second.
     */
    public synchronized void seek(Shapes shapes, long now) {
        if (!settings.planCapture()) {
            return;
        }
        Map<Shape, Entry> turns = new HashMap<>();
        for (Entry entry : entries.values()) {
            Shape shape = now - entry.due < 0 ? null : shapes.find(entry.report.high(), entry.report.low());
            Shape.Sought sought = shape == null ? null : shape.sought();
            if (shape != null && (sought == null || now - sought.since() > PATIENCE_NANOS)) {
                turns.merge(shape, entry, (one, other) -> one.sought - other.sought <= 0 ? one : other);
            }
        }
        turns.forEach((shape, entry) -> {
            entry.sought = now;
            shape.seek(new Shape.Sought(entry.report.database(), entry.report.user(), now));
        });
    }

    synchronized void sample(Sample sample) {
        Entry entry = find(sample);
        long now = System.nanoTime();
        if (entry == null || !settings.planCapture() || now - entry.due < 0) {
            return;
        }
        entry.due = now + settings.planInterval().toNanos();
        if (!sample.hindrance().isEmpty()) {
            failed(sample, sample.hindrance(), null);
        } else if (waiting.size() < WAITING) {
            waiting.add(sample);
        } else {
            dropped++;
            failed(sample, "too many plans were to be asked for", null);
        }
    }

    private @Nullable Entry find(Sample sample) {
        return entries.get(new Key(sample.shape().fingerprint(), sample.database(), sample.user()));
    }

    /** The first that waits and may be asked for, which waits no more; null if there is none. */
    public synchronized @Nullable Sample next(Predicate<Sample> may) {
        for (Iterator<Sample> all = waiting.iterator(); all.hasNext(); ) {
            Sample sample = all.next();
            if (may.test(sample)) {
                all.remove();
                return sample;
            }
        }
        return null;
    }

    /** There is no plan of it, for this reason, which has nothing of the statement in it. */
    public synchronized void failed(Sample sample, String why, @Nullable HostAddress host) {
        failed++;
        Entry entry = find(sample);
        if (entry != null) {
            entry.report = entry.report.without(why, host);
            if (entry.proposed != null) {
                tried(entry, IndexTrial.none(entry.proposed, why));
            }
        }
    }

    /** This is its plan now. */
    public synchronized void captured(Sample sample, ExplainedPlan plan, @Nullable HostAddress host, String how) {
        captured++;
        Entry entry = find(sample);
        if (entry == null) {
            return;
        }
        PlanReport before = entry.report;
        entry.report = before.with(plan, host, how);
        if (before.differs(plan)) {
            changed++;
        }
    }

    /** All of them; what was slow last comes first. */
    public synchronized List<PlanReport> all() {
        List<PlanReport> all = new ArrayList<>();
        entries.values().forEach(entry -> all.add(entry.report));
        return all.reversed();
    }

    /** The hash of the plan of a statement; null if it is not known. */
    public synchronized @Nullable PlanReport of(SlowStatement slow) {
        Entry entry = entries.get(new Key(
                slow.fingerprint(), slow.caller().database(), slow.caller().user()));
        return entry == null ? null : entry.report;
    }

    /** What came of all that was asked for since the start. Immutable. */
    public record Totals(long captured, long failed, long changed, long dropped) {}

    /** Since the start. */
    public synchronized Totals totals() {
        return new Totals(captured, failed, changed, dropped);
    }

    /** Forgets all plans. */
    public synchronized void clear() {
        entries.clear();
        waiting.clear();
    }
}
