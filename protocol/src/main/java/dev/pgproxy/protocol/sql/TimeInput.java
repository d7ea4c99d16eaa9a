package dev.pgproxy.protocol.sql;

import java.nio.charset.StandardCharsets;

/**
 * The words that the input of date and time types takes for the start of the transaction: a constant that holds one may mean
 * something else each time. Finds too much rather than too little. Stateless. Source: src/backend/utils/adt/datetime.c
 * (datetktbl).
 */
public final class TimeInput {
    /** Bytes; a date is not as long. */
    private static final int LONGEST = 64;

    private static final byte[][] WORDS = {
        {'n', 'o', 'w'},
        {'t', 'o', 'd', 'a', 'y'},
        {'t', 'o', 'm', 'o', 'r', 'r', 'o', 'w'},
        {'y', 'e', 's', 't', 'e', 'r', 'd', 'a', 'y'}
    };

    private TimeInput() {}

    /** Whether a string constant, as it is written, may hold one. */
    public static boolean mayBeIn(byte[] text, int from, int to) {
        if (to - from > LONGEST) {
            return false;
        }
        boolean escapes = text[from] != '\'' && text[from] != '$';
        boolean quoted = false;
        for (int i = from; i < to; i++) {
            byte b = text[i];
            if (escapes && b == '\\' && i + 1 < to && "'\\bfnrt".indexOf(text[i + 1]) < 0 || quoted && b == '\n') {
                return true; // a letter may be spelled in any way, and a constant go on in the next line
            }
            quoted = b == '\'' ? i > from + 1 : quoted && b == ' ';
            for (byte[] word : WORDS) {
                if ((b | 0x20) == word[0] && isWord(text, from, to, i, word)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether a parameter's value may hold one. */
    public static boolean isIn(String value) {
        byte[] quoted = ("'" + value).getBytes(StandardCharsets.UTF_8);
        return mayBeIn(quoted, 0, quoted.length);
    }

    private static boolean isWord(byte[] text, int from, int to, int at, byte[] word) {
        int end = at + word.length;
        if (end > to || at > from && isLetter(text[at - 1]) || end < to && isLetter(text[end])) {
            return false;
        }
        for (int i = 0; i < word.length; i++) {
            if ((text[at + i] | 0x20) != word[i]) {
                return false;
            }
        }
        return true;
    }

    private static boolean isLetter(byte b) {
        int small = b | 0x20;
        return small >= 'a' && small <= 'z';
    }
}
