package dev.pgproxy.pool;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.server.ServerConnection;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Those who wait for a server of one pool, first come first served. Guarded by the pool, but for {@link #any}. */
final class WaitingClients {
    /** One who waits. */
    private record Waiting(LeaseListener listener, long since) {}

    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
    private volatile int count;

    void add(LeaseListener listener) {
        queue.addLast(new Waiting(listener, System.nanoTime()));
        count = queue.size();
    }

    /** It was to get a server that was lost meanwhile: it is the next. */
    void addFirst(LeaseListener listener) {
        queue.addFirst(new Waiting(listener, System.nanoTime()));
        count = queue.size();
    }

    /** True if it was waiting. */
    boolean remove(LeaseListener listener) {
        boolean removed = queue.removeIf(w -> w.listener() == listener);
        count = queue.size();
        return removed;
    }

    /** The first that can use this server waits no longer. */
    @Nullable
    LeaseListener pollFitting(ServerConnection server) {
        Iterator<Waiting> i = queue.iterator();
        while (i.hasNext()) {
            LeaseListener listener = i.next().listener();
            if (fits(server, listener)) {
                i.remove();
                count = queue.size();
                return listener;
            }
        }
        return null;
    }

    /** A custom parameter cannot be unset: a server with one is for those only who have set it too. */
    static boolean fits(ServerConnection server, LeaseListener listener) {
        return server.customSettings().isEmpty() || listener.customSettings().containsAll(server.customSettings());
    }

    /** Those who have waited longer than {@code limit} nanoseconds wait no longer. */
    List<LeaseListener> pollLate(long now, long limit) {
        List<LeaseListener> late = new ArrayList<>(0);
        while (longest(now) > limit) {
            late.add(queue.removeFirst().listener());
        }
        count = queue.size();
        return late;
    }

    /** Nobody waits any longer. */
    List<LeaseListener> pollAll() {
        List<LeaseListener> all = new ArrayList<>(queue.size());
        queue.forEach(w -> all.add(w.listener()));
        queue.clear();
        count = 0;
        return all;
    }

    /** The one that waits longest. */
    @Nullable
    LeaseListener first() {
        Waiting first = queue.peekFirst();
        return first == null ? null : first.listener();
    }

    /** How long it has waited, in nanoseconds; 0 if nobody waits. */
    long longest(long now) {
        Waiting first = queue.peekFirst();
        return first == null ? 0 : now - first.since();
    }

    boolean isEmpty() {
        return queue.isEmpty();
    }

    int size() {
        return queue.size();
    }

    /** Whether anybody waits, for any thread. */
    boolean any() {
        return count > 0;
    }

    /** Tells each on its loop that it will not get one. */
    static void refuse(List<LeaseListener> refused, ErrorFields error) {
        for (LeaseListener listener : refused) {
            listener.loop().execute(() -> listener.refused(error));
        }
    }
}
