package dev.pgproxy.insight;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The last slow statements, so many and no more. Thread-safe; they are few enough for a lock. */
public final class SlowStatements {
    static final int KEPT = 1000;

    private final @Nullable SlowStatement[] ring = new @Nullable SlowStatement[KEPT];
    private long seen;

    synchronized void add(SlowStatement statement) {
        ring[(int) (seen % KEPT)] = statement;
        seen++;
    }

    synchronized void clear() {
        java.util.Arrays.fill(ring, null);
        seen = 0;
    }

    /** The latest first. */
    public synchronized List<SlowStatement> latest() {
        List<SlowStatement> all = new ArrayList<>();
        for (long i = seen - 1; i >= Math.max(0, seen - KEPT); i--) {
            SlowStatement statement = ring[(int) (i % KEPT)];
            if (statement != null) {
                all.add(statement);
            }
        }
        return all;
    }
}
