package dev.pgproxy.protocol.sql;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Eight bytes of a text in one long, the first in the highest place: how many of them go on with an identifier, and
 * what they are in lower case, without a branch per byte. Immutable.
 */
final class EightBytes {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private static final long ONES = 0x0101010101010101L;
    private static final long TOPS = 0x8080808080808080L;
    private static final long LOWS = 0x7f7f7f7f7f7f7f7fL;

    private EightBytes() {}

    /** The bytes from an offset; the array must go on for eight bytes. */
    static long read(byte[] bytes, int at) {
        return (long) LONGS.get(bytes, at);
    }

    /** How many bytes, from the first, may continue an identifier: letters, digits, _, $ and all from 0x80. */
    static int identifierLength(long word) {
        long low = word & LOWS;
        long known = word | letters(low) | between(low, '0', '9') | equal(low, '_') | equal(low, '$');
        return Long.numberOfLeadingZeros(~known & TOPS) >>> 3;
    }

    /** The bytes with A to Z in lower case. */
    static long folded(long word) {
        long upper = letters(word & LOWS) & ~word & ~(word << 2) & TOPS;
        return word | (upper >>> 2);
    }

    private static long letters(long low) {
        return between(low | (0x20 * ONES), 'a', 'z');
    }

    /** The top bit of each byte that lies in a range; the bytes are below 0x80. */
    private static long between(long low, int first, int last) {
        return (low + (0x80 - first) * ONES) & ~(low + (0x7f - last) * ONES) & TOPS;
    }

    private static long equal(long low, int value) {
        return ~((low ^ (value * ONES)) + LOWS) & TOPS;
    }
}
