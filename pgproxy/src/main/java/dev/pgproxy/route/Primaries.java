package dev.pgproxy.route;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.routing.freshness.Timeline;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Which hosts are primaries now, of the clusters that are watched; by the address that the configuration has for the primary.
 * Thread-safe.
 */
public final class Primaries {
    /**
     * Where a primary is. Immutable.
     *
     * @param address null while no host is known to be the primary, and the last one is known to be none any more
     * @param timeline which it writes; a server that says otherwise is another than was looked at
     */
    public record Place(@Nullable HostAddress address, Timeline timeline) {}

    /** Is told that a primary has moved. */
    @FunctionalInterface
    public interface Listener {
        /** What was configured as the primary is there from now on; null = nowhere. */
        void moved(HostAddress configured, @Nullable HostAddress now);
    }

    private final ConcurrentMap<HostAddress, Place> places = new ConcurrentHashMap<>();
    private final ConcurrentMap<HostAddress, List<HostAddress>> members = new ConcurrentHashMap<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private volatile Consumer<HostAddress> doubted = configured -> {};

    /** Is told from now on, after those who came before: who closes connections comes first. */
    public void onMove(Listener told) {
        listeners.add(told);
    }

    /** Where the primary is; null if nobody watches it, or it has not been seen yet: where the configuration says. */
    public @Nullable Place of(HostAddress configured) {
        return places.get(configured);
    }

    /** Where to log in; null if nowhere, as no host is the primary. */
    public @Nullable HostAddress address(HostAddress configured) {
        Place place = places.get(configured);
        if (place == null) {
            return configured.isPatroni() ? null : configured;
        }
        return place.address();
    }

    /** Whether hosts are asked who the primary is: then there may be another soon. */
    public boolean isWatched(HostAddress configured) {
        return configured.isPatroni() || places.containsKey(configured);
    }

    /** The hosts of a cluster of Patroni's, as they are watched; empty for others. */
    public List<HostAddress> members(HostAddress configured) {
        return members.getOrDefault(configured, List.of());
    }

    void members(HostAddress configured, List<HostAddress> told) {
        members.put(configured, List.copyOf(told));
    }

    /**
     * It is there, as somebody has seen who watches the cluster; there may be several who do, with different replicas.
     * One who does not know the latest timeline is not believed.
     */
    synchronized void is(HostAddress configured, HostAddress address, Timeline timeline) {
        Place before = places.get(configured);
        boolean later = before == null
                || before.timeline().systemIdentifier() != timeline.systemIdentifier()
                || before.timeline().number() <= timeline.number();
        if (later) {
            set(configured, before, new Place(address, timeline));
        }
    }

    /** This host was the primary and is none any more; if it is not the last one that is known, nothing changes. */
    synchronized void isNot(HostAddress configured, HostAddress host) {
        Place before = places.get(configured);
        if (before != null && host.equals(before.address())) {
            set(configured, before, new Place(null, before.timeline()));
        }
    }

    /** Another host is about to be promoted: nobody who still sees the last one brings it back. */
    synchronized void leave(HostAddress configured, Timeline last) {
        set(
                configured,
                places.get(configured),
                new Place(null, new Timeline(last.systemIdentifier(), last.number() + 1)));
    }

    /** That has come to nothing: whoever is on the last timeline is believed again. */
    synchronized void stay(HostAddress configured, Timeline last) {
        places.put(configured, new Place(null, last));
    }

    private void set(HostAddress configured, @Nullable Place before, Place place) {
        if (place.equals(before)) {
            return;
        }
        places.put(configured, place);
        HostAddress now = place.address();
        if (before != null || !configured.equals(now)) {
            tell(configured, now);
        }
    }

    private void tell(HostAddress configured, @Nullable HostAddress now) {
        listeners.forEach(listener -> listener.moved(configured, now));
    }

    /** It is not watched any more: it is where the configuration says. */
    synchronized void forget(HostAddress configured) {
        Place before = places.remove(configured);
        members.remove(configured);
        if (before != null && !configured.equals(before.address())) {
            tell(configured, address(configured));
        }
    }

    /** Those that are watched. */
    Set<HostAddress> watched() {
        return Set.copyOf(places.keySet());
    }

    /** What to do when a server does not look like the primary that it was taken for. */
    void onDoubt(Consumer<HostAddress> ask) {
        doubted = ask;
    }

    /** A server is not the primary that it was taken for, or cannot be reached: hosts are asked now. */
    public void doubt(HostAddress configured) {
        doubted.accept(configured);
    }
}
