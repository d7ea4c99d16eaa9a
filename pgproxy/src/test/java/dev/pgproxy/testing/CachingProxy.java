package dev.pgproxy.testing;

import static org.awaitility.Awaitility.await;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.route.DatabaseState;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A proxy of one test with the cache on, before a server with a database of its own. Thread-safe. */
public record CachingProxy(RoutedProxy routed) implements AutoCloseable {
    /** With further settings, which win, without replicas and change feed. */
    public static CachingProxy start(String settings, String... schema) {
        return new CachingProxy(
                RoutedProxy.start("cache_mode = on\nchange_feed = off\n" + settings, List.of(), schema));
    }

    /** A client, once the definitions of the database are known. */
    public RawClient login() {
        RawClient client = routed.proxied().login();
        awaitCatalog();
        return client;
    }

    /** Until these texts have been read: on a busy machine the first read of one goes to a server unseen. */
    public void know(RawClient client, String... texts) {
        for (String text : texts) {
            client.query("EXPLAIN (ROUTE) " + text).readUntilReady();
        }
    }

    /** Until definitions are known: before that nothing is kept. */
    public void awaitCatalog() {
        await().until(() -> state().catalog() != null);
    }

    /** What is known of the database. */
    public DatabaseState state() {
        return routed.proxy().services().routes().all().stream()
                .filter(state -> state.database().name().equals(routed.database()))
                .findFirst()
                .orElseThrow();
    }

    /** How many reads met this. */
    public long count(CacheReason reason) {
        return state().counts().of(reason);
    }

    /** Whether the cache answers what is asked now. */
    public boolean isHit(RawClient client, String sql) {
        long before = count(CacheReason.HIT);
        client.query(sql).readUntilReady();
        return count(CacheReason.HIT) > before;
    }

    /** Why the cache does not answer what is asked now; {@link CacheReason#HIT} if it does. */
    public CacheReason why(Consumer<RawClient> asks, RawClient client) {
        long[] before = counts();
        client.batch(asks);
        client.readUntilReady();
        long[] after = counts();
        for (CacheReason reason : CacheReason.values()) {
            if (after[reason.ordinal()] > before[reason.ordinal()]) {
                return reason;
            }
        }
        throw new AssertionError("nothing was counted");
    }

    private long[] counts() {
        long[] counts = new long[CacheReason.values().length];
        for (CacheReason reason : CacheReason.values()) {
            counts[reason.ordinal()] = count(reason);
        }
        return counts;
    }

    /** The only value of the answer to a Query. */
    public static @Nullable String value(RawClient client, String sql) {
        return Message.row(client.query(sql).readUntilReady()).getFirst();
    }

    @Override
    public void close() {
        routed.close();
    }
}
