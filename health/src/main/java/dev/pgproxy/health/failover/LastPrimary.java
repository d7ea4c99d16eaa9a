package dev.pgproxy.health.failover;

import dev.pgproxy.routing.freshness.Lsn;
import dev.pgproxy.routing.freshness.Timeline;

/**
 * What was known of a cluster's primary when it was last seen. Immutable.
 *
 * @param name the host's
 * @param timeline that it wrote
 * @param position where its WAL ended
 * @param synchronous for whom its commits waited: its {@code synchronous_standby_names}
 * @param seen when, by System.nanoTime
 */
public record LastPrimary(String name, Timeline timeline, long position, String synchronous, long seen) {
    /** What may be lost with it where a host was promoted that has WAL up to a position, for people. */
    String missing(String promoted, long received, long now) {
        long behind = position - received;
        String has = behind > 0 ? " lacks the last " + behind + " bytes of WAL that " : " has all WAL that ";
        return "acknowledged commits may be lost: " + promoted + has + name + " was seen to have, up to "
                + Lsn.toString(position) + (behind > 0 ? ", and what " : ", but perhaps not what ") + name
                + " wrote in the "
                + Math.round((now - seen) / 1e8) / 10.0 + " s after that";
    }
}
