package dev.pgproxy.routing.freshness;

import java.util.concurrent.atomic.AtomicLong;

/** The last {@link Monotonic} moment at which everything that bears a mark was declared out of date. Thread-safe. */
public final class Mark {
    private final AtomicLong raised = new AtomicLong(Long.MIN_VALUE);

    /** What is as of this moment or before is out of date from now on. */
    public void raise(long moment) {
        raised.accumulateAndGet(moment, Math::max);
    }

    /** Whether what is as of this moment is not out of date. */
    public boolean isBefore(long asOf) {
        return raised.get() < asOf;
    }
}
