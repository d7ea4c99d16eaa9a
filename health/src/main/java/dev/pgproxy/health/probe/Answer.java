package dev.pgproxy.health.probe;

import dev.pgproxy.routing.HostRole;
import dev.pgproxy.routing.freshness.Timeline;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a host said of itself at one moment. Immutable.
 *
 * @param asked the {@link dev.pgproxy.routing.freshness.Monotonic} moment before the question was sent
 * @param role PRIMARY or REPLICA
 * @param systemIdentifier of its cluster
 * @param timeline number of the one it writes or receives; 0 for a replica that receives nothing at present
 * @param lsn primary: where its last record ends; replica: up to where it has replayed. Unsigned
 * @param settings the host's own values of settings that change what a read says
 * @param synchronous its {@code synchronous_standby_names}; what a replica says here matters to nobody
 */
public record Answer(
        long asked,
        HostRole role,
        long systemIdentifier,
        int timeline,
        long lsn,
        Map<String, String> settings,
        String synchronous) {
    /** What the position belongs to, if that is known. */
    public @Nullable Timeline history() {
        return timeline == 0 ? null : new Timeline(systemIdentifier, timeline);
    }
}
