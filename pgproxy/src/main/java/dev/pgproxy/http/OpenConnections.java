package dev.pgproxy.http;

import io.netty.channel.Channel;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The connections that are open, never more than a few. Confined to the thread of the server. */
final class OpenConnections {
    private final int limit;
    private final Set<Channel> all = new LinkedHashSet<>();
    private final Set<Channel> waiting = new LinkedHashSet<>();

    OpenConnections(int limit) {
        this.limit = limit;
    }

    /** Makes room for one more; false if every other one is being answered. */
    boolean add(Channel connection) {
        if (all.size() >= limit) {
            Iterator<Channel> longest = waiting.iterator();
            if (!longest.hasNext()) {
                return false;
            }
            Channel leaves = longest.next();
            remove(leaves);
            leaves.close();
        }
        all.add(connection);
        waiting.add(connection);
        return true;
    }

    /** It waits for a request from now on. */
    void waits(Channel connection) {
        if (all.contains(connection)) {
            waiting.add(connection);
        }
    }

    /** It has one. */
    void works(Channel connection) {
        waiting.remove(connection);
    }

    /** Closes them all. */
    void close() {
        List.copyOf(all).forEach(Channel::close);
    }

    /** It is closed. */
    void remove(Channel connection) {
        all.remove(connection);
        waiting.remove(connection);
    }
}
