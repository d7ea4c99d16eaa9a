package dev.pgproxy.insight;

import dev.pgproxy.protocol.sql.ValueReader;
import dev.pgproxy.routing.sql.Shape;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The {@link Finding}s of one event loop: so many and no more, those with the least time and executions leave. Looked up once for
 * each run of executions, and not for each execution. Written by its loop alone, read by any thread.
 */
public final class LoopRuns {
    /** Findings of one loop. */
    static final int MOST = 300;

    /** Keyed by caller and statement; the hash of a caller is keyed, and so is a fingerprint. */
    private record Key(Finding.Kind kind, long high, long low, Caller caller) {}

    private record Table(int generation, Map<Key, Finding> findings) {}

    private final QueryStats all;
    private final ValueReader values = new ValueReader();
    private volatile Table table;

    LoopRuns(QueryStats all) {
        this.all = all;
        this.table = new Table(all.generation(), new ConcurrentHashMap<>());
    }

    /** Executions with differing values that make a finding; 0 = nobody looks. */
    public int threshold() {
        return all.runsFrom();
    }

    /** For texts of this loop. */
    public ValueReader values() {
        return values;
    }

    /** Where to count a run. */
    Finding find(Finding.Kind kind, Shape shape, Caller caller, long now) {
        Table current = table;
        if (current.generation != all.generation()) {
            current = new Table(all.generation(), new ConcurrentHashMap<>());
            table = current;
        }
        Key key = new Key(kind, shape.high(), shape.low(), caller);
        Finding known = current.findings.get(key);
        if (known != null) {
            return known;
        }
        if (current.findings.size() >= MOST) {
            evict(current.findings);
        }
        Finding made = new Finding(kind, Statement.of(shape), caller, now);
        current.findings.put(key, made);
        return made;
    }

    private static void evict(Map<Key, Finding> findings) {
        List<Map.Entry<Key, Finding>> entries = findings.entrySet().stream()
                .sorted(Comparator.comparingLong(entry -> entry.getValue().value()))
                .toList();
        entries.subList(0, Math.max(1, entries.size() / 10)).forEach(entry -> findings.remove(entry.getKey()));
    }

    /** Raised by a reset: findings of an older one are nobody's. */
    int generation() {
        return all.generation();
    }

    /** What is found, unless it was forgotten since. */
    Collection<Finding> findings() {
        Table current = table;
        return current.generation == all.generation() ? current.findings.values() : List.of();
    }
}
