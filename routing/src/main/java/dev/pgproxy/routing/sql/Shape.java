package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.TextShape;
import dev.pgproxy.protocol.sql.ValuePlaces;
import dev.pgproxy.routing.catalog.Catalog;
import dev.pgproxy.routing.catalog.Reading;
import dev.pgproxy.routing.catalog.SearchPath;
import dev.pgproxy.routing.freshness.Mark;
import dev.pgproxy.routing.freshness.Monotonic;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * All texts with one fingerprint: what they name and do, once that has been read, and what was learnt of them since.
 * Thread-safe.
 */
public final class Shape implements TextShape {
    /** Of a text of some 8 kB, in bytes of heap. */
    private static final int LARGE = 80_000;

    /** What the shape means in one state of a database; a shape that nobody uses any more keeps no old one alive. */
    private record Resolved(WeakReference<Catalog> catalog, SearchPath path, Reading reading) {}

    private final long high;
    private final long low;
    private final String fingerprint;
    private final String masked;
    private final LikePattern likePattern;
    private final int heap;
    private final LongAdder unparsed = new LongAdder();
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final Mark mark = new Mark();
    private final LookUps lookUps = new LookUps(Monotonic.now());

    /** Guesses, so that it does not matter if two threads count one. */
    private int sharedMisses;

    private int sharedAsked;
    private volatile @Nullable StatementShape facts;
    private volatile @Nullable ValuePlaces values;
    private volatile @Nullable Resolved resolved;
    private volatile @Nullable WeakReference<Catalog> refusedBy;
    private volatile @Nullable Sought sought;
    private volatile @Nullable ParameterTypes parameterTypes;
    private @Nullable List<Runnable> waiting = new ArrayList<>(1);

    /**
     * Not read yet.
     *
     * @param fingerprint for people and rules
     * @param masked its text with literals replaced, for people
     * @param likePattern of the same
     * @param heap estimate of the bytes that it takes
     */
    Shape(long high, long low, String fingerprint, String masked, LikePattern likePattern, int heap) {
        this.high = high;
        this.low = low;
        this.fingerprint = fingerprint;
        this.masked = masked;
        this.likePattern = likePattern;
        this.heap = heap;
    }

    /** Whether it takes so much memory that it is not to be kept for every session that has met it. */
    public boolean isLarge() {
        return heap > LARGE;
    }

    /**
     * Whose next text of this shape is to be remembered as it is. Immutable.
     *
     * @param database by the name that the client asked for
     * @param user as the client logged in
     * @param since by System.nanoTime
     */
    public record Sought(String database, String user, long since) {}

    /** Whose next text is to be remembered; null = nobody's. One reader after the other may clear it. */
    public @Nullable Sought sought() {
        return sought;
    }

    /** The next text of this one is to be remembered, and nobody else's; null = nobody's. */
    public void seek(@Nullable Sought whose) {
        sought = whose;
    }

    /** As the first Parse of it has declared them; null = there was none. */
    public @Nullable ParameterTypes parameterTypes() {
        return parameterTypes;
    }

    /** A Parse of it has declared these. It does not matter which of two is remembered. */
    public void declare(ParameterTypes types) {
        parameterTypes = types;
    }

    /** Bytes that it takes, about. */
    int heap() {
        return heap;
    }

    /** The first half of the fingerprint, as this process computes it. */
    public long high() {
        return high;
    }

    /** The second half. */
    public long low() {
        return low;
    }

    /** 32 hexadecimal digits for people and rules: the same in every process, so clients can aim at it. */
    public String fingerprint() {
        return fingerprint;
    }

    /** The text of its first occurrence without literals, cut off where it is long. */
    public String masked() {
        return masked;
    }

    /** How the patterns in its first occurrence began. */
    public LikePattern likePattern() {
        return likePattern;
    }

    /** What its texts name and do; null while they are being read. */
    public @Nullable StatementShape facts() {
        return facts;
    }

    /** Where the values of its first text stand that pick rows; null while it is being read, and if it is too long to be. */
    public @Nullable ValuePlaces values() {
        return values;
    }

    void values(ValuePlaces of) {
        values = of;
    }

    /** Runs this when the texts have been read, on the thread that reads; false, and never, if they have been already. */
    public boolean whenRead(Runnable then) {
        synchronized (this) {
            if (waiting != null) {
                waiting.add(then);
                return true;
            }
        }
        return false;
    }

    void read(StatementShape read) {
        List<Runnable> told;
        synchronized (this) {
            facts = read;
            told = waiting == null ? List.of() : waiting;
            waiting = null;
        }
        told.forEach(Runnable::run);
    }

    /** What it means there; null while its texts are being read. */
    public @Nullable Reading reading(Catalog catalog, SearchPath path) {
        Resolved last = resolved;
        if (last != null && last.catalog.refersTo(catalog) && last.path.equals(path)) {
            return last.reading;
        }
        StatementShape read = facts;
        if (read == null) {
            return null;
        }
        Reading reading = catalog.reading(read, path);
        resolved = new Resolved(new WeakReference<>(catalog), path, reading);
        return reading;
    }

    /** A replica could not answer it, and the primary could: so it stays while definitions stay as they are. */
    public void refusedByReplica(Catalog catalog) {
        refusedBy = new WeakReference<>(catalog);
    }

    /** Whether that was learnt under these definitions. */
    public boolean isRefusedByReplicas(Catalog catalog) {
        WeakReference<Catalog> by = refusedBy;
        return by != null && by.refersTo(catalog);
    }

    /** Its results bear this mark. */
    public Mark mark() {
        return mark;
    }

    /**
     * A cacheable read was looked up, and found or not.
     *
     * @param now by {@link Monotonic}
     */
    public void countLookUp(boolean found, long now) {
        (found ? hits : misses).increment();
        lookUps.count(found, now);
    }

    /** Whether fewer than one look-up in a hundred has found something of late: what is asked hardly repeats. */
    public boolean isSeldomRepeated() {
        return lookUps.areSeldomOfUse();
    }

    /**
     * Whether what has this digest is looked up all the same: some in a second are, enough to notice when it does repeat.
     *
     * @param digest the same for the same read
     */
    public boolean isSample(int digest) {
        return lookUps.isWanted(digest);
    }

    /** Results that all instances share have had one of its texts, or not. */
    public void countShared(boolean found) {
        sharedMisses = found ? 0 : sharedMisses + 1;
    }

    /** Whether it is worth looking there: where nothing was found for long, it is looked rarely. */
    public boolean isSharedPerhaps() {
        return sharedMisses < 16 || (++sharedAsked & 63) == 0;
    }

    /** How often the cache has answered. */
    public long hits() {
        return hits.sum();
    }

    /** How often it could have, and had no result. */
    public long misses() {
        return misses.sum();
    }

    /** What it meant when it was last looked at under these definitions; null if it was not. */
    public @Nullable Reading lastReading(Catalog catalog) {
        Resolved last = resolved;
        return last != null && last.catalog.refersTo(catalog) ? last.reading : null;
    }

    /** It has gone to the primary because it could not be read. */
    public void countUnparsed() {
        unparsed.increment();
    }

    /** How often that has happened. */
    public long unparsed() {
        return unparsed.sum();
    }
}
