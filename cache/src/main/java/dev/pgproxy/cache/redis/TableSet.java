package dev.pgproxy.cache.redis;

import java.util.Arrays;

/**
 * Tables of one database by OID, or all of them: at most {@value #MAX}, because more count as all. Immutable.
 */
public final class TableSet {
    /** So many tables are named one by one. */
    public static final int MAX = 128;

    /** Every table of the database, those that nobody has named yet included. */
    public static final TableSet ALL = new TableSet(new int[0], true);

    private final int[] ids;
    private final boolean all;

    private TableSet(int[] ids, boolean all) {
        this.ids = ids;
        this.all = all;
    }

    /** These tables, in whatever order; not kept. */
    public static TableSet of(int... ids) {
        int[] sorted = Arrays.stream(ids).sorted().distinct().toArray();
        return sorted.length > MAX ? ALL : new TableSet(sorted, false);
    }

    /** Whether it is every table. */
    public boolean isAll() {
        return all;
    }

    /** How many are named; 0 if it is all. */
    public int size() {
        return ids.length;
    }

    /** One of those that are named, in ascending order. */
    public int id(int index) {
        return ids[index];
    }

    /** As it is written in messages: a star, or OIDs in hexadecimal with commas between them. */
    String text() {
        if (all) {
            return "*";
        }
        StringBuilder text = new StringBuilder(ids.length * 6);
        for (int id : ids) {
            text.append(text.isEmpty() ? "" : ",").append(Integer.toHexString(id));
        }
        return text.toString();
    }

    /** The reverse of {@link #text}. */
    static TableSet parse(String text) {
        if (text.equals("*")) {
            return ALL;
        }
        if (text.isEmpty()) {
            return of();
        }
        return of(Arrays.stream(text.split(",", -1))
                .mapToInt(id -> Integer.parseUnsignedInt(id, 16))
                .toArray());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TableSet that && all == that.all && Arrays.equals(ids, that.ids);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids) + (all ? 1 : 0);
    }

    @Override
    public String toString() {
        return all ? "all tables" : "tables " + Arrays.toString(ids);
    }
}
