package dev.pgproxy.routing;

import org.jspecify.annotations.Nullable;

/**
 * Where a statement goes, and why. Immutable.
 *
 * @param reason why
 * @param host the replica; null for the primary
 */
public record Route(RouteReason reason, @Nullable Host host) {
    private static final Route[] PRIMARY = new Route[RouteReason.values().length];

    static {
        for (RouteReason reason : RouteReason.values()) {
            PRIMARY[reason.ordinal()] = new Route(reason, null);
        }
    }

    /** To the primary. */
    public static Route primary(RouteReason reason) {
        return PRIMARY[reason.ordinal()];
    }
}
