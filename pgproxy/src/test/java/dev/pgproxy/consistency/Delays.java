package dev.pgproxy.consistency;

import java.util.Arrays;
import java.util.Locale;

/**
 * How long writes past the proxy were not seen through it: for each, from its answer to the sending of the last read that did
 * not have it, 0 if there was none. Nanoseconds. Immutable.
 *
 * @param writes how many were acknowledged
 */
record Delays(long writes, long missed, long most99, long longest) {
    static Delays of(long[] all) {
        long[] sorted = all.clone();
        Arrays.sort(sorted);
        int count = sorted.length;
        return count == 0
                ? new Delays(0, 0, 0, 0)
                : new Delays(
                        count,
                        Arrays.stream(sorted).filter(delay -> delay > 0).count(),
                        sorted[(int) (count * 0.99)],
                        sorted[count - 1]);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%d writes past the proxy, of which %d were missed by a read: delay 99 %% within %.1f ms, longest %.1f ms",
                writes,
                missed,
                most99 / 1e6,
                longest / 1e6);
    }
}
