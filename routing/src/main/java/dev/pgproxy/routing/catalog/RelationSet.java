package dev.pgproxy.routing.catalog;

import java.util.Arrays;

/**
 * Relations of one database by their OIDs, or all that there are, those not yet known included. Immutable.
 */
public final class RelationSet {
    /** Every relation of the database. */
    public static final RelationSet ALL = new RelationSet(new int[0], true);

    /** No relation. */
    public static final RelationSet NONE = new RelationSet(new int[0], false);

    private final int[] ids;
    private final boolean all;

    private RelationSet(int[] ids, boolean all) {
        this.ids = ids;
        this.all = all;
    }

    /** These relations, in any order. */
    public static RelationSet of(int... oids) {
        if (oids.length == 0) {
            return NONE;
        }
        return new RelationSet(Arrays.stream(oids).sorted().distinct().toArray(), false);
    }

    /** Both; one of the two themselves where it holds the other. */
    public RelationSet with(RelationSet other) {
        if (all || other.all) {
            return ALL;
        }
        if (other.ids.length == 0 || other == this) {
            return this;
        }
        if (ids.length == 0) {
            return other;
        }
        int[] both = new int[ids.length + other.ids.length];
        int count = merge(ids, other.ids, both);
        if (count == ids.length) {
            return this;
        }
        return count == other.ids.length ? other : new RelationSet(Arrays.copyOf(both, count), false);
    }

    /** Writes what is in either of two ascending arrays, and returns how many that are. */
    private static int merge(int[] one, int[] other, int[] into) {
        int i = 0;
        int j = 0;
        int count = 0;
        while (i < one.length && j < other.length) {
            int least = Math.min(one[i], other[j]);
            i += one[i] == least ? 1 : 0;
            j += other[j] == least ? 1 : 0;
            into[count++] = least;
        }
        System.arraycopy(one, i, into, count, one.length - i);
        count += one.length - i;
        System.arraycopy(other, j, into, count, other.length - j);
        return count + other.length - j;
    }

    /** Whether it is {@link #ALL}. */
    public boolean isAll() {
        return all;
    }

    /** Whether there is none in it. */
    public boolean isEmpty() {
        return !all && ids.length == 0;
    }

    /** How many are named; 0 for {@link #ALL}. */
    public int size() {
        return ids.length;
    }

    /** The OID at a place below {@link #size}, in ascending (signed) order. */
    public int id(int i) {
        return ids[i];
    }

    /** Whether it holds this relation. */
    public boolean contains(int oid) {
        return all || Arrays.binarySearch(ids, oid) >= 0;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RelationSet set && set.all == all && Arrays.equals(set.ids, ids);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids) + (all ? 1 : 0);
    }

    @Override
    public String toString() {
        return all ? "all" : Arrays.toString(ids);
    }
}
