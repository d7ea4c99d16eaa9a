package dev.pgproxy.protocol.sql;

/**
 * A 64-bit value of a word for hash tables: exact for words of up to seven bytes (the packed bytes themselves), mixed
 * for longer ones, where a table compares the bytes as well. Not keyed, so equality of long words proves nothing.
 * Immutable.
 */
final class WordHash {
    private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;

    /** Set for words of eight bytes and more, whose hashes are not exact. */
    static final long LONG = 1L << 63;

    private WordHash() {}

    static long combine(long combined, long packed) {
        long mixed = (combined ^ packed) * MULTIPLIER;
        return mixed ^ (mixed >>> 29);
    }

    static long finish(long combined, long packed, int length) {
        return length < 8 ? packed : combine(combined, packed + length) | LONG;
    }

    static long of(byte[] bytes, int from, int to, boolean fold) {
        long packed = 0;
        long combined = 0;
        for (int at = from; at < to; at++) {
            byte b = fold ? CharClass.folded(bytes[at]) : bytes[at];
            packed = (packed << 8) | (b & 0xff);
            if (((at - from) & 7) == 7) {
                combined = combine(combined, packed);
                packed = 0;
            }
        }
        return finish(combined, packed, to - from);
    }
}
