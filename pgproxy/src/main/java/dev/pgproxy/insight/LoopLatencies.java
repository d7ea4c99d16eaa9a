package dev.pgproxy.insight;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.insight.LatencyReport.Kind;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What one event loop has counted of how long statements take, by database and by host. There are no more series than databases
 * in the configuration, and one for all others, whose names clients make up; and not many more than hosts. Written by its loop,
 * read by any thread.
 */
final class LoopLatencies {
    /** What the databases that the wildcard serves count as. */
    static final String WILDCARD = "*";

    /** Hosts of Patroni's may come and go. */
    private static final int MOST_HOSTS = 100;

    private static final String OTHER_HOSTS = "other";

    /** Which series. Immutable. */
    record Key(Kind of, String name) {}

    /**
     * Where a statement is counted. Immutable.
     *
     * @param host null = no server
     */
    record Series(
            LatencyCounts statements,
            LatencyCounts queue,
            LatencyCounts cache,
            @Nullable LatencyCounts host) {
        /** Of what is not counted here. */
        static final Series NONE = new Series(new LatencyCounts(), new LatencyCounts(), new LatencyCounts(), null);

        /** A server has answered it, or nobody. */
        void answered(long queued, long served) {
            int bucket = LatencyBounds.bucket(served);
            statements.record(queued + served, queued == 0 ? bucket : LatencyBounds.bucket(queued + served));
            queue.record(queued);
            if (host != null) {
                host.record(served, bucket);
            }
        }

        /** The cache has. */
        void cached(long queued, long served) {
            statements.record(queued + served);
            cache.record(queued + served);
        }
    }

    private final Map<Key, LatencyCounts> counts = new ConcurrentHashMap<>();
    private int hosts;

    /**
     * The series of a statement.
     *
     * @param named databases that have one of their own
     */
    Series series(String database, @Nullable HostAddress host, Set<String> named) {
        String name = named.contains(database) ? database : WILDCARD;
        return new Series(
                of(Kind.STATEMENTS, name), of(Kind.QUEUE, name), of(Kind.CACHE, name), host == null ? null : of(host));
    }

    private LatencyCounts of(Kind kind, String name) {
        return counts.computeIfAbsent(new Key(kind, name), key -> new LatencyCounts());
    }

    private LatencyCounts of(HostAddress host) {
        LatencyCounts known = counts.get(new Key(Kind.HOST, host.toString()));
        if (known != null) {
            return known;
        }
        return ++hosts > MOST_HOSTS ? of(Kind.HOST, OTHER_HOSTS) : of(Kind.HOST, host.toString());
    }

    Map<Key, LatencyCounts> all() {
        return counts;
    }
}
