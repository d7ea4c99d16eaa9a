package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where the comments of a text are, as a {@link SqlScanner} passes them, and what the text is without those that mean
 * nothing. Drivers put the identity of a request into comments (sqlcommenter), so that no two texts would be the same.
 * Confined to its event loop.
 */
final class Comments {
    /** What a comment for us begins with. */
    private static final byte[] HINT = "pgproxy:".getBytes(US_ASCII);

    private static final byte[] PLANNER = {'/', '*', '+'};

    /** Of {@link #places}; a text with more comments is left as it is. */
    private static final int MOST = 3 * 4 * 64;

    /** Start, end and whether it stays, one after the other. */
    private int[] places = new int[3 * 4];

    private int size;
    private boolean tooMany;
    private int hintStart = -1;
    private int hintEnd;

    void clear() {
        size = 0;
        tooMany = false;
        hintStart = -1;
    }

    /** A comment was passed, behind those before; the first that begins with the mark is for us, and stays. */
    void add(byte[] text, int start, int end, int contentEnd) {
        int at = start + 2;
        while (at < contentEnd && CharClass.of(text[at]) == CharClass.SPACE) {
            at++;
        }
        boolean hint = hintStart < 0
                && contentEnd - at >= HINT.length
                && Arrays.equals(text, at, at + HINT.length, HINT, 0, HINT.length);
        if (hint) {
            hintStart = at + HINT.length;
            hintEnd = contentEnd;
        }
        add(start, end, hint);
    }

    /** What stands behind {@code pgproxy:} in the first comment that begins so; null if there is none. */
    @Nullable
    String hint(byte[] text) {
        return hintStart < 0 ? null : new String(text, hintStart, hintEnd - hintStart, UTF_8);
    }

    /** The same of one of which it is known whether it stays. */
    void add(int start, int end, boolean stays) {
        if (size == MOST) {
            tooMany = true;
            return;
        }
        if (size == places.length) {
            places = Arrays.copyOf(places, 2 * size);
        }
        places[size++] = start;
        places[size++] = end;
        places[size++] = stays ? 1 : 0;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** Where a comment begins, and behind its end. */
    @FunctionalInterface
    interface Place {
        void at(int from, int to);
    }

    /** The insides of block comments. */
    void forEachBlock(byte[] text, Place place) {
        for (int i = 0; i < size; i += 3) {
            if (text[places[i]] == '/' && places[i + 1] - places[i] >= 4) {
                place.at(places[i] + 2, places[i + 1] - 2);
            }
        }
    }

    /**
     * The text without comments, and a zero at its end. To PostgreSQL it is the same text: of a comment to the end of its
     * line the end stays, and a block leaves a space where two words would be one. Null if there is nothing, or too much, to leave out, or if it
     * would not be the same: where a hint of an extension for the planner, <code>/*+ … *&#47;</code>, is anywhere, and
     * where a block keeps two literals apart that would be one without it.
     */
    byte @Nullable [] leftOut(byte[] text, int length) {
        if (tooMany) {
            return null;
        }
        Rest rest = new Rest(text, length);
        int from = 0;
        for (int i = 0; i < size; i += 3) {
            int start = places[i];
            int end = places[i + 1];
            if (places[i + 2] != 0) {
                continue;
            }
            if (hasPlannerHint(text, start, end) || !rest.copy(from, start)) {
                return null;
            }
            rest.gap |= text[start] == '/';
            from = end;
        }
        return from == 0 || !rest.copy(from, length) ? null : rest.terminated();
    }

    private static boolean hasPlannerHint(byte[] text, int start, int end) {
        for (int at = start; at + PLANNER.length <= end; at++) {
            if (text[at] == '/' && Arrays.equals(text, at, at + PLANNER.length, PLANNER, 0, PLANNER.length)) {
                return true;
            }
        }
        return false;
    }

    /** What stays of a text. */
    private static final class Rest {
        private final byte[] text;
        private final byte[] bytes;
        private int length;

        /** Whether a block was left out behind what is here. */
        private boolean gap;

        /** Whether that was behind a quote, and nothing but white space and comments since. */
        private boolean split;

        Rest(byte[] text, int most) {
            this.text = text;
            this.bytes = new byte[most + 1];
        }

        /** Goes on with this part; false if it would be another text then. */
        boolean copy(int from, int to) {
            if (from == to) {
                return true;
            }
            if (gap) {
                split |= isBehindQuote();
                if (length > 0 && !standsAlone(bytes[length - 1]) && !standsAlone(text[from])) {
                    bytes[length++] = ' ';
                }
                gap = false;
            }
            int next = from;
            while (next < to && isSpace(text[next])) {
                next++;
            }
            if (next < to) {
                if (split && (text[next] == '\'' || text[next] == '-' && text[next + 1] == '-')) {
                    return false; // two dashes: a comment that stays
                }
                split = false;
            }
            System.arraycopy(text, from, bytes, length, to - from);
            length += to - from;
            return true;
        }

        private boolean isBehindQuote() {
            int last = length - 1;
            while (last >= 0 && isSpace(bytes[last])) {
                last--;
            }
            return last >= 0 && bytes[last] == '\'';
        }

        byte[] terminated() {
            return Arrays.copyOf(bytes, length + 1);
        }

        /** Whether it is no token with what is beside it, whatever that is. */
        private static boolean standsAlone(byte b) {
            return isSpace(b) || CharClass.of(b) == CharClass.SELF;
        }

        private static boolean isSpace(byte b) {
            return CharClass.of(b) == CharClass.SPACE;
        }
    }
}
