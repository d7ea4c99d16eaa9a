package dev.pgproxy.query;

import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.freshness.TableClock;
import java.util.concurrent.TimeUnit;

/** What a session has seen, and must not see less of. Moments are {@link Monotonic}. Confined to the client's loop. */
final class Past {
    /** So long a session waits for the primary to show what a replica may have shown; a write stuck longer is not awaited. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(5);

    private final DatabaseState state;
    private long seen = HostState.NEVER;
    private long shownByReplicas = HostState.NEVER;
    private RelationSet ahead = RelationSet.NONE;

    Past(DatabaseState state) {
        this.state = state;
    }

    /** The session may have seen everything that was acknowledged before this. */
    long seen() {
        return seen;
    }

    /** The same, of what replicas have answered alone. */
    long shownByReplicas() {
        return shownByReplicas;
    }

    /** The primary has answered something, and it is not known what that was about. */
    void anything() {
        seen = Monotonic.now();
    }

    /** These were read. */
    void read(RelationSet relations, boolean onReplica) {
        long last = state.clock().lastWrite(relations);
        if (last == TableClock.IN_DOUBT) {
            // a replica may show a commit before the primary does (xact.c: WAL first, ProcArrayEndTransaction last)
            ahead = onReplica ? relations : RelationSet.NONE;
            last = Monotonic.now();
        }
        seen = Math.max(seen, last);
        if (onReplica) {
            shownByReplicas = Math.max(shownByReplicas, last);
        }
    }

    /** Whether the primary has perhaps still to show what a replica has shown. */
    boolean isAheadOfThePrimary() {
        if (ahead.isEmpty()) {
            return false;
        }
        boolean waits =
                state.clock().lastWrite(ahead) == TableClock.IN_DOUBT && Monotonic.now() - shownByReplicas < PATIENCE;
        if (!waits) {
            ahead = RelationSet.NONE;
        }
        return waits;
    }
}
