package dev.pgproxy.routing;

import java.lang.invoke.VarHandle;

/**
 * Numbers that one event loop writes and any thread reads: each is as it was a moment ago, and what is read later is of a later
 * moment or the same. With fences, and not an array of atomics: those reach memory through several calls of method handles,
 * which the compiler no longer inlines in the depth of a loop's work (docs/performance.md).
 */
public final class LoopCounters {
    private final long[] values;

    /** All of them 0. */
    public LoopCounters(int count) {
        values = new long[count];
    }

    /** Only on the loop. */
    public void add(int i, long n) {
        set(i, values[i] + n);
    }

    /** Only on the loop. */
    public void set(int i, long value) {
        VarHandle.releaseFence();
        values[i] = value;
    }

    /** For any thread. */
    public long get(int i) {
        long value = values[i];
        VarHandle.acquireFence();
        return value;
    }
}
