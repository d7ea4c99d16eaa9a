package dev.pgproxy.route;

import dev.pgproxy.config.HostAddress;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
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
     * @param since when that became known, as System.nanoTime
     */
    public record Place(@Nullable HostAddress address, int timeline, long since) {}

    /** Is told that a primary has moved. */
    @FunctionalInterface
    public interface Listener {
        /** What was configured as the primary is there from now on; null = nowhere. */
        void moved(HostAddress configured, @Nullable HostAddress now);
    }

    private final ConcurrentMap<HostAddress, Place> places = new ConcurrentHashMap<>();
    private volatile Listener listener = (configured, now) -> {};
    private volatile Consumer<HostAddress> moved = configured -> {};
    private volatile Consumer<HostAddress> doubted = configured -> {};

    /** Who has to close connections. */
    public void listener(Listener told) {
        listener = told;
    }

    /** Where the primary is; null if nobody watches it, or it has not been seen yet: where the configuration says. */
    public @Nullable Place of(HostAddress configured) {
        return places.get(configured);
    }

    /** Where to log in; null if nowhere, as no host is the primary. */
    public @Nullable HostAddress address(HostAddress configured) {
        Place place = places.get(configured);
        return place == null ? configured : place.address();
    }

    /** It is known to be there from now on; told if it was not before. */
    void is(HostAddress configured, @Nullable HostAddress address, int timeline) {
        Place before = places.get(configured);
        HostAddress last = before == null ? configured : before.address();
        boolean same = address == null ? last == null : address.equals(last);
        if (before == null || !same || before.timeline() != timeline) {
            places.put(configured, new Place(address, timeline, System.nanoTime()));
        }
        if (!same || before != null && before.timeline() != timeline) {
            listener.moved(configured, address);
            moved.accept(configured);
        }
    }

    /** It is not watched any more. */
    void forget(HostAddress configured) {
        places.remove(configured);
    }

    /** Is told after the listener. */
    void onMove(Consumer<HostAddress> told) {
        moved = told;
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
