package dev.pgproxy.protocol.sql;

/**
 * A 128-bit hash of the tokens seen so far, in two lanes of multiply-and-fold. Words count folded, literals and
 * parameters only by their type, white space and comments not at all. With seed 0 it is stable between processes and
 * versions of this class; whoever trusts equality although clients choose the bytes gives a secret seed. Confined to
 * its event loop.
 */
final class Fingerprint {
    /** Eight bytes of a token that goes on. */
    static final int PART = 16;
    /** A quoted identifier with Unicode escapes, taken as written. */
    static final int UNICODE = 17;

    private static final int TAGS = 128;
    private static final long[] HIGH_KEYS = new long[TAGS];
    private static final long[] LOW_KEYS = new long[TAGS];

    private final long highSeed;
    private final long lowSeed;
    private long high;
    private long low;

    static {
        for (int tag = 0; tag < TAGS; tag++) {
            HIGH_KEYS[tag] = scramble(2 * tag + 1) | 1;
            LOW_KEYS[tag] = scramble(2 * tag + 2) | 1;
        }
    }

    Fingerprint(long seed) {
        highSeed = scramble(seed + 0x243F6A8885A308D3L);
        lowSeed = scramble(seed + 0x13198A2E03707344L);
        reset();
    }

    void reset() {
        high = highSeed;
        low = lowSeed;
    }

    void add(int tag, long word) {
        high = fold(high ^ word, HIGH_KEYS[tag]);
        low = fold(low + word, LOW_KEYS[tag]);
    }

    long high() {
        return scramble(high);
    }

    long low() {
        return scramble(low);
    }

    private static long fold(long a, long b) {
        return Math.multiplyHigh(a, b) ^ (a * b);
    }

    /** The finaliser of SplitMix64: every bit of the result depends on every bit given. */
    private static long scramble(long value) {
        long mixed = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
