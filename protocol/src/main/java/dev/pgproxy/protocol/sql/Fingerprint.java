package dev.pgproxy.protocol.sql;

/**
 * A 128-bit hash of the tokens seen so far, in two lanes of multiply-and-fold. Words count folded, literals and
 * parameters only by their type (and whether they are {@link TimeInput} or a {@link SettingName}), white space and comments not at all. Literals and parameters with nothing but commas
 * between them count as the first of them, so that lists of any length are one. With seed 0 it is stable between processes and
 * versions of this class; whoever trusts equality although clients choose the bytes gives a secret seed. Confined to
 * its event loop.
 */
final class Fingerprint {
    /** Eight bytes of a token that goes on. */
    static final int PART = 16;
    /** A quoted identifier with Unicode escapes, taken as written. */
    static final int UNICODE = 17;

    /** The literal before may stand for the moment: such a text does not mean the same as others. */
    static final int TIME = 18;
    /** The literal before names a parameter of the users' own. */
    static final int SETTING = 19;

    private static final int TAGS = 128;
    private static final long[] HIGH_KEYS = new long[TAGS];
    private static final long[] LOW_KEYS = new long[TAGS];

    private final long highSeed;
    private final long lowSeed;
    private long high;
    private long low;

    /** What was before the last comma, if a constant was. */
    private long highBeforeComma;

    private long lowBeforeComma;
    private boolean commaBehindConstant;

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

    /** Adds a token that its type says all about, behind a token of the previous type. */
    void follow(int previousTag, int tag) {
        if (tag == ',') {
            commaBehindConstant = isConstant(previousTag);
            highBeforeComma = high;
            lowBeforeComma = low;
        } else if (previousTag == ',' && commaBehindConstant && isConstant(tag)) {
            high = highBeforeComma;
            low = lowBeforeComma;
            return;
        }
        add(tag, 0L);
    }

    private static boolean isConstant(int tag) {
        return tag >= TokenType.STRING && tag <= TokenType.PARAMETER;
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
