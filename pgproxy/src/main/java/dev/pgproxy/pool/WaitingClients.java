package dev.pgproxy.pool;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.routing.Priority;
import dev.pgproxy.server.ServerConnection;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Those who wait for a server of one pool. Within a class it is first come first served; among classes whose clients wait each
 * is served in proportion to its weight, so that none starves (stride scheduling: Waldspurger and Weihl, 1995). Guarded by the
 * pool, but for {@link #any}.
 */
final class WaitingClients {
    /** Divided by a weight it is what one turn costs a class. */
    private static final long TURN = 1 << 10;

    /** One who waits. */
    private record Waiting(LeaseListener listener, long since) {}

    /** Those of one priority. */
    private static final class Line {
        private final Priority priority;
        private final ArrayDeque<Waiting> queue = new ArrayDeque<>();

        /** What its turns have cost so far: of those who wait the one with the least is next. */
        private long pass;

        Line(Priority priority) {
            this.priority = priority;
        }

        @Nullable
        Waiting first(Predicate<LeaseListener> fits) {
            for (Waiting waiting : queue) {
                if (fits.test(waiting.listener())) {
                    return waiting;
                }
            }
            return null;
        }
    }

    private final Map<Priority, Line> lines = new EnumMap<>(Priority.class);
    private final WaitingCounts counts;

    /** What the line had paid that was served last. */
    private long turn;

    private int size;
    private volatile boolean any;

    WaitingClients(WaitingCounts counts) {
        this.counts = counts;
    }

    void add(LeaseListener listener) {
        Line line = line(listener.priority());
        line.queue.addLast(new Waiting(listener, System.nanoTime()));
        added(line);
    }

    /** It was to get a server that was lost meanwhile: it is the next of its class. */
    void addFirst(LeaseListener listener) {
        Line line = line(listener.priority());
        line.queue.addFirst(new Waiting(listener, System.nanoTime()));
        added(line);
    }

    private Line line(Priority priority) {
        return lines.computeIfAbsent(priority, Line::new);
    }

    private void added(Line line) {
        if (line.queue.size() == 1) {
            line.pass = Math.max(line.pass, turn); // while nobody waited there, no claim came into being
        }
        changed(line, 1);
    }

    private void changed(Line line, int by) {
        size += by;
        any = size > 0;
        counts.waits(line.priority, by);
    }

    /** True if it was waiting. */
    boolean remove(LeaseListener listener) {
        for (Line line : lines.values()) {
            if (line.queue.removeIf(w -> w.listener() == listener)) {
                changed(line, -1);
                return true;
            }
        }
        return false;
    }

    /** The next that can use this server waits no longer. */
    @Nullable
    LeaseListener pollFitting(ServerConnection server) {
        return size == 0 ? null : poll(listener -> fits(server, listener));
    }

    /** The next of those that fit waits no longer. */
    @Nullable
    LeaseListener poll(Predicate<LeaseListener> fits) {
        Line next = null;
        Waiting found = null;
        for (Line line : lines.values()) {
            Waiting first = next == null || line.pass < next.pass ? line.first(fits) : null;
            if (first != null) {
                next = line;
                found = first;
            }
        }
        if (next == null || found == null) {
            return null;
        }
        next.queue.remove(found);
        turn = next.pass;
        next.pass += TURN / next.priority.weight();
        changed(next, -1);
        counts.served(next.priority, System.nanoTime() - found.since());
        return found.listener();
    }

    /** A custom parameter cannot be unset: a server with one is for those only who have set it too. */
    static boolean fits(ServerConnection server, LeaseListener listener) {
        return server.customSettings().isEmpty() || listener.customSettings().containsAll(server.customSettings());
    }

    /** Those who have waited longer than {@code limit} nanoseconds wait no longer. */
    List<LeaseListener> pollLate(long now, long limit) {
        List<LeaseListener> late = new ArrayList<>(0);
        for (Line line : lines.values()) {
            Iterator<Waiting> i = line.queue.iterator();
            while (i.hasNext()) {
                Waiting waiting = i.next();
                if (now - waiting.since() <= limit) {
                    break;
                }
                late.add(waiting.listener());
                i.remove();
                changed(line, -1);
            }
        }
        return late;
    }

    /** Nobody waits any longer. */
    List<LeaseListener> pollAll() {
        List<LeaseListener> all = new ArrayList<>(size);
        for (Line line : lines.values()) {
            line.queue.forEach(w -> all.add(w.listener()));
            changed(line, -line.queue.size());
            line.queue.clear();
        }
        return all;
    }

    /** The one that waits longest. */
    @Nullable
    LeaseListener first() {
        Waiting oldest = oldest();
        return oldest == null ? null : oldest.listener();
    }

    private @Nullable Waiting oldest() {
        Waiting oldest = null;
        for (Line line : lines.values()) {
            Waiting first = line.queue.peekFirst();
            if (first != null && (oldest == null || first.since() - oldest.since() < 0)) {
                oldest = first;
            }
        }
        return oldest;
    }

    /** How long it has waited, in nanoseconds; 0 if nobody waits. */
    long longest(long now) {
        Waiting oldest = oldest();
        return oldest == null ? 0 : now - oldest.since();
    }

    /** Whether one waits who is not to wait for the reserve. */
    boolean isCritical() {
        Line critical = lines.get(Priority.CRITICAL);
        return critical != null && !critical.queue.isEmpty();
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /** Whether anybody waits, for any thread. */
    boolean any() {
        return any;
    }

    /** Tells each on its loop that it will not get one. */
    static void refuse(List<LeaseListener> refused, ErrorFields error) {
        for (LeaseListener listener : refused) {
            listener.loop().execute(() -> listener.refused(error));
        }
    }
}
