package dev.pgproxy.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/**
 * Entries of 100 bytes, measured as used heap. A million of them, in the heap that they must fit in:
 *
 * <pre>
 *   mvn -pl cache verify -Dtest=ResultCacheMemoryTest -Dtest.extraArgs="-Xmx450m -Dcache.entries=1000000"
 * </pre>
 */
class ResultCacheMemoryTest {
    private static final int ENTRIES = Integer.getInteger("cache.entries", 50_000);

    private static final int ANSWER = 100;

    @Test
    void anEntryTakesAtMost300BytesMoreThanItsAnswerAndNotMoreThanItsWeight() {
        fill(1000); // loads the classes
        long before = usedHeap();
        ResultCache<String> cache = fill(ENTRIES);
        double perEntry = (double) (usedHeap() - before) / ENTRIES;
        CacheCounters counters = cache.counters();
        String figures = "%d entries of %d bytes: %.1f bytes of heap each, weighed as %d"
                .formatted(ENTRIES, ANSWER, perEntry, counters.bytes() / ENTRIES);
        if (Integer.getInteger("cache.entries") != null) {
            System.err.println(figures);
        }
        assertThat(counters.entries()).isEqualTo(ENTRIES);
        assertThat(perEntry).as(figures).isLessThan(ANSWER + 300);
        // a weight below the truth would overfill the heap, one far above would waste it
        assertThat(counters.bytes() / perEntry / ENTRIES).as(figures).isBetween(1.0, 1.35);
    }

    private static ResultCache<String> fill(int entries) {
        ResultCache<String> cache = new ResultCache<>(450L * entries, ANSWER, result -> true);
        KeyHash hash = KeyHash.random();
        for (int i = 0; i < entries; i++) {
            hash.addInt(i);
            hash.finish();
            cache.put(hash.high(), hash.low(), new CachedResult<>(new byte[ANSWER], 1, 2, 2, "table"));
        }
        return cache;
    }

    private static long usedHeap() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }
}
