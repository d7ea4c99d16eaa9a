package dev.pgproxy.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Results by the keys that {@link KeyHash} makes, bounded in bytes; which are worth their place is decided by Caffeine's
 * window-TinyLFU. A hit waits for no lock (whoever finds the one of the eviction policy taken leaves the work to its holder)
 * and allocates at most one key. Moments are those of the clock that the results' moments come from.
 *
 * <p>Every look-up asks the check that was given at the start, so none can forget to; what is expired or refused is removed
 * at once. What nobody asks for any more stays until room is needed. Thread-safe.
 *
 * @param <D> what the check goes by
 */
public final class ResultCache<D> {
    private record Key(long high, long low) {}

    /**
     * What is held since the last {@link #invalidateAll}, all of it as of later than that. A put that was under way meanwhile
     * is either refused by the new generation or goes into the old one, which nobody sees any more.
     */
    private record Generation<D>(Cache<Key, CachedResult<D>> entries, long after) {}

    private final long maxBytes;
    private final int maxResult;
    private final Predicate<CachedResult<D>> stillTrue;
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder stores = new LongAdder();
    private final LongAdder tooLarge = new LongAdder();
    private final LongAdder evictions = new LongAdder();
    private final LongAdder expirations = new LongAdder();
    private final LongAdder stale = new LongAdder();
    private volatile Generation<D> generation;

    /**
     * An empty cache.
     *
     * @param maxBytes of heap for everything it holds
     * @param maxResult bytes of the largest answer that is stored, at most 1 GiB
     * @param stillTrue whether a result may still be served; called at each look-up on the thread that asks, so it must be
     *     quick, thread-safe and allocate nothing. Once false for a result, it is expected to stay so: the result is removed
     */
    public ResultCache(long maxBytes, int maxResult, Predicate<CachedResult<D>> stillTrue) {
        if (maxBytes < 0 || maxResult < 0 || maxResult > 1 << 30) {
            throw new IllegalArgumentException("maxBytes " + maxBytes + ", maxResult " + maxResult);
        }
        this.maxBytes = maxBytes;
        this.maxResult = maxResult;
        this.stillTrue = stillTrue;
        this.generation = new Generation<>(noEntries(), Long.MIN_VALUE);
    }

    private Cache<Key, CachedResult<D>> noEntries() {
        return Caffeine.newBuilder()
                .maximumWeight(maxBytes)
                .weigher((Key key, CachedResult<D> result) -> result.weight())
                .evictionListener((key, result, cause) -> evictions.increment())
                .executor(Runnable::run)
                .build();
    }

    /** The result of this key if it is there, not expired at {@code now} and still true; else null. */
    public @Nullable CachedResult<D> get(long high, long low, long now) {
        Cache<Key, CachedResult<D>> entries = generation.entries;
        Key key = new Key(high, low);
        CachedResult<D> found = entries.getIfPresent(key);
        if (found == null) {
            misses.increment();
            return null;
        }
        if (found.expiresAt() <= now) {
            return refuse(entries, key, found, expirations);
        }
        if (!stillTrue.test(found)) {
            return refuse(entries, key, found, stale);
        }
        hits.increment();
        return found;
    }

    /** As {@link #get}, for somebody who only looks: nothing is counted, removed, or held in higher esteem afterwards. */
    public @Nullable CachedResult<D> peek(long high, long low, long now) {
        CachedResult<D> found = generation.entries.policy().getIfPresentQuietly(new Key(high, low));
        return found != null && found.expiresAt() > now && stillTrue.test(found) ? found : null;
    }

    /** Removes this very result, not one that has taken its place; of those who find it so, one counts it. */
    private @Nullable CachedResult<D> refuse(
            Cache<Key, CachedResult<D>> entries, Key key, CachedResult<D> found, LongAdder reason) {
        if (entries.asMap().remove(key, found)) {
            reason.increment();
        }
        misses.increment();
        return null;
    }

    /**
     * Stores a result; not if it is too large, is not true any more, or is as of no later than the last
     * {@link #invalidateAll}, and not in place of one that is as of later than it is.
     *
     * @return whether it was stored
     */
    public boolean put(long high, long low, CachedResult<D> result) {
        if (result.bytes().length > maxResult) {
            tooLarge.increment();
            return false;
        }
        Generation<D> current = generation;
        if (result.asOf() <= current.after || !stillTrue.test(result)) {
            stale.increment();
            return false;
        }
        boolean stored = current.entries.asMap().merge(new Key(high, low), result, ResultCache::newer) == result;
        if (stored) {
            stores.increment();
        }
        return stored;
    }

    private static <D> CachedResult<D> newer(CachedResult<D> held, CachedResult<D> put) {
        return held.asOf() > put.asOf() ? held : put;
    }

    /**
     * Once this has returned, no look-up gives a result as of {@code now} or before, not even one that is being stored
     * meanwhile. Takes the same short time however much is held.
     */
    public synchronized void invalidateAll(long now) {
        generation = new Generation<>(noEntries(), Math.max(generation.after, now));
    }

    /** What was counted. Takes the lock of the eviction policy, and first does the work that it has put off. */
    public CacheCounters counters() {
        Cache<Key, CachedResult<D>> entries = generation.entries;
        entries.cleanUp();
        long bytes = entries.policy().eviction().orElseThrow().weightedSize().orElseThrow();
        return new CacheCounters(
                hits.sum(),
                misses.sum(),
                stores.sum(),
                tooLarge.sum(),
                evictions.sum(),
                expirations.sum(),
                stale.sum(),
                entries.estimatedSize(),
                bytes);
    }
}
