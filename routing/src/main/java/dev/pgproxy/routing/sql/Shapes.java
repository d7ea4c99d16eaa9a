package dev.pgproxy.routing.sql;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.protocol.sql.ValueReader;
import io.netty.buffer.Unpooled;
import java.security.SecureRandom;
import java.util.Collection;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The shapes that are known, by fingerprint. A new one is read on a thread of its own; what is kept takes so much memory, and
 * so many wait to be read, however many clients make up and however long they are. Thread-safe.
 */
public final class Shapes implements AutoCloseable {
    /** Bytes of heap that the kept shapes may take, by estimate: 16,000 of 200 bytes. The least used go first. */
    private static final long KEPT = 64L << 20;

    /** A shape takes about this, and this for each byte of its text: every word of it is kept in a string of its own. */
    private static final int HEAP = 2000;

    private static final int HEAP_PER_BYTE = 10;

    /** Texts that wait to be read; more are not read now, and asked for again at their next occurrence. */
    private static final int WAITING = 256;

    private record Fingerprint(long high, long low) {}

    private final Cache<Fingerprint, Shape> known = Caffeine.newBuilder()
            .maximumWeight(KEPT)
            .weigher((Fingerprint key, Shape shape) -> shape.heap())
            .executor(Runnable::run)
            .build();
    private final ThreadPoolExecutor reader = new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(WAITING),
            Thread.ofPlatform().name("analyzer").daemon().factory());
    private final long seed = new SecureRandom().nextLong();
    private final ShapeReader shapeReader = new ShapeReader();
    private volatile boolean comparing;

    /** Texts will have to be read soon: loads what JSqlParser takes long to load. To be called once. */
    public void warmUp() {
        reader.execute(ShapeReader::warmUp);
    }

    /** What fingerprints have to be keyed with: clients choose the texts, and must not be able to aim at a shape. */
    public long seed() {
        return seed;
    }

    /** Whether somebody compares texts: then those with comments are told without them, too. */
    public void comparing(boolean now) {
        comparing = now;
    }

    boolean isComparing() {
        return comparing;
    }

    /** The shape of this fingerprint; null if it is not known. */
    public @Nullable Shape find(long high, long low) {
        return known.getIfPresent(new Fingerprint(high, low));
    }

    /** The shape of this fingerprint, which is that of {@code text}; if it is new, it will be read. */
    public Shape get(long high, long low, byte[] text, QueryFacts facts, boolean standardConformingStrings) {
        Fingerprint key = new Fingerprint(high, low);
        Shape shape = known.getIfPresent(key);
        if (shape != null) {
            return shape;
        }
        boolean readable = text.length <= ShapeReader.MAX_BYTES;
        int heap = HEAP + (readable ? HEAP_PER_BYTE * text.length : 0);
        Shape made = new Shape(
                high,
                low,
                fingerprint(text, standardConformingStrings),
                MaskedText.of(text, standardConformingStrings),
                readable ? LikePattern.of(text, standardConformingStrings) : LikePattern.UNKNOWN,
                heap);
        Shape other = known.asMap().putIfAbsent(key, made);
        if (other != null) {
            return other;
        }
        if (!readable) {
            made.read(new Findings().shape(facts, false)); // nor is it to wait in memory until the reader says so
            return made;
        }
        try {
            reader.execute(() -> {
                made.values(new ValueReader().places(text, standardConformingStrings));
                made.read(shapeReader.read(text, facts, standardConformingStrings));
            });
        } catch (RejectedExecutionException e) {
            known.invalidate(key);
            made.read(new Findings().shape(facts, false));
        }
        return made;
    }

    /** What does not change with the process. */
    private static String fingerprint(byte[] text, boolean standardConformingStrings) {
        SqlAnalyzer unkeyed = new SqlAnalyzer();
        unkeyed.analyze(Unpooled.wrappedBuffer(text), 0, text.length, standardConformingStrings, false);
        return String.format(Locale.ROOT, "%016x%016x", unkeyed.fingerprintHigh(), unkeyed.fingerprintLow());
    }

    /** Those that are known. */
    public Collection<Shape> all() {
        return known.asMap().values();
    }

    @Override
    public void close() {
        reader.shutdownNow();
    }
}
