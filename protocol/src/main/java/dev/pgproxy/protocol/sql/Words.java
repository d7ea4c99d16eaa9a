package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A hash table from words to small numbers, probed with a token's {@link WordHash} and its bytes, without allocation.
 * {@link #KEYWORDS} holds every keyword of PostgreSQL and the names of {@link Word}. Filled once, then immutable.
 */
final class Words {
    /** Not in the table. */
    static final int ABSENT = -1;

    private static final Word[] WORDS = Word.values();
    private static final Words KEYWORDS = keywords();

    private final long[] hashes;
    private final byte[][] words;
    private final int[] values;
    private final int shift;

    Words(int expected) {
        int capacity = Integer.highestOneBit(Math.max(expected, 8)) << 2;
        hashes = new long[capacity];
        words = new byte[capacity][];
        values = new int[capacity];
        Arrays.fill(values, ABSENT);
        shift = Long.numberOfLeadingZeros(capacity - 1L);
    }

    /** Adds a word; the last value given for it counts. */
    void put(String word, int value) {
        byte[] bytes = word.getBytes(US_ASCII);
        long hash = WordHash.of(bytes, 0, bytes.length, false);
        int slot = slot(hash);
        while (values[slot] != ABSENT && !Arrays.equals(words[slot], bytes)) {
            slot = (slot + 1) & (hashes.length - 1);
        }
        hashes[slot] = hash;
        words[slot] = bytes;
        values[slot] = value;
    }

    /** The value of the word between the offsets, or {@link #ABSENT}; letters are folded if asked. */
    int get(long hash, byte[] text, int from, int to, boolean fold) {
        int slot = slot(hash);
        for (long found = hashes[slot]; found != 0; found = hashes[slot]) {
            if (found == hash && (hash > 0 || matches(words[slot], text, from, to, fold))) {
                return values[slot];
            }
            slot = (slot + 1) & (hashes.length - 1);
        }
        return ABSENT;
    }

    private int slot(long hash) {
        return (int) ((hash * 0x9E3779B97F4A7C15L) >>> shift);
    }

    private static boolean matches(byte[] word, byte[] text, int from, int to, boolean fold) {
        if (word.length != to - from) {
            return false;
        }
        for (int i = 0; i < word.length; i++) {
            if (word[i] != (fold ? CharClass.folded(text[from + i]) : text[from + i])) {
                return false;
            }
        }
        return true;
    }

    /** What an unquoted word is. */
    static Word of(long hash, byte[] text, int from, int to) {
        int found = KEYWORDS.get(hash, text, from, to, true);
        return found == ABSENT ? Word.NONE : WORDS[found];
    }

    /** What a quoted identifier without doubled quotes is, between its quotes: a name, never a keyword. */
    static Word ofQuoted(long hash, byte[] text, int from, int to) {
        int found = KEYWORDS.get(hash, text, from, to, false);
        return found == ABSENT || WORDS[found].keyword ? Word.NONE : WORDS[found];
    }

    /** What an identifier that had to be decoded is. */
    static Word ofName(String name) {
        byte[] bytes = name.getBytes(UTF_8);
        return ofQuoted(WordHash.of(bytes, 0, bytes.length, false), bytes, 0, bytes.length);
    }

    @SuppressWarnings("EnumOrdinal") // the table holds small numbers
    private static Words keywords() {
        List<String> lines = lines("keywords.txt");
        Words table = new Words(lines.size() + WORDS.length);
        for (String line : lines) {
            int blank = line.indexOf(' ');
            table.put(line.substring(0, blank), group(line.charAt(blank + 1)).ordinal());
        }
        for (Word word : WORDS) {
            if (!word.group) {
                table.put(word.text(), word.ordinal());
            }
        }
        return table;
    }

    private static Word group(char category) {
        return switch (category) {
            case 'R' -> Word.OTHER_RESERVED;
            case 'C' -> Word.OTHER_COLUMN_NAME;
            case 'T' -> Word.OTHER_TYPE_FUNCTION;
            case 'U' -> Word.OTHER_UNRESERVED;
            default -> throw new IllegalStateException("category " + category);
        };
    }

    /** The lines of a resource of this package, without those that begin with #. */
    static List<String> lines(String resource) {
        try (InputStream in = Words.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("missing resource " + resource);
            }
            List<String> lines = new ArrayList<>();
            BufferedReader reader = new BufferedReader(new InputStreamReader(in, US_ASCII));
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!line.startsWith("#")) {
                    lines.add(line);
                }
            }
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
