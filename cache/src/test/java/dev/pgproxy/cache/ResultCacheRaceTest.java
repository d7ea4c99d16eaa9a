package dev.pgproxy.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What goes wrong only when two threads meet. Each test fails if the guard that it is about is taken out. */
class ResultCacheRaceTest {
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void endThreads() {
        threads.shutdownNow();
    }

    private static CachedResult<String> result(long asOf, long expiresAt) {
        return new CachedResult<>(new byte[10], asOf, expiresAt, expiresAt, "table");
    }

    private void together(int seconds, Callable<?>... tasks) throws Exception {
        Future<?>[] futures = new Future<?>[tasks.length];
        for (int i = 0; i < tasks.length; i++) {
            futures[i] = threads.submit(tasks[i]);
        }
        for (Future<?> future : futures) {
            future.get(seconds, TimeUnit.SECONDS);
        }
    }

    /** Loaders note the moment, then take their time before they store; whoever looks after a flush must not see that. */
    @Test
    void nothingAsOfBeforeInvalidateAllIsSeenAfterIt() throws Exception {
        ResultCache<String> cache = new ResultCache<>(1 << 20, 100, result -> true);
        AtomicLong clock = new AtomicLong(1);
        AtomicLong flushed = new AtomicLong();
        AtomicBoolean ended = new AtomicBoolean();
        int keys = 8;
        AtomicLong hits = new AtomicLong();
        Callable<?> load = () -> {
            while (!ended.get()) {
                long asOf = clock.incrementAndGet();
                for (int i = 0; i < 4 * keys; i++) {
                    cache.put(i % keys, 0, result(asOf, Long.MAX_VALUE));
                }
            }
            return null;
        };
        Callable<?> look = () -> {
            for (int i = 0; !ended.get(); i++) {
                long before = flushed.get();
                CachedResult<String> found = cache.get(i % keys, 0, 0);
                if (found != null) {
                    hits.incrementAndGet();
                    assertThat(found.asOf()).isGreaterThan(before);
                }
            }
            return null;
        };
        Callable<?> flush = () -> {
            try {
                for (int i = 0; i < 20_000 || hits.get() < 1000; i++) {
                    long now = clock.get();
                    cache.invalidateAll(now);
                    flushed.set(now);
                    for (int key = 0; key < keys; key++) {
                        CachedResult<String> found = cache.get(key, 0, 0);
                        assertThat(found == null ? Long.MAX_VALUE : found.asOf())
                                .isGreaterThan(now);
                    }
                }
            } finally {
                ended.set(true);
            }
            return null;
        };
        together(60, load, load, look, flush);
    }

    /** One finds a result expired while another stores its successor: the successor stays. */
    @Test
    void removingWhatIsExpiredDoesNotRemoveItsSuccessor() throws Exception {
        ResultCache<String> cache = new ResultCache<>(1 << 20, 100, result -> true);
        AtomicLong now = new AtomicLong();
        AtomicBoolean ended = new AtomicBoolean();
        Callable<?> expire = () -> {
            while (!ended.get()) {
                cache.get(1, 2, now.get());
            }
            return null;
        };
        Callable<?> succeed = () -> {
            try {
                for (int i = 0; i < 300_000; i++) {
                    long moment = now.incrementAndGet(); // the result before expires at this one
                    CachedResult<String> successor = result(moment, moment + 1);
                    cache.put(1, 2, successor);
                    assertThat(cache.get(1, 2, moment)).isSameAs(successor);
                }
            } finally {
                ended.set(true);
            }
            return null;
        };
        together(60, expire, succeed);
    }

    /** A flush while a put is between its own check and the storing. */
    @Test
    void whatIsBeingStoredDuringInvalidateAllIsNotSeen() {
        List<Runnable> meanwhile = new ArrayList<>();
        ResultCache<String> cache = new ResultCache<>(1 << 20, 100, result -> {
            meanwhile.forEach(Runnable::run);
            return true;
        });
        meanwhile.add(() -> cache.invalidateAll(10));
        cache.put(1, 2, result(10, Long.MAX_VALUE));
        meanwhile.clear();
        assertThat(cache.get(1, 2, 0)).isNull();
    }

    /** A put while a look-up is between finding a result stale and removing it. */
    @Test
    void removingWhatIsStaleDoesNotRemoveItsSuccessor() {
        CachedResult<String> stale = result(1, 20);
        CachedResult<String> successor = result(2, 20);
        List<Runnable> meanwhile = new ArrayList<>();
        ResultCache<String> cache = new ResultCache<>(1 << 20, 100, result -> {
            List.copyOf(meanwhile).forEach(Runnable::run);
            return meanwhile.isEmpty() || result != stale;
        });
        cache.put(1, 2, stale);
        meanwhile.add(() -> {
            meanwhile.set(0, () -> {});
            cache.put(1, 2, successor);
        });
        assertThat(cache.get(1, 2, 10)).isNull();
        assertThat(cache.get(1, 2, 10)).isSameAs(successor);
        assertThat(cache.counters().stale()).isZero();
    }

    @Test
    void whoHasStoredAResultNeverFindsAnOlderOneWhoeverStoresMeanwhile() throws Exception {
        ResultCache<String> cache = new ResultCache<>(1 << 20, 100, result -> true);
        AtomicLong clock = new AtomicLong();
        Callable<?> load = () -> {
            for (int i = 0; i < 300_000; i++) {
                long asOf = clock.incrementAndGet();
                cache.put(i % 2, 0, result(asOf, Long.MAX_VALUE));
                CachedResult<String> found = cache.get(i % 2, 0, 0);
                assertThat(found == null ? -1 : found.asOf()).isGreaterThanOrEqualTo(asOf);
            }
            return null;
        };
        together(60, load, load, load);
    }

    /** Each look-up counts once, each result is somewhere or was counted when it went, and the bound holds. */
    @Test
    void countersAddUpWithManyThreads() throws Exception {
        long seed = new Random().nextLong();
        long maxBytes = 200_000;
        ResultCache<AtomicBoolean> cache =
                new ResultCache<>(maxBytes, 1000, result -> result.dependency().get());
        AtomicLong nextKey = new AtomicLong();
        AtomicLong lookups = new AtomicLong();
        AtomicLong stored = new AtomicLong();
        AtomicLong refusedAtStore = new AtomicLong();
        Callable<?> use = () -> {
            Random random = new Random(seed + Thread.currentThread().threadId());
            for (int i = 0; i < 40_000; i++) {
                long key = nextKey.incrementAndGet();
                AtomicBoolean valid = new AtomicBoolean(random.nextInt(10) > 0);
                if (cache.put(key, 0, new CachedResult<>(new byte[random.nextInt(500)], 1, 10, 10, valid))) {
                    stored.incrementAndGet();
                    valid.set(random.nextInt(10) > 0);
                } else {
                    refusedAtStore.incrementAndGet();
                }
                cache.get(Math.max(1, key - random.nextInt(500)), 0, random.nextInt(20) == 0 ? 10 : 9);
                lookups.incrementAndGet();
            }
            return null;
        };
        together(60, use, use, use, use);
        CacheCounters counters = cache.counters();
        assertThat(counters.hits() + counters.misses()).isEqualTo(lookups.get());
        assertThat(counters.stores()).isEqualTo(stored.get());
        long removed = counters.expirations() + counters.stale() - refusedAtStore.get() + counters.evictions();
        assertThat(counters.entries() + removed).as("seed %d", seed).isEqualTo(stored.get());
        assertThat(counters.bytes()).isPositive().isLessThanOrEqualTo(maxBytes);
        assertThat(counters.expirations()).isPositive();
        assertThat(counters.evictions()).isPositive();
    }
}
