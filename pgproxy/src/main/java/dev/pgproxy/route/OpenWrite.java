package dev.pgproxy.route;

import dev.pgproxy.cache.redis.Ending;
import dev.pgproxy.cache.redis.InstanceLink;
import dev.pgproxy.cache.redis.TableSet;
import dev.pgproxy.routing.catalog.RelationSet;
import org.jspecify.annotations.Nullable;

/**
 * Relations that are in doubt, here and in all other instances, from the moment a message that may write them is about to be
 * sent until its outcome is known. Thread-safe.
 */
public final class OpenWrite {
    private final DatabaseState state;
    private final RelationSet relations;
    private final boolean shared;
    private final int backend;
    private final Runnable whenConfirmed;
    private long number;
    private volatile boolean confirmed;

    OpenWrite(DatabaseState state, RelationSet relations, boolean shared, int backend, Runnable whenConfirmed) {
        this.state = state;
        this.relations = relations;
        this.shared = shared;
        this.backend = backend;
        this.confirmed = state.instances() == null;
        this.whenConfirmed = whenConfirmed;
    }

    /**
     * Tells the others.
     *
     * @param database as they call it; null if that is not known: then it may be any
     */
    void tell(InstanceLink link, @Nullable String database) {
        String name = database == null ? "" : shared ? Instances.cluster(database) : database;
        TableSet tables = InstanceLink.isSeveral(name) ? TableSet.ALL : Instances.tables(relations);
        number = link.doubt(name, tables, backend, 0, () -> {
            confirmed = true;
            whenConfirmed.run();
        });
    }

    /** Whether it says already that these may be written. */
    public boolean covers(RelationSet written, boolean ofCluster) {
        return relations.equals(written) && (shared || !ofCluster);
    }

    /** Whether the message may be sent. */
    public boolean isConfirmed() {
        return confirmed;
    }

    /**
     * The outcome is known.
     *
     * @param moment what was written counts as written then; 0 if nothing was
     * @param defined whether definitions may have changed
     */
    public void settle(long moment, boolean defined) {
        state.clock().settle(relations, moment);
        state.settled(number, moment == 0 ? Ending.NOTHING : defined ? Ending.DEFINED : Ending.WRITTEN);
    }
}
