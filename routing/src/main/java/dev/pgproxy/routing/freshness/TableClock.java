package dev.pgproxy.routing.freshness;

import dev.pgproxy.routing.catalog.RelationSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * When each relation of a database was last written, in {@link Monotonic} moments, and whether a write to it is in
 * doubt: sent in a message that can commit, and its outcome not known yet. Reading takes no lock and allocates nothing.
 * Thread-safe.
 */
public final class TableClock {
    /** A write is in doubt: no replica is fresh enough. */
    public static final long IN_DOUBT = Long.MAX_VALUE;

    private static final int START = 64;

    private static final class Entry {
        private final int id;
        private final AtomicLong lastWrite;
        private final AtomicInteger doubts = new AtomicInteger();

        Entry(int id, long start) {
            this.id = id;
            this.lastWrite = new AtomicLong(start);
        }

        void written(long moment) {
            lastWrite.accumulateAndGet(moment, Math::max);
        }
    }

    /** Open addressing by OID; replaced as a whole when it grows, entries are never removed. */
    private volatile @Nullable Entry[] table = new @Nullable Entry[START];

    private int size;

    /** Writes to relations that nobody could name, or to all of them. */
    private final Entry all;

    /** Writes to whatever relation. */
    private final Entry any;

    private final long start;

    /** A clock that starts at a moment: what was written before, by whomever, counts as written then. */
    public TableClock(long start) {
        this.start = start;
        this.all = new Entry(0, start);
        this.any = new Entry(0, start);
    }

    /** The moment of the last write to any of these; {@link #IN_DOUBT} if one may be happening. */
    public long lastWrite(RelationSet relations) {
        if (relations.isAll()) {
            return any.doubts.get() > 0 ? IN_DOUBT : any.lastWrite.get();
        }
        if (all.doubts.get() > 0) {
            return IN_DOUBT;
        }
        long last = all.lastWrite.get();
        @Nullable Entry[] entries = table;
        for (int i = 0; i < relations.size(); i++) {
            Entry entry = find(entries, relations.id(i));
            if (entry != null) {
                if (entry.doubts.get() > 0) {
                    return IN_DOUBT;
                }
                last = Math.max(last, entry.lastWrite.get());
            }
        }
        return last;
    }

    /** A message that can commit writes to these is about to be sent. Each call needs its {@link #settle}. */
    public void doubt(RelationSet relations) {
        any.doubts.incrementAndGet();
        if (relations.isAll()) {
            all.doubts.incrementAndGet();
            return;
        }
        for (int i = 0; i < relations.size(); i++) {
            entry(relations.id(i)).doubts.incrementAndGet();
        }
    }

    /** The outcome is known: if anything was written, it is no later than this moment that it was acknowledged. */
    public void settle(RelationSet relations, long moment) {
        written(relations, moment); // first, so that nobody finds neither
        any.doubts.decrementAndGet();
        if (relations.isAll()) {
            all.doubts.decrementAndGet();
            return;
        }
        for (int i = 0; i < relations.size(); i++) {
            entry(relations.id(i)).doubts.decrementAndGet();
        }
    }

    /** These were written, and that was acknowledged at this moment. */
    public void written(RelationSet relations, long moment) {
        any.written(moment);
        if (relations.isAll()) {
            all.written(moment);
            return;
        }
        for (int i = 0; i < relations.size(); i++) {
            entry(relations.id(i)).written(moment);
        }
    }

    private Entry entry(int id) {
        Entry entry = find(table, id);
        return entry == null ? add(id) : entry;
    }

    private static @Nullable Entry find(@Nullable Entry[] entries, int id) {
        int mask = entries.length - 1;
        for (int at = slot(id) & mask; ; at = at + 1 & mask) {
            Entry entry = entries[at];
            if (entry == null || entry.id == id) {
                return entry;
            }
        }
    }

    private static int slot(int id) {
        int mixed = id * 0x9E3779B9;
        return mixed ^ mixed >>> 15;
    }

    private synchronized Entry add(int id) {
        @Nullable Entry[] now = table;
        Entry known = find(now, id);
        if (known != null) {
            return known;
        }
        Entry added = new Entry(id, start);
        @Nullable Entry[] next = new @Nullable Entry[2 * (size + 1) > now.length ? 2 * now.length : now.length];
        for (Entry entry : now) {
            if (entry != null) {
                put(next, entry);
            }
        }
        put(next, added);
        size++;
        table = next;
        return added;
    }

    private static void put(@Nullable Entry[] entries, Entry entry) {
        int mask = entries.length - 1;
        int at = slot(entry.id) & mask;
        while (entries[at] != null) {
            at = at + 1 & mask;
        }
        entries[at] = entry;
    }
}
