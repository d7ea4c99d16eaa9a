package dev.pgproxy.insight;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The last changes of definitions, so many and no more. Thread-safe; they are few enough for a lock. */
public final class SchemaHistory {
    static final int KEPT = 1000;

    private final Deque<SchemaChange> changes = new ArrayDeque<>();

    /** The next one. */
    public synchronized void add(SchemaChange change) {
        if (changes.size() == KEPT) {
            changes.removeFirst();
        }
        changes.addLast(change);
    }

    /** The latest first. */
    public synchronized List<SchemaChange> latest() {
        return new ArrayList<>(changes).reversed();
    }
}
