package dev.pgproxy.pool;

import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What is known of the definitions in a pool's database: how often they were seen to change, which parameters the
 * bodies of functions set, and whether triggers leave something on the session, as probes have found. Thread-safe.
 */
public final class Catalog {
    /** Definitions change where pgproxy does not see it too. */
    private static final long FRESH_NANOS = TimeUnit.MINUTES.toNanos(1);

    private record Learnt(Set<String> parameters, boolean triggers, long change, long at) {}

    private final AtomicLong version = new AtomicLong();
    private final AtomicLong made = new AtomicLong();
    private volatile Learnt learnt = new Learnt(Set.of(), true, -1, 0);

    /** Changes with each DDL seen: statements prepared before it are others than those after. */
    public long version() {
        return version.get();
    }

    /** A definition has changed, and nobody knows how. */
    public void changed() {
        version.incrementAndGet();
    }

    /** This statement, which may have changed definitions, has completed. */
    public void completed(StatementFacts statement) {
        if (!statement.has(StatementFlags.DDL)) {
            return;
        }
        changed();
        if (statement.has(StatementFlags.MAY_DEFINE_CODE) || statement.kind() == StatementKind.ALTER) {
            made.incrementAndGet();
        }
    }

    /** How often something was made that may be a function which others call. */
    public long change() {
        return made.get();
    }

    /** Whether what probes have found can be relied on. */
    public boolean isFresh() {
        return isFresh(learnt);
    }

    private boolean isFresh(Learnt now) {
        return now.change == change() && System.nanoTime() - now.at < FRESH_NANOS;
    }

    /** The parameters, in lower case, that functions set. */
    public Set<String> parameters() {
        return learnt.parameters;
    }

    /** Whether a statement that writes may leave something on the session, by a trigger; so it is until that is known. */
    public boolean triggersLeaveState() {
        Learnt now = learnt;
        return now.triggers || !isFresh(now);
    }

    /** What a question found that was asked when {@link #change} was so. */
    public void learnt(Set<String> parameters, boolean triggersLeaveState, long change) {
        learnt = new Learnt(Set.copyOf(parameters), triggersLeaveState, change, System.nanoTime());
    }
}
