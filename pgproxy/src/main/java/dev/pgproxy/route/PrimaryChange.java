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
    private boolean missed;

    /** @param identified is told the system identifier, again and again */
    PrimaryChange(Runnable changed, LongConsumer identified) {
        this.changed = changed;
        this.identified = identified;
    }

    @Override
    public void accept(Topology topology) {
        HostState primary = topology.primary();
        if (primary == null) {
            missed = timeline != null;
            return;
        }
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
