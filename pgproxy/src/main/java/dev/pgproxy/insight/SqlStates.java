package dev.pgproxy.insight;

import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/** How often which SQLSTATE was told; of so many different ones that the others count as one. Immutable. */
public final class SqlStates {
    static final SqlStates NONE = new SqlStates(new String[0], new long[0]);

    private static final int KEPT = 16;

    /** What stands for all others. */
    private static final String OTHER = "other";

    private static final int LENGTH = 5;

    private final String[] codes;
    private final long[] counts;

    private SqlStates(String[] codes, long[] counts) {
        this.codes = codes;
        this.counts = counts;
    }

    /** So many more of one. */
    SqlStates with(String code, long count) {
        int at = Arrays.asList(codes).indexOf(code);
        if (at < 0 && (codes.length >= KEPT || code.length() != LENGTH)) {
            return code.equals(OTHER) ? appended(code, count) : with(OTHER, count);
        }
        return at < 0 ? appended(code, count) : added(at, count);
    }

    private SqlStates appended(String code, long count) {
        String[] more = Arrays.copyOf(codes, codes.length + 1);
        long[] moreCounts = Arrays.copyOf(counts, counts.length + 1);
        more[codes.length] = code;
        moreCounts[counts.length] = count;
        return new SqlStates(more, moreCounts);
    }

    private SqlStates added(int at, long count) {
        long[] more = counts.clone();
        more[at] += count;
        return new SqlStates(codes, more);
    }

    /** Those of both. */
    SqlStates with(SqlStates others) {
        SqlStates both = this;
        for (int i = 0; i < others.codes.length; i++) {
            both = both.with(others.codes[i], others.counts[i]);
        }
        return both;
    }

    /** How many there are, then each and how often. */
    void write(DataOutput out) throws IOException {
        out.writeInt(codes.length);
        for (int i = 0; i < codes.length; i++) {
            out.writeUTF(codes[i]);
            out.writeLong(counts[i]);
        }
    }

    /** How often in all. */
    public long total() {
        return Arrays.stream(counts).sum();
    }

    /** As {@code 23505:3 40001:1}, the most frequent first. */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        Integer[] order = new Integer[codes.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Long.compare(counts[b], counts[a]));
        for (int i : order) {
            out.append(out.isEmpty() ? "" : " ").append(codes[i]).append(':').append(counts[i]);
        }
        return out.toString();
    }
}
