package dev.pgproxy.pool;

import dev.pgproxy.server.ServerConnection;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Servers of one pool that nobody has, the most recently used first. Guarded by the pool. */
final class IdleServers {
    /** The score of a server on the client's loop with its settings. */
    private static final int BEST = 3;

    private final ArrayDeque<ServerConnection> servers = new ArrayDeque<>();

    void add(ServerConnection server) {
        servers.addFirst(server);
    }

    void remove(ServerConnection server) {
        servers.remove(server);
    }

    /** The one that was not used for longest is idle no more; null if there is none. */
    @Nullable
    ServerConnection pollLast() {
        return servers.pollLast();
    }

    /** The best: same settings before same loop before any; the most recently used of those. Null if none fits. */
    @Nullable
    ServerConnection pollBest(LeaseListener listener) {
        ServerConnection best = servers.peekFirst();
        int bestScore = best == null ? -1 : score(best, listener);
        if (bestScore < BEST) { // else the usual case, without an iterator
            for (ServerConnection server : servers) {
                int score = score(server, listener);
                if (score > bestScore) {
                    best = server;
                    bestScore = score;
                }
            }
        }
        if (best == null || bestScore < 0) {
            return null;
        }
        servers.remove(best);
        return best;
    }

    private static int score(ServerConnection server, LeaseListener listener) {
        if (!server.isUsable() || !WaitingClients.fits(server, listener)) {
            return -1;
        }
        return (server.home() == listener.loop() ? 1 : 0)
                + (server.settings().get() == listener.wantedSettings() ? 2 : 0);
    }

    /** Those to which this applies are idle no more, but in a list; asked of the least recently used first. */
    void pollAll(List<ServerConnection> polled, Predicate<ServerConnection> which) {
        Iterator<ServerConnection> i = servers.descendingIterator();
        while (i.hasNext()) {
            ServerConnection server = i.next();
            if (which.test(server)) {
                i.remove();
                polled.add(server);
            }
        }
    }
}
