package dev.pgproxy.protocol.sql;

import io.netty.buffer.ByteBuf;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the values that pick the rows of a text ({@link ValuePlaces}), and makes a keyed hash of those that are literals. To be
 * reused; reading allocates nothing unless a text is longer than any before it. Confined to one thread.
 */
public final class ValueReader {
    private static final long FACTOR = new SecureRandom().nextLong() | 1;

    /** Values that are told apart by their column; those behind are not left out, whatever they are compared with. */
    private static final int MOST = 32;

    /** What a value stands behind. */
    private enum Role {
        /** Nothing that picks rows. */
        NONE,
        KEY,
        /** IN, until it is seen what of. */
        LIST,
        ARRAY,
        SIZE
    }

    /** How much of {@code value = column} has come. */
    private enum Turned {
        NOTHING,
        VALUE,
        EQUALS,
        COLUMN
    }

    private final SqlScanner scanner = new SqlScanner();
    private final long[] columns = new long[MOST];
    private final long[] values = new long[MOST];
    private final int[] starts = new int[MOST];
    private final int[] ends = new int[MOST];
    private final long[] sized = new long[MOST];
    private int keyCount;
    private int sizedCount;
    private Role role = Role.NONE;
    private long column;
    private int columnStart;
    private int columnEnd;
    private boolean afterComma;
    private Turned turned = Turned.NOTHING;
    private int turnedParameter;
    private int turnedStart;
    private int turnedEnd;

    /** Whether the AND of a BETWEEN has not come yet. */
    private boolean between;

    private long mixed;
    private long keys;
    private long parameters;
    private long listed;
    private boolean hasKey;
    private boolean hasList;
    private boolean hasArray;
    private boolean batch;

    /** A hash of the bytes; nobody outside of this process can make two meet. */
    public static long hash(long before, ByteBuf buf, int from, int to) {
        long hash = before;
        int at = from;
        for (; at + Long.BYTES <= to; at += Long.BYTES) {
            hash = mix(hash, buf.getLongLE(at));
        }
        long rest = 0;
        for (; at < to; at++) {
            rest = rest << 8 | buf.getByte(at) & 0xff;
        }
        return mix(mix(hash, rest), to - from);
    }

    /** One word more. */
    public static long mix(long hash, long word) {
        long product = (hash ^ word) * FACTOR;
        return product ^ product >>> 32;
    }

    /** Reads a text without its terminating zero. */
    public void read(ByteBuf text, int index, int length, boolean standardConformingStrings) {
        scanner.reset(text, index, length, standardConformingStrings);
        read();
    }

    /** Reads a text without its terminating zero, once for all of its shape. */
    public ValuePlaces places(byte[] text, boolean standardConformingStrings) {
        scanner.reset(text, 0, text.length, standardConformingStrings);
        read();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < keyCount; i++) {
            String name = isSized(columns[i]) ? null : SqlText.decodeIdentifier(text, starts[i], ends[i]);
            if (name != null) {
                names.add(name);
            }
        }
        return new ValuePlaces(keys, Long.bitCount(parameters & ~listed), hasList, hasArray, hasKey, names);
    }

    /** Whether an IN list has several literals. */
    public boolean isBatch() {
        return batch;
    }

    /** The hash of the literals that pick rows. */
    public long literals() {
        return mixed;
    }

    private void read() {
        keyCount = 0;
        sizedCount = 0;
        role = Role.NONE;
        between = false;
        afterComma = false;
        turned = Turned.NOTHING;
        mixed = FACTOR;
        keys = 0;
        parameters = 0;
        listed = 0;
        hasKey = false;
        hasList = false;
        hasArray = false;
        batch = false;
        for (int type = scanner.next(); type != TokenType.END; type = scanner.next()) {
            accept(type);
        }
        turned();
        finish();
    }

    private void accept(int type) {
        switch (type) {
            case TokenType.WORD -> word();
            case TokenType.QUOTED -> name();
            case TokenType.OPERATOR -> operator();
            case TokenType.STRING, TokenType.NUMBER, TokenType.BIT_STRING -> constant(0);
            case TokenType.PARAMETER -> constant(number());
            case ')' -> close();
            case ',' -> {
                turned();
                afterComma = true;
            }
            case '.', '(' -> turned = turned == Turned.COLUMN ? Turned.EQUALS : turned;
            default -> turned();
        }
    }

    private void close() {
        turned();
        if (role == Role.LIST || role == Role.ARRAY) {
            role = Role.NONE;
        }
        afterComma = false;
    }

    private void name() {
        boolean isTurned = turned == Turned.EQUALS;
        if (!isTurned) {
            turned();
        }
        if (role == Role.NONE || isTurned) {
            column = scanner.hash();
            columnStart = scanner.start();
            columnEnd = scanner.end();
        }
        turned = isTurned ? Turned.COLUMN : Turned.NOTHING;
    }

    /** Where {@code value = column} is over, the value picks rows. */
    private void turned() {
        boolean isWhole = turned == Turned.COLUMN;
        turned = Turned.NOTHING;
        if (isWhole) {
            key(turnedParameter, turnedStart, turnedEnd);
        }
    }

    private void word() {
        byte[] text = scanner.text();
        int from = scanner.start();
        Role next = switch (scanner.end() - from) {
            case 2 -> is(text, from, "in") ? Role.LIST : noneIf(is(text, from, "or") || is(text, from, "on"));
            case 3 ->
                is(text, from, "any") && role == Role.KEY ? Role.ARRAY : noneIf(is(text, from, "and") && !between());
            case 4 ->
                is(text, from, "like")
                        ? Role.KEY
                        : is(text, from, "next") ? Role.SIZE : noneIf(is(text, from, "from") || is(text, from, "when"));
            case 5 ->
                is(text, from, "limit") || is(text, from, "first")
                        ? Role.SIZE
                        : is(text, from, "ilike")
                                ? Role.KEY
                                : noneIf(is(text, from, "where") || is(text, from, "order") || is(text, from, "group"));
            case 6 ->
                is(text, from, "offset") ? Role.SIZE : noneIf(is(text, from, "select") || is(text, from, "having"));
            case 7 -> is(text, from, "between") ? ranges() : null;
            default -> null;
        };
        if (next == null) {
            name();
        } else {
            turned();
            role = next;
            afterComma = false;
        }
    }

    private static @Nullable Role noneIf(boolean ends) {
        return ends ? Role.NONE : null;
    }

    /** Whether this AND is that of a BETWEEN. */
    private boolean between() {
        boolean is = between;
        between = false;
        return is;
    }

    private Role ranges() {
        between = true;
        return sizes();
    }

    private static boolean is(byte[] text, int from, String word) {
        for (int i = 0; i < word.length(); i++) {
            if ((text[from + i] | 0x20) != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private Role sizes() {
        if (sizedCount < MOST) {
            sized[sizedCount++] = column;
        }
        return Role.SIZE;
    }

    private void operator() {
        byte[] text = scanner.text();
        int from = scanner.start();
        int length = scanner.end() - from;
        byte first = text[from];
        boolean isTurned = turned == Turned.VALUE;
        turned();
        if (length == 1 && first == '=' || first == '~') {
            role = Role.KEY;
            turned = isTurned && first == '=' ? Turned.EQUALS : Turned.NOTHING;
        } else if (first == '<' && (length == 1 || text[from + 1] == '=')
                || first == '>' && (length == 1 || text[from + 1] == '=')) {
            role = isTurned ? Role.SIZE : sizes();
        } else if (first == '<' || first == '!') {
            role = Role.NONE;
        }
    }

    private int number() {
        byte[] text = scanner.text();
        int number = 0;
        for (int i = scanner.start() + 1; i < scanner.end(); i++) {
            number = Math.min(number * 10 + text[i] - '0', 1 << 16);
        }
        return number;
    }

    /** A literal, or the parameter of a number. */
    private void constant(int parameter) {
        turned();
        long bit = bit(parameter);
        parameters |= bit;
        switch (role) {
            case NONE -> {
                turned = Turned.VALUE;
                turnedParameter = parameter;
                turnedStart = scanner.start();
                turnedEnd = scanner.end();
            }
            case SIZE -> {}
            case ARRAY -> {
                hasArray = true;
                hasKey = true;
            }
            case LIST -> {
                hasList = true;
                listed |= bit;
                batch |= afterComma && parameter == 0;
                key(parameter, scanner.start(), scanner.end());
            }
            case KEY -> key(parameter, scanner.start(), scanner.end());
        }
    }

    private static long bit(int parameter) {
        return parameter > 0 && parameter <= Long.SIZE ? 1L << parameter - 1 : 0;
    }

    private void key(int parameter, int from, int to) {
        hasKey = true;
        keys |= bit(parameter);
        long value = parameter > 0 ? ~bit(parameter) : literal(from, to);
        if (keyCount < MOST) {
            columns[keyCount] = column;
            starts[keyCount] = columnStart;
            ends[keyCount] = columnEnd;
            values[keyCount++] = value;
        } else if (parameter == 0) {
            mixed = mix(mixed, value);
        }
    }

    private long literal(int from, int to) {
        byte[] text = scanner.text();
        long hash = 0;
        for (int i = from; i < to; i++) {
            hash = mix(hash, text[i]);
        }
        return hash;
    }

    private boolean isSized(long of) {
        for (int i = 0; i < sizedCount; i++) {
            if (sized[i] == of) {
                return true;
            }
        }
        return false;
    }

    /** Leaves out what is compared with columns that are compared by size, too. */
    private void finish() {
        boolean any = keyCount == MOST;
        for (int i = 0; i < keyCount; i++) {
            boolean paged = isSized(columns[i]);
            boolean parameter = Long.bitCount(~values[i]) == 1;
            if (paged) {
                keys &= parameter ? values[i] : -1L;
            } else {
                any = true;
                mixed = parameter ? mixed : mix(mixed, values[i]);
            }
        }
        hasKey = any || hasArray;
        Arrays.fill(values, 0, keyCount, 0); // nothing of a value stays
    }
}
