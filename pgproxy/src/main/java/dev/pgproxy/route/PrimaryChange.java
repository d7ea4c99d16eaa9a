package dev.pgproxy.route;

import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.freshness.Timeline;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells that a primary has come back or that another one has taken its place: it may lack what was acknowledged, and have
 * what nobody has seen. Confined to who publishes topologies, one after the other.
 */
final class PrimaryChange implements Consumer<Topology> {
    private final Runnable changed;
    private final LongConsumer identified;
    private @Nullable Timeline timeline;
    private boolean seen;
    private boolean missed;

    /**
     * @param identified is told the system identifier, again and again
     * @param last what was seen by who watched the cluster before; null if nobody did
     */
    PrimaryChange(Runnable changed, LongConsumer identified, @Nullable Topology last) {
        this.changed = changed;
        this.identified = identified;
        this.timeline = last == null ? null : last.timeline();
        this.missed = timeline != null && last != null && last.primary() == null;
    }

    @Override
    public void accept(Topology topology) {
        HostState primary = topology.primary();
        if (primary == null) {
            missed |= seen && timeline != null; // not yet seen is not gone
            return;
        }
        seen = true;
        Timeline now = topology.timeline();
        boolean other = missed || timeline != null && !timeline.equals(now);
        timeline = now;
        missed = false;
        if (now != null) {
            identified.accept(now.systemIdentifier());
        }
        if (other) {
            changed.run();
        }
    }
}
