package dev.pgproxy.results;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A read that is on its way to a server, for which others with the same key wait. Thread-safe.
 */
public final class Flight {
    /** More do not wait: they would all be woken at once. */
    private static final int MOST = 10_000;

    private final Key key;
    private final Dependency dependency;
    private final long asOf;
    private @Nullable List<Runnable> waiting = new ArrayList<>(0);

    Flight(Key key, Dependency dependency, long asOf) {
        this.key = key;
        this.dependency = dependency;
        this.asOf = asOf;
    }

    Key key() {
        return key;
    }

    /** Whether somebody who asks now may take its result: it will have all that was acknowledged before. */
    boolean isGoodNow() {
        return dependency.holds(asOf);
    }

    /** Runs this when it has ended; false, and never, if it has, or too many wait. */
    public synchronized boolean await(Runnable then) {
        if (waiting == null || waiting.size() >= MOST) {
            return false;
        }
        waiting.add(then);
        return true;
    }

    synchronized boolean isAwaited() {
        return waiting != null && !waiting.isEmpty();
    }

    /** It has ended, in whatever way. */
    void end() {
        List<Runnable> told;
        synchronized (this) {
            told = waiting == null ? List.of() : waiting;
            waiting = null;
        }
        told.forEach(Runnable::run);
    }
}
