package dev.pgproxy.route;

import dev.pgproxy.cache.redis.InstanceLink;
import dev.pgproxy.routing.catalog.RelationSet;

/**
 * Relations that are in doubt, here and in all other instances, from the moment a message that may write them is about to be
 * sent until its outcome is known. Thread-safe.
 */
public final class OpenWrite {
    private final DatabaseState state;
    private final RelationSet relations;
    private final int backend;
    private final Runnable whenConfirmed;
    private long number;
    private boolean settled;
    private volatile boolean confirmed;

    OpenWrite(DatabaseState state, RelationSet relations, int backend, boolean confirmed, Runnable whenConfirmed) {
        this.state = state;
        this.relations = relations;
        this.backend = backend;
        this.confirmed = confirmed;
        this.whenConfirmed = whenConfirmed;
    }

    /** Tells the others, unless it is over. */
    synchronized void tell(InstanceLink link, String database) {
        if (!settled) {
            number = link.doubt(database, Instances.tables(relations), backend, 0, () -> {
                confirmed = true;
                whenConfirmed.run();
            });
        }
    }

    /** Which. */
    public RelationSet relations() {
        return relations;
    }

    /** Whether the message may be sent. */
    public boolean isConfirmed() {
        return confirmed;
    }

    /** The outcome is known: what was written counts as written at this moment; 0 if nothing was. */
    public synchronized void settle(long moment) {
        settled = true;
        state.clock().settle(relations, moment);
        state.settled(number, moment != 0);
    }
}
