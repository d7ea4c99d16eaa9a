package dev.pgproxy.listen;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.pool.Notifiers;
import dev.pgproxy.pool.Pool;
import dev.pgproxy.pool.Pools;
import dev.pgproxy.route.Primaries;
import dev.pgproxy.server.ServerTarget;
import io.netty.channel.EventLoop;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The shared listeners, one per host and database on it. Thread-safe. */
public final class Listeners {
    private record Key(HostAddress host, String database) {}

    private final Map<Key, SharedListener> all = new ConcurrentHashMap<>();
    private final Pools pools;

    /** Listeners that connect as {@code pools} says, to where primaries are. */
    public Listeners(Pools pools, Primaries primaries) {
        this.pools = pools;
        primaries.onMove((configured, now) -> all.values().forEach(SharedListener::primaryMoved));
    }

    /** The listener for the database of a pool; a new one lives on {@code loop}. Null if there is no such database. */
    public @Nullable SharedListener of(Pool pool, EventLoop loop) {
        ServerTarget target = pools.listenerTarget(pool);
        return target == null
                ? null
                : all.computeIfAbsent(
                        new Key(target.host(), target.database()), key -> new SharedListener(pools, pool, loop));
    }

    /** Whose notifications come through which server. */
    public Notifiers notifiers() {
        return pools.notifiers();
    }

    /** Closes their connections. */
    public void close() {
        all.values().forEach(SharedListener::close);
    }
}
