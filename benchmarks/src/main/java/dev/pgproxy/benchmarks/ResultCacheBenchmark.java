package dev.pgproxy.benchmarks;

import dev.pgproxy.cache.CachedResult;
import dev.pgproxy.cache.KeyHash;
import dev.pgproxy.cache.ResultCache;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A hit in the result cache: the hash of what the answer depends on, 100 bytes in four fields, and the look-up of one of
 * 8,192 keys. All threads share one cache: run it with {@code -t 1} and {@code -t 2}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ResultCacheBenchmark {
    private static final int KEYS = 1 << 13;

    /** The cache, and when what its results depend on was last written. */
    @State(Scope.Benchmark)
    public static class Shared {
        private final KeyHash hash = KeyHash.random();
        private final AtomicLong lastWrite = new AtomicLong();
        private final ResultCache<AtomicLong> cache = new ResultCache<>(
                256L << 20, 1 << 20, result -> result.dependency().get() < result.asOf());
        private final long[] high = new long[KEYS];
        private final long[] low = new long[KEYS];

        /** Stores a result of 200 bytes for each key. */
        @Setup
        public void fill() {
            byte[] parameters = new byte[76];
            for (int i = 0; i < KEYS; i++) {
                key(hash, i, parameters);
                high[i] = hash.high();
                low[i] = hash.low();
                cache.put(
                        high[i],
                        low[i],
                        new CachedResult<>(new byte[200], 1, Long.MAX_VALUE, Long.MAX_VALUE, lastWrite));
            }
        }

        /** A miss would be measured as something else. */
        @TearDown
        public void check() {
            if (cache.counters().misses() > 0) {
                throw new IllegalStateException("not every look-up was a hit");
            }
        }
    }

    private final byte[] parameters = new byte[76];
    private KeyHash hash = KeyHash.random();
    private int next;

    /** Each thread has a hash with the secret of the cache's keys, and a place of its own to begin. */
    @Setup
    public void prepare(Shared shared) {
        hash = shared.hash.another();
        next = new Random().nextInt(KEYS);
    }

    private static void key(KeyHash hash, int key, byte[] parameters) {
        hash.addLong(0x1234_5678_9abc_def0L);
        hash.addLong(0x0fed_cba9_8765_4321L);
        hash.addLong(key);
        hash.addBytes(parameters, 0, parameters.length);
        hash.finish();
    }

    private int next() {
        next = next + 1 & KEYS - 1;
        return next;
    }

    /** The hash alone. */
    @Benchmark
    public long hash() {
        key(hash, next(), parameters);
        return hash.high() ^ hash.low();
    }

    /** The look-up alone. */
    @Benchmark
    public @Nullable CachedResult<AtomicLong> hit(Shared shared) {
        int key = next();
        return shared.cache.get(shared.high[key], shared.low[key], 2);
    }

    /** Both. */
    @Benchmark
    public @Nullable CachedResult<AtomicLong> hashAndHit(Shared shared) {
        key(hash, next(), parameters);
        return shared.cache.get(hash.high(), hash.low(), 2);
    }
}
