package dev.pgproxy.routing;

/**
 * Numbers that all event loops add to, each in a row of its own, so that none waits for another; what any thread reads is the sum
 * of all rows. Thread-safe.
 */
public final class LoopTotals {
    private final LoopCounters[] rows;

    /** All of them 0. */
    public LoopTotals(int loops, int count) {
        rows = new LoopCounters[loops];
        for (int i = 0; i < loops; i++) {
            rows[i] = new LoopCounters(count);
        }
    }

    /** Only on that loop. */
    public void add(int loop, int i, long n) {
        rows[loop].add(i, n);
    }

    /** For any thread. */
    public long of(int i) {
        long sum = 0;
        for (LoopCounters row : rows) {
            sum += row.get(i);
        }
        return sum;
    }
}
