package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.insight.log.LogEntry;
import dev.pgproxy.insight.log.LogRing;
import dev.pgproxy.routing.sql.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The statements that one event loop has seen: a table that this loop alone writes, so that counting needs neither lock nor
 * atomic instruction, and a statement that is known costs no allocation. When it is full a tenth leaves, those with the least
 * time and calls; what was seen long ago counts less each time this happens. Read by any thread.
 */
public final class LoopStats {
    private static final int START = 64;

    /** What remains of a value when some had to leave. */
    private static final double AGEING = 0.99;

    /**
     * Open addressing; a power of two, at least twice as many places as entries. The array is written in place: a reader sees
     * an entry or not yet, and of an entry the final fields at once. What leaves does so by another array.
     */
    private record Slots(int generation, @Nullable StatementStats[] entries) {
        static Slots of(int generation, int length) {
            return new Slots(generation, new @Nullable StatementStats[length]);
        }

        void put(StatementStats entry) {
            int at = entry.hash() & entries.length - 1;
            while (entries[at] != null) {
                at = at + 1 & entries.length - 1;
            }
            entries[at] = entry;
        }

        List<StatementStats> all() {
            List<StatementStats> all = new ArrayList<>();
            for (StatementStats entry : entries) {
                if (entry != null) {
                    all.add(entry);
                }
            }
            return all;
        }
    }

    private final QueryStats all;
    private final LoopRuns runs;
    private final int max;
    private final LoopLatencies latencies = new LoopLatencies();
    private volatile Slots slots;
    private int size;

    /** Null = nothing is logged. */
    private @Nullable LogRing log;

    /** The databases by whose names latencies are counted. */
    private Set<String> named = Set.of();

    LoopStats(QueryStats all, LoopRuns runs, int max) {
        this.all = all;
        this.runs = runs;
        this.max = max;
        this.slots = Slots.of(all.generation(), START);
    }

    /** Where to count a statement; on the loop only, and not to be kept. */
    public StatementStats find(Shape shape, Caller caller, @Nullable HostAddress host, long now) {
        Slots current = slots;
        if (current.generation != all.generation()) {
            current = Slots.of(all.generation(), START);
            slots = current;
            size = 0;
        }
        if (named != all.named()) { // RELOAD
            named = all.named();
            current.all().forEach(entry -> entry.series(latencies, named));
        }
        @Nullable StatementStats[] entries = current.entries;
        int at = StatementStats.hash(shape, caller, host) & entries.length - 1;
        for (StatementStats entry = entries[at]; entry != null; entry = entries[at]) {
            if (entry.isOf(shape, caller, host)) {
                return entry;
            }
            at = at + 1 & entries.length - 1;
        }
        return add(
                current,
                new StatementStats(shape, caller, host, latencies.series(caller.database(), host, named), now));
    }

    private StatementStats add(Slots current, StatementStats entry) {
        Slots room = current;
        if (size >= max) {
            room = evict(current);
        } else if (2 * (size + 1) > current.entries.length) {
            room = copy(current, current.all(), current.entries.length * 2);
        }
        room.put(entry);
        size++;
        return entry;
    }

    private Slots evict(Slots current) {
        List<StatementStats> entries = current.all();
        entries.sort(Comparator.comparingDouble(StatementStats::value).reversed());
        int kept = max - Math.max(1, max / 10);
        all.forgot(entries.size() - kept);
        List<StatementStats> stay = entries.subList(0, kept);
        stay.forEach(entry -> entry.age(AGEING));
        size = kept;
        return copy(current, stay, current.entries.length);
    }

    private Slots copy(Slots current, List<StatementStats> entries, int length) {
        Slots more = Slots.of(current.generation, length);
        entries.forEach(more::put);
        slots = more;
        return more;
    }

    LoopLatencies latencies() {
        return latencies;
    }

    /** What is counted, unless it was forgotten since. */
    List<StatementStats> entries() {
        Slots current = slots;
        return current.generation == all.generation() ? current.all() : List.of();
    }

    /** A statement was ended for others in a deadlock. */
    public void deadlocked(DeadlockVictim victim) {
        all.deadlocks().told(victim);
    }

    /** What is repeated in runs. */
    public LoopRuns runs() {
        return runs;
    }

    /**
     * A statement has taken so many nanoseconds from beginning to end: whether that is to be remembered by itself.
     *
     * @param ruled nanoseconds from which on it is slow by a rule; -1 = by no rule
     */
    public boolean isSlow(long nanos, Caller caller, long ruled) {
        Thresholds thresholds = all.thresholds();
        return nanos >= thresholds.least() && nanos >= (ruled < 0 ? thresholds.in(caller.database()) : ruled);
    }

    /** Whether the next statement is one that the query log has. */
    public boolean isLogged() {
        LogRing ring = log;
        return ring != null && ring.samples();
    }

    /** It has this. */
    public void log(LogEntry entry) {
        LogRing ring = log;
        if (ring != null) {
            ring.add(entry);
        }
    }

    /** Before there are clients. */
    void logTo(LogRing ring) {
        log = ring;
    }

    /** Definitions may have changed by it. */
    public void changed(SchemaChange change) {
        all.definitions().add(change);
    }

    /** Remembers it. */
    public void slow(SlowStatement statement, Shape shape) {
        all.slow().add(statement);
        all.slowness().slow(statement, shape);
    }

    /** A text is about to run whose shape {@link Shape#sought is sought}: all of it, and in whose session. */
    public void sample(Sample sample) {
        all.slowness().sample(sample);
    }
}
