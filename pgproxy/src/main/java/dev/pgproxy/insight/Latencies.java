package dev.pgproxy.insight;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * How often something took how long, in microseconds: buckets that are an eighth of a power of two wide, so that what is told
 * is wrong by a sixteenth at most. There are buckets from the shortest to the longest that was seen and no others: 8 ints for
 * each power of two, mostly some 300 bytes in all and never more than 1.2 kB. (HdrHistogram itself takes several kB for as
 * much; it is what these are added to when somebody asks.) Written by one thread, read by any.
 */
final class Latencies {
    /** Longer than 19 hours counts as that. */
    static final long LONGEST = (1L << 36) - 1;

    private static final int BITS = 3;
    private static final int WIDTH = 1 << BITS;

    /** Counts of whole blocks of eight buckets, from block {@code first} on. */
    private record Window(int first, AtomicIntegerArray counts) {
        boolean has(int block) {
            return block >= first && block < first + blocks();
        }

        int blocks() {
            return counts.length() >> BITS;
        }
    }

    private volatile @Nullable Window window;

    /** One more took so long. */
    void record(long micros) {
        add(bucket(Math.clamp(micros, 0, LONGEST)), 1);
    }

    private void add(int bucket, int more) {
        Window now = window;
        if (now == null || !now.has(bucket >> BITS)) {
            now = with(now, bucket >> BITS);
            window = now;
        }
        AtomicIntegerArray counts = now.counts;
        int at = bucket - (now.first << BITS);
        int count = counts.getPlain(at) + Math.min(more, Integer.MAX_VALUE - counts.getPlain(at));
        counts.lazySet(at, count);
        if (count == Integer.MAX_VALUE) { // a share of all is what matters
            for (int i = 0; i < counts.length(); i++) {
                counts.lazySet(i, counts.getPlain(i) / 2);
            }
        }
    }

    private static Window with(@Nullable Window old, int block) {
        if (old == null) {
            return new Window(block, new AtomicIntegerArray(WIDTH));
        }
        int first = Math.min(old.first, block);
        int behind = Math.max(old.first + old.blocks(), block + 1);
        AtomicIntegerArray more = new AtomicIntegerArray(behind - first << BITS);
        int from = old.first - first << BITS;
        for (int i = 0; i < old.counts.length(); i++) {
            more.setPlain(from + i, old.counts.getPlain(i));
        }
        return new Window(first, more);
    }

    /** Adds what was recorded, each at the middle of its bucket. */
    void addTo(Histogram all) {
        Window now = window;
        if (now == null) {
            return;
        }
        for (int i = 0; i < now.counts.length(); i++) {
            int count = now.counts.get(i);
            if (count > 0) {
                int bucket = (now.first << BITS) + i;
                all.recordValueWithCount((lowest(bucket) + lowest(bucket + 1) - 1) / 2, count);
            }
        }
    }

    /** Adds what another has recorded. */
    void add(Latencies other) {
        Window now = other.window;
        for (int i = 0; now != null && i < now.counts.length(); i++) {
            if (now.counts.get(i) > 0) {
                add((now.first << BITS) + i, now.counts.get(i));
            }
        }
    }

    /** How many buckets there are, then each and its count. */
    void write(DataOutput out) throws IOException {
        Window now = window;
        out.writeInt(now == null ? 0 : now.counts.length());
        for (int i = 0; now != null && i < now.counts.length(); i++) {
            out.writeInt((now.first << BITS) + i);
            out.writeInt(now.counts.get(i));
        }
    }

    /** Adds what was written. */
    void read(DataInput in) throws IOException {
        for (int left = in.readInt(); left > 0; left--) {
            int bucket = in.readInt();
            int count = in.readInt();
            if (bucket < 0 || bucket > bucket(LONGEST) || count < 0) {
                throw new IOException("it is damaged");
            }
            if (count > 0) {
                add(bucket, count);
            }
        }
    }

    private static int bucket(long micros) {
        if (micros < WIDTH) {
            return (int) micros;
        }
        int shift = Long.SIZE - 1 - Long.numberOfLeadingZeros(micros) - BITS;
        return (shift + 1 << BITS) + (int) (micros >>> shift & WIDTH - 1);
    }

    /** The shortest time of a bucket. */
    private static long lowest(int bucket) {
        int block = bucket >> BITS;
        int within = bucket & WIDTH - 1;
        return block == 0 ? within : (long) (WIDTH + within) << block - 1;
    }
}
