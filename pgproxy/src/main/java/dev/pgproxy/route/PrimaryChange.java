package dev.pgproxy.route;

import dev.pgproxy.routing.HostState;
import dev.pgproxy.routing.Topology;
import dev.pgproxy.routing.freshness.Timeline;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells that a primary has come back or that another one has taken its place: it may lack what was acknowledged, and have
 * what nobody has seen. Confined to who publishes topologies, one after the other.
 */
final class PrimaryChange implements Consumer<Topology> {
    private final Runnable changed;
    private @Nullable Timeline timeline;
    private boolean missed;

    PrimaryChange(Runnable changed) {
        this.changed = changed;
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
        if (other) {
            changed.run();
        }
    }
}
