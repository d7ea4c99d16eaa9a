package dev.pgproxy.results;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The reads that were answered most often of late, found by looking at one answer in {@link #SAMPLE}. Bounded: the rarest
 * give way. Thread-safe.
 */
public final class HotReads {
    /** One answer in so many is looked at; a power of two. */
    public static final int SAMPLE = 64;

    /** Bytes of the largest read that is remembered. */
    public static final int LONGEST = 4096;

    /** So many are counted for each that is wanted: what is rare today may be frequent tomorrow. */
    private static final int CANDIDATES = 4;

    private final Cache<HotRead, AtomicInteger> counts =
            Caffeine.newBuilder().maximumSize(0).executor(Runnable::run).build();
    private volatile int wanted;

    /** How many of them {@link #top} is to give; 0 = nothing is remembered. */
    public void want(int most) {
        wanted = most;
        counts.policy().eviction().ifPresent(eviction -> eviction.setMaximum((long) CANDIDATES * most));
    }

    /** Whether any are to be remembered. */
    public boolean areWanted() {
        return wanted > 0;
    }

    /** This one was met. */
    public void met(HotRead read) {
        counts.get(read, any -> new AtomicInteger()).incrementAndGet();
    }

    /** They were met in another life of the process. */
    public void remember(Collection<HotRead> reads) {
        reads.forEach(this::met);
    }

    /** The most frequent first. */
    public List<HotRead> top() {
        return counts.asMap().entrySet().stream()
                .sorted(Comparator.comparing(
                        (Map.Entry<HotRead, AtomicInteger> each) ->
                                each.getValue().get(),
                        Comparator.reverseOrder()))
                .limit(wanted)
                .map(Map.Entry::getKey)
                .toList();
    }

    /** What was frequent long ago counts half as much, and then not at all. To be called at intervals. */
    public void age() {
        counts.asMap().forEach((read, count) -> count.updateAndGet(before -> before / 2));
        counts.asMap().values().removeIf(count -> count.get() == 0);
    }
}
