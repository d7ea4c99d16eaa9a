package dev.pgproxy.pool;

import dev.pgproxy.routing.Priority;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;

/** How many wait for a server of any pool, and have waited, by priority. Thread-safe. */
public final class WaitingCounts {
    private static final int CLASSES = Priority.values().length;

    private final AtomicIntegerArray waiting = new AtomicIntegerArray(CLASSES);
    private final LongAdder[] served = adders();
    private final LongAdder[] nanos = adders();

    private static LongAdder[] adders() {
        LongAdder[] adders = new LongAdder[CLASSES];
        for (int i = 0; i < CLASSES; i++) {
            adders[i] = new LongAdder();
        }
        return adders;
    }

    void waits(Priority priority, int many) {
        waiting.addAndGet(priority.ordinal(), many);
    }

    void served(Priority priority, long waited) {
        served[priority.ordinal()].increment();
        nanos[priority.ordinal()].add(waited);
    }

    /** How many wait now. */
    public int waiting(Priority priority) {
        return waiting.get(priority.ordinal());
    }

    /** How many have waited and were given a server. */
    public long served(Priority priority) {
        return served[priority.ordinal()].sum();
    }

    /** How long these have waited, together, in microseconds. */
    public long waitedMicros(Priority priority) {
        return TimeUnit.NANOSECONDS.toMicros(nanos[priority.ordinal()].sum());
    }
}
