package dev.pgproxy.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class ResultCacheTest {
    /** What the results depend on: false once it has changed. */
    private final AtomicBoolean table = new AtomicBoolean(true);

    private final ResultCache<AtomicBoolean> cache =
            new ResultCache<>(1 << 20, 10_000, result -> result.dependency().get());

    private CachedResult<AtomicBoolean> result(int bytes, long asOf, long expiresAt) {
        return new CachedResult<>(new byte[bytes], asOf, expiresAt, expiresAt, table);
    }

    @Test
    void whatWasStoredIsFoundByBothHalvesOfItsKeyUntilItExpires() {
        CachedResult<AtomicBoolean> result = result(100, 5, 50);
        assertThat(cache.put(1, 2, result)).isTrue();
        assertThat(cache.get(1, 2, 49)).isSameAs(result);
        assertThat(cache.get(1, 3, 49)).isNull();
        assertThat(cache.get(2, 2, 49)).isNull();
        assertThat(cache.get(2, 1, 49)).isNull();
        assertThat(cache.get(1, 2, 50)).isNull();
        assertThat(cache.get(1, 2, 49)).as("removed when it was found expired").isNull();
        assertThat(cache.counters()).isEqualTo(new CacheCounters(1, 5, 1, 0, 0, 1, 0, 0, 0));
    }

    @Test
    void whatTheCheckRefusesIsRemovedAndNotStored() {
        cache.put(1, 2, result(100, 5, 50));
        table.set(false);
        assertThat(cache.get(1, 2, 10)).isNull();
        table.set(true);
        assertThat(cache.get(1, 2, 10)).as("removed when it was refused").isNull();
        table.set(false);
        assertThat(cache.put(1, 2, result(100, 5, 50))).isFalse();
        assertThat(cache.counters()).isEqualTo(new CacheCounters(0, 2, 1, 0, 0, 0, 2, 0, 0));
    }

    @Test
    void whoOnlyLooksIsNotCountedAndRemovesNothing() {
        CachedResult<AtomicBoolean> result = result(100, 5, 50);
        cache.put(1, 2, result);
        assertThat(cache.peek(1, 2, 49)).isSameAs(result);
        assertThat(cache.peek(1, 3, 49)).isNull();
        assertThat(cache.peek(1, 2, 50)).isNull();
        table.set(false);
        assertThat(cache.peek(1, 2, 49)).isNull();
        table.set(true);
        assertThat(cache.peek(1, 2, 49)).isSameAs(result);
        assertThat(cache.counters()).isEqualTo(new CacheCounters(0, 0, 1, 0, 0, 0, 0, 1, result.weight()));
    }

    @Test
    void aResultOfTheGivenSizeIsStoredAndOneByteMoreIsNot() {
        assertThat(cache.put(1, 2, result(10_000, 5, 50))).isTrue();
        assertThat(cache.put(3, 4, result(10_001, 5, 50))).isFalse();
        assertThat(cache.get(3, 4, 10)).isNull();
        CacheCounters counters = cache.counters();
        assertThat(counters.tooLarge()).isEqualTo(1);
        assertThat(counters.bytes()).isEqualTo(result(10_000, 0, 0).weight());
    }

    @Test
    void anOlderResultDoesNotTakeTheNewerOnesPlace() {
        CachedResult<AtomicBoolean> newer = result(100, 6, 50);
        assertThat(cache.put(1, 2, result(300, 5, 50))).isTrue();
        assertThat(cache.put(1, 2, newer)).isTrue();
        assertThat(cache.put(1, 2, result(200, 5, 50))).isFalse();
        assertThat(cache.get(1, 2, 10)).isSameAs(newer);
        assertThat(cache.counters()).isEqualTo(new CacheCounters(1, 0, 2, 0, 0, 0, 0, 1, newer.weight()));
    }

    @Test
    void invalidateAllForgetsAllAndRefusesWhatIsNotNewer() {
        cache.put(1, 2, result(100, 5, 50));
        cache.invalidateAll(10);
        assertThat(cache.get(1, 2, 11)).isNull();
        assertThat(cache.put(1, 2, result(100, 10, 50))).isFalse();
        assertThat(cache.put(1, 2, result(100, 11, 50))).isTrue();
        cache.invalidateAll(9);
        assertThat(cache.put(1, 2, result(100, 10, 50)))
                .as("the later of the two counts")
                .isFalse();
        assertThat(cache.counters()).isEqualTo(new CacheCounters(0, 1, 2, 0, 0, 0, 2, 0, 0));
    }

    @Test
    void neverHoldsMoreBytesThanGivenAndKeepsWhatIsAskedForOften() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int i = 0; i < 100; i++) {
            cache.put(i, -1, result(100, 5, 50));
        }
        for (int i = 0; i < 20_000; i++) {
            if (i % 2 == 0) {
                cache.get(random.nextInt(100), -1, 10);
            }
            cache.put(i, 0, result(random.nextInt(1000), 5, 50));
            if (i % 500 == 0) {
                assertThat(cache.counters().bytes()).as("seed %d", seed).isLessThanOrEqualTo(1 << 20);
            }
        }
        int kept = 0;
        for (int i = 0; i < 100; i++) {
            kept += cache.get(i, -1, 10) == null ? 0 : 1;
        }
        assertThat(kept).as("of 100 often asked for, seed %d", seed).isGreaterThan(90);
        CacheCounters counters = cache.counters();
        assertThat(counters.bytes()).isBetween(900_000L, 1L << 20);
        assertThat(counters.entries() + counters.evictions()).isEqualTo(counters.stores());
    }

    @Test
    void aHitAllocatesAtMostOneSmallObject() {
        cache.put(1, 2, result(100, 5, 50));
        hit(200_000);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        hit(200_000);
        assertThat((threads.getCurrentThreadAllocatedBytes() - before) / 200_000)
                .isLessThanOrEqualTo(32);
    }

    private void hit(int times) {
        for (int i = 0; i < times; i++) {
            if (cache.get(1, 2, 10) == null) {
                throw new AssertionError("a miss");
            }
        }
    }

    @Test
    void limitsThatMakeNoSenseAreRefused() {
        assertThatThrownBy(() -> new ResultCache<String>(-1, 1, result -> true))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new ResultCache<String>(1, (1 << 30) + 1, result -> true))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
