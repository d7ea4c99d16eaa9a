package dev.pgproxy.session;

import dev.pgproxy.protocol.backend.ResultColumns;
import dev.pgproxy.protocol.frame.CString;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The named prepared statements of one client: its name to the shared statement. Looked up by the bytes of a message
 * without making a String. Confined to the client's event loop.
 */
public final class ClientStatements {
    /** What one name means to the client. */
    public static final class Entry {
        private final byte[] name;
        private final int hash;
        private final SharedStatement statement;
        private @Nullable Entry next;
        private ResultColumns gives = ResultColumns.UNKNOWN;

        Entry(byte[] name, int hash, SharedStatement statement, @Nullable Entry next) {
            this.name = name;
            this.hash = hash;
            this.statement = statement;
            this.next = next;
        }

        /** The client's name, no longer than PostgreSQL keeps it. */
        public String name() {
            return new String(name, StandardCharsets.UTF_8);
        }

        /** The statement. */
        public SharedStatement statement() {
            return statement;
        }

        /** What the client believes that it gives; {@link ResultColumns#UNKNOWN} before its Parse was answered. */
        public ResultColumns gives() {
            return gives;
        }

        /** It has been told, or can have asked. */
        public void gives(ResultColumns columns) {
            gives = columns;
        }
    }

    /** Longer names are the same statement: PostgreSQL cuts them (NAMEDATALEN). */
    static final int MAX_NAME = 63;

    private @Nullable Entry[] table = new @Nullable Entry[4];
    private int size;

    /** Found last: one exchange asks for the same name several times. */
    private @Nullable Entry last;

    /** What the name of {@code nameLength} bytes at {@code index} means. */
    public @Nullable Entry find(ByteBuf buf, int index, int nameLength) {
        if (size == 0) {
            return null;
        }
        int length = Math.min(nameLength, MAX_NAME);
        Entry same = last;
        if (same != null && same.name.length == length && CString.isAt(same.name, buf, index)) {
            return same;
        }
        int hash = 0;
        for (int i = 0; i < length; i++) {
            hash = 31 * hash + buf.getByte(index + i);
        }
        for (Entry e = table[hash & table.length - 1]; e != null; e = e.next) {
            if (e.hash == hash && e.name.length == length && CString.isAt(e.name, buf, index)) {
                last = e;
                return e;
            }
        }
        return null;
    }

    /** The statement of this name. */
    public @Nullable SharedStatement find(String name) {
        byte[] bytes = bytes(name);
        Entry entry = entry(bytes, hash(bytes));
        return entry == null ? null : entry.statement;
    }

    /** What this name means. */
    public @Nullable Entry entry(String name) {
        byte[] bytes = bytes(name);
        return entry(bytes, hash(bytes));
    }

    /** Adds or replaces. */
    public Entry put(String name, SharedStatement statement) {
        remove(name);
        byte[] bytes = bytes(name);
        int hash = hash(bytes);
        if (size >= table.length) {
            grow();
        }
        int slot = hash & table.length - 1;
        Entry entry = new Entry(bytes, hash, statement, table[slot]);
        table[slot] = entry;
        size++;
        return entry;
    }

    /** Removes; nothing happens if there is none. */
    public void remove(String name) {
        byte[] bytes = bytes(name);
        int hash = hash(bytes);
        Entry gone = entry(bytes, hash);
        if (gone == null) {
            return;
        }
        last = null;
        int slot = hash & table.length - 1;
        Entry at = table[slot];
        if (at == gone) {
            table[slot] = gone.next;
        } else {
            while (at != null && at.next != gone) {
                at = at.next;
            }
            if (at != null) {
                at.next = gone.next;
            }
        }
        size--;
    }

    /** Forgets all. */
    public void clear() {
        if (size > 0) {
            table = new @Nullable Entry[4];
            size = 0;
            last = null;
        }
    }

    /** How many there are. */
    public int size() {
        return size;
    }

    /** The names, in no order. */
    public List<String> names() {
        List<String> names = new ArrayList<>(size);
        for (Entry slot : table) {
            for (Entry e = slot; e != null; e = e.next) {
                names.add(e.name());
            }
        }
        return names;
    }

    private @Nullable Entry entry(byte[] name, int hash) {
        for (Entry e = table[hash & table.length - 1]; e != null; e = e.next) {
            if (e.hash == hash && Arrays.equals(e.name, name)) {
                return e;
            }
        }
        return null;
    }

    private static byte[] bytes(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        return bytes.length > MAX_NAME ? Arrays.copyOf(bytes, MAX_NAME) : bytes;
    }

    private static int hash(byte[] name) {
        int hash = 0;
        for (byte b : name) {
            hash = 31 * hash + b;
        }
        return hash;
    }

    private void grow() {
        @Nullable Entry[] old = table;
        table = new @Nullable Entry[old.length * 2];
        for (Entry slot : old) {
            Entry e = slot;
            while (e != null) {
                Entry next = e.next;
                int to = e.hash & table.length - 1;
                e.next = table[to];
                table[to] = e;
                e = next;
            }
        }
    }
}
