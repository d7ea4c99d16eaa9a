package dev.pgproxy.results;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.pgproxy.routing.sql.Shape;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What came of a database's reads that the cache could have answered, and which servers answered since {@code cache_mode =
 * shadow} asks for that; of each statement as long as its shape is known. Thread-safe.
 */
public final class ShadowCounts {
    /** Of some reads. Thread-safe. */
    public static final class Tally {
        private final LongAdder hits = new LongAdder();
        private final LongAdder savedNanos = new LongAdder();
        private final LongAdder[] by = new LongAdder[Comparison.values().length];

        Tally() {
            for (int i = 0; i < by.length; i++) {
                by[i] = new LongAdder();
            }
        }

        /** How many could have been answered from the cache. */
        public long hits() {
            return hits.sum();
        }

        /** How long servers took to answer these, in milliseconds, those aside that failed. */
        public long savedMillis() {
            return TimeUnit.NANOSECONDS.toMillis(savedNanos.sum());
        }

        /** How many comparisons ended so. */
        public long of(Comparison comparison) {
            return by[comparison.ordinal()].sum();
        }

        /** How many comparisons were fair. */
        public long compared() {
            return of(Comparison.SAME) + of(Comparison.REORDERED) + of(Comparison.DIFFERENT);
        }
    }

    /** Nanoseconds between two lines of the log. */
    private static final long QUIET = TimeUnit.SECONDS.toNanos(10);

    private final Tally all = new Tally();
    private final AtomicLong toldAt = new AtomicLong(Long.MIN_VALUE);
    private final Cache<Shape, Tally> byShape =
            Caffeine.newBuilder().weakKeys().executor(Runnable::run).build();

    /** Nothing counted yet. */
    public ShadowCounts() {}

    /** A read could have been answered from the cache; the shape is null where a text has none. */
    public void hit(@Nullable Shape shape) {
        all.hits.increment();
        if (shape != null) {
            of(shape).hits.increment();
        }
    }

    /** A server has answered such a read, and taken so long. */
    public void answered(@Nullable Shape shape, long nanos) {
        all.savedNanos.add(nanos);
        if (shape != null) {
            of(shape).savedNanos.add(nanos);
        }
    }

    /** Its answer was compared. */
    public void compared(@Nullable Shape shape, Comparison comparison) {
        all.by[comparison.ordinal()].increment();
        if (shape != null) {
            of(shape).by[comparison.ordinal()].increment();
        }
    }

    /** Whether the log may be told of another difference at this moment; then not again for a while. */
    public boolean mayTell(long now) {
        long before = toldAt.get();
        return (before == Long.MIN_VALUE || now - before >= QUIET) && toldAt.compareAndSet(before, now);
    }

    private Tally of(Shape shape) {
        return Objects.requireNonNull(byShape.get(shape, any -> new Tally()));
    }

    /** Of all of them. */
    public Tally all() {
        return all;
    }

    /** Of each statement that is known, by its shape. */
    public Map<Shape, Tally> byShape() {
        return Collections.unmodifiableMap(byShape.asMap());
    }
}
