package dev.pgproxy.server;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What a server still has to say, in order: one entry for each message sent that is answered, and what to do with the
 * answer. This is what makes injected messages safe: their replies have entries of their own. A ring of ints with a
 * parallel ring of notes, so that an entry costs no object. Confined to the loop of its server connection.
 *
 * <p>After an error in the extended protocol the server ignores everything up to Sync; {@link #failed} drops those
 * entries, also the ones that are added later but before a Sync. Source: src/backend/tcop/postgres.c
 * (ignore_till_sync).
 */
public final class ReplyQueue {
    /** Told about entries whose messages the server will ignore. */
    public interface Dropped {
        /** One dropped entry. */
        void dropped(int entry, @Nullable Object note);
    }

    /** A simple Query: everything up to ReadyForQuery. */
    public static final int QUERY = 1;
    /** Sync: ReadyForQuery. */
    public static final int SYNC = 2;
    /** FunctionCall: FunctionCallResponse and ReadyForQuery. */
    public static final int FUNCTION = 3;
    /** Parse: ParseComplete. */
    public static final int PARSE = 4;
    /** Bind: BindComplete. */
    public static final int BIND = 5;
    /** Describe: ParameterDescription for a statement, then RowDescription or NoData. */
    public static final int DESCRIBE = 6;
    /** Execute: rows, then CommandComplete, EmptyQueryResponse or PortalSuspended. */
    public static final int EXECUTE = 7;
    /** Close: CloseComplete. */
    public static final int CLOSE = 8;
    /** CopyDone or CopyFail: no reply; marks where copy mode ends in what was sent. Never at the head. */
    public static final int COPY_END = 9;

    /** Mask of the above. */
    public static final int KIND = 0xff;
    /** The reply is ours and goes to nobody. */
    public static final int SWALLOW = 0x100;
    /** Nothing was sent; when its turn comes we answer ourselves. */
    public static final int ANSWER = 0x200;

    private int[] entries = new int[16];
    private @Nullable Object[] notes = new @Nullable Object[16];
    private int head;
    private int size;
    private int boundaries;
    private boolean ignoring;
    private boolean copying;

    /** Adds an entry behind the others; false if the server will ignore the message. */
    public boolean add(int entry, @Nullable Object note) {
        int kind = entry & KIND;
        if (copying && (entry & (ANSWER | SWALLOW)) == 0) {
            if (kind == COPY_END) {
                copying = false;
            } else if (kind == SYNC) {
                return true;
            }
        }
        if (ignoring) {
            if (kind != SYNC) {
                return false;
            }
            ignoring = false;
        }
        if (kind == COPY_END && size == 0) {
            return true;
        }
        if (size == entries.length) {
            grow();
        }
        int at = head + size & entries.length - 1;
        entries[at] = entry;
        notes[at] = note;
        size++;
        if (kind <= FUNCTION) {
            boundaries++;
        }
        return true;
    }

    /** The first entry, 0 when there is none. */
    public int head() {
        return size == 0 ? 0 : entries[head];
    }

    /** The note of the first entry. */
    public @Nullable Object note() {
        return size == 0 ? null : notes[head];
    }

    /** Replaces the note of the first entry. */
    public void note(Object note) {
        notes[head] = note;
    }

    /** Removes the first entry. */
    public void remove() {
        removeOne();
        while (size > 0 && (entries[head] & KIND) == COPY_END) {
            removeOne();
        }
    }

    private void removeOne() {
        if ((entries[head] & KIND) <= FUNCTION) {
            boundaries--;
        }
        notes[head] = null;
        head = head + 1 & entries.length - 1;
        size--;
    }

    /** Whether nothing is expected. */
    public boolean isEmpty() {
        return size == 0;
    }

    /** Whether all that is expected answers questions of ours, of which no client hears. */
    public boolean isOurs() {
        for (int i = 0; i < size; i++) {
            if ((entries[head + i & entries.length - 1] & SWALLOW) == 0) {
                return false;
            }
        }
        return true;
    }

    /** How many ReadyForQuery are still to come. */
    public int boundaries() {
        return boundaries;
    }

    /** Whether the server ignores what is sent until a Sync. */
    public boolean isIgnoring() {
        return ignoring;
    }

    /**
     * An ErrorResponse has come. In the extended protocol drops the entries before the next Sync, the last one first, so
     * that what they changed is undone step by step; if Sync is not yet sent, those to come before it will not be added.
     */
    public void failed(Dropped listener) {
        copying = false;
        int kind = head() & KIND;
        if (kind == QUERY || kind == FUNCTION) {
            return;
        }
        int dropped = 0;
        while (dropped < size && (entries[head + dropped & entries.length - 1] & KIND) != SYNC) {
            dropped++;
        }
        for (int i = dropped - 1; i >= 0; i--) {
            int at = head + i & entries.length - 1;
            listener.dropped(entries[at], notes[at]);
        }
        for (int i = 0; i < dropped; i++) {
            removeOne();
        }
        ignoring = size == 0;
    }

    /**
     * CopyInResponse has come. While a server takes COPY data it ignores Sync, so those sent before the data's end bring
     * no ReadyForQuery.
     */
    public void copyIn() {
        int kept = 1;
        boolean ended = false;
        for (int i = 1; i < size; i++) {
            int from = head + i & entries.length - 1;
            int kind = entries[from] & KIND;
            ended |= kind == COPY_END;
            if (!ended && kind == SYNC) {
                boundaries--; // read in the middle of the data, and ignored
                continue;
            }
            int to = head + kept & entries.length - 1;
            entries[to] = entries[from];
            notes[to] = notes[from];
            kept++;
        }
        size = kept;
        copying = !ended;
    }

    /** A new session begins: nothing is expected. */
    public void clear() {
        Arrays.fill(notes, null);
        size = 0;
        boundaries = 0;
        ignoring = false;
        copying = false;
    }

    private void grow() {
        int n = entries.length;
        int[] moreEntries = new int[n * 2];
        @Nullable Object[] moreNotes = new @Nullable Object[n * 2];
        for (int i = 0; i < size; i++) {
            moreEntries[i] = entries[head + i & n - 1];
            moreNotes[i] = notes[head + i & n - 1];
        }
        entries = moreEntries;
        notes = moreNotes;
        head = 0;
    }
}
