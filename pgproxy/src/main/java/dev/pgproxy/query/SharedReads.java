package dev.pgproxy.query;

import dev.pgproxy.cache.CachedResult;
import dev.pgproxy.cache.redis.Epoch;
import dev.pgproxy.cache.redis.SharedResult;
import dev.pgproxy.results.Dependency;
import dev.pgproxy.route.DatabaseState;
import dev.pgproxy.route.Instances;
import dev.pgproxy.routing.catalog.RelationSet;
import dev.pgproxy.routing.freshness.Monotonic;
import dev.pgproxy.routing.sql.Shape;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The results that all instances share, as one client meets them. Nothing here waits, and without other instances nothing
 * happens. Confined to the client's loop.
 */
final class SharedReads {
    private final DatabaseState state;
    private final EventLoop loop;

    /** Whether it was asked about the exchange that waits. */
    private boolean asked;

    SharedReads(DatabaseState state, EventLoop loop) {
        this.state = state;
        this.loop = loop;
    }

    /** What the written state of these is called in all instances; null if there is one, or nobody can know. */
    @Nullable
    Epoch epoch(RelationSet reads) {
        Instances instances = state.instances();
        String name = state.commonName();
        Epoch epoch = instances == null || name == null ? null : instances.epoch(name, reads);
        return epoch != null && state.isCovered(reads) ? epoch.covered() : epoch;
    }

    /**
     * Looks for a result, once for each exchange; what is found is in the first tier when {@code again} runs.
     *
     * @return whether that is worth it, and {@code again} will run
     */
    boolean look(ReadKey key, Dependency of, @Nullable Shape shape, Runnable again) {
        Instances instances = state.instances();
        if (asked
                || instances == null
                || !state.results().settings().shared()
                || shape == null
                || of.epoch() == null
                || !shape.isSharedPerhaps()) {
            asked = false;
            return false;
        }
        asked = true;
        long high = key.high();
        long low = key.low();
        instances.tier().get(high, low, loop, found -> {
            shape.countShared(found != null);
            if (found != null) {
                take(high, low, found, of);
            }
            again.run();
        });
        return true;
    }

    private void take(long high, long low, SharedResult found, Dependency of) {
        long asOf = Monotonic.now(); // before the epoch is looked at
        if (found.epoch().equals(epoch(of.reads()))) {
            state.results()
                    .put(
                            high,
                            low,
                            found.bytes(),
                            of.with(found.epoch()),
                            asOf,
                            TimeUnit.MILLISECONDS.toNanos(found.leftMillis()));
        }
    }

    /** A result was asked for again: it may be worth to others, too. */
    void hit(ReadKey key, CachedResult<Dependency> result, long now) {
        asked = false;
        Instances instances = state.instances();
        Epoch epoch = result.dependency().epoch();
        boolean gives = state.results().settings().shared() && now < result.renewAt();
        if (instances != null && epoch != null && gives && result.isAskedAgain()) {
            long age = TimeUnit.NANOSECONDS.toMillis(now - result.asOf());
            long left = TimeUnit.NANOSECONDS.toMillis(result.renewAt() - now);
            instances.tier().put(key.high(), key.low(), new SharedResult(result.bytes(), epoch, age, left));
        }
    }
}
