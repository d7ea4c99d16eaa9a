package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.SlowSettings;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The plans of statements that were slow, and whose plans are to be asked for. A statement that was slow once is looked at in
 * each interval from then on, slow or not, for as long as it is run: else nobody would learn what an index has changed. Bounded:
 * what was slow longest ago gives way. Thread-safe; what was slow and what was sampled are few enough for a lock.
 */
public final class Plans {
    /** So many plans are kept. */
    public static final int KEPT = 1000;

    /** So many samples wait to be asked for. */
    static final int WAITING = 64;

    /** A text that has not come again for so long makes room for another user's of the same shape. */
    private static final long PATIENCE_NANOS = 10_000_000_000L;

    private static final Logger LOG = LoggerFactory.getLogger(Plans.class);

    private record Key(String fingerprint, String database, String user) {}

    private static final class Entry {
        PlanReport report;

        /** When it is to be asked for next, by System.nanoTime. */
        long due;

        Entry(PlanReport report, long due) {
            this.report = report;
            this.due = due;
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
            long now = System.nanoTime();
            entries.put(key, new Entry(PlanReport.of(slow, shape.high(), shape.low()), now));
            if (entries.size() > KEPT) {
                Iterator<Key> eldest = entries.keySet().iterator();
                eldest.next();
                eldest.remove();
            }
            if (shape.sought() == null) {
                shape.seek(new Shape.Sought(key.database, key.user, now));
            }
        }
    }

    /** Has the next texts of all looked for whose plans are due. To be called a few times a second. */
    public synchronized void seek(Shapes shapes, long now) {
        for (Map.Entry<Key, Entry> each :
                settings.planCapture() ? entries.entrySet() : List.<Map.Entry<Key, Entry>>of()) {
            if (now - each.getValue().due >= 0) {
                PlanReport report = each.getValue().report;
                Shape shape = shapes.find(report.high(), report.low());
                Shape.Sought sought = shape == null ? null : shape.sought();
                if (shape != null && (sought == null || now - sought.since() > PATIENCE_NANOS)) {
                    shape.seek(new Shape.Sought(report.database(), report.user(), now));
                }
            }
        }
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
            LOG.warn(
                    "the plan of statement {} of user {} in database {} is another one: {}, it was {}",
                    before.fingerprint(),
                    Printable.of(before.user()),
                    Printable.of(before.database()),
                    plan.hash(),
                    before.plan() == null ? "" : before.plan().hash());
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
