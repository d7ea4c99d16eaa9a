package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;

/** One reading of a quoted literal that the scanner found to be complete, continuations included. Not shared. */
final class StringReading {
    private final byte[] text;
    private final int limit;
    private final boolean backslashes;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final StringBuilder units = new StringBuilder();
    private int at;

    StringReading(byte[] text, int limit, boolean backslashes) {
        this.text = text;
        this.limit = limit;
        this.backslashes = backslashes;
    }

    /** Reads from behind the first quote; null if an escape is not valid. */
    byte @Nullable [] read(int from) {
        at = from;
        while (at < limit) {
            byte b = text[at++];
            if (b == '\'') {
                if (at < limit && text[at] == '\'') {
                    put(b);
                    at++;
                } else {
                    skipToContinuation();
                }
            } else if (b == '\\' && backslashes && at < limit) {
                if (!escape(text[at++])) {
                    return null;
                }
            } else {
                put(b);
            }
        }
        flush(units, out);
        return out.toByteArray();
    }

    private void skipToContinuation() {
        while (at < limit && text[at] != '\'') {
            if (text[at] == '-') {
                while (at < limit && !CharClass.isNewline(text[at])) {
                    at++;
                }
            } else {
                at++;
            }
        }
        at++;
    }

    private void put(int b) {
        flush(units, out);
        out.write(b);
    }

    private boolean escape(byte b) {
        switch (b) {
            case 'b' -> put('\b');
            case 'f' -> put('\f');
            case 'n' -> put('\n');
            case 'r' -> put('\r');
            case 't' -> put('\t');
            case 'v' -> put(0x0b);
            case 'x' -> hexByte(b);
            case 'u' -> {
                return codePoint(4);
            }
            case 'U' -> {
                return codePoint(8);
            }
            case '0', '1', '2', '3', '4', '5', '6', '7' -> octalByte(b);
            default -> put(b);
        }
        return true;
    }

    private void octalByte(byte first) {
        int value = first - '0';
        for (int i = 0; i < 2 && at < limit && text[at] >= '0' && text[at] <= '7'; i++) {
            value = value * 8 + text[at++] - '0';
        }
        put(value);
    }

    private void hexByte(byte letter) {
        int value = -1;
        for (int i = 0; i < 2 && at < limit && Character.digit(text[at], 16) >= 0; i++) {
            value = Math.max(value, 0) * 16 + Character.digit(text[at++], 16);
        }
        put(value < 0 ? letter : value);
    }

    private boolean codePoint(int digits) {
        int code = hex(text, at, digits, limit);
        at += digits;
        if (code <= 0 || code > Character.MAX_CODE_POINT) {
            return false;
        }
        units.appendCodePoint(code);
        return true;
    }

    /** The value of hexadecimal digits, or -1. */
    static int hex(byte[] text, int from, int count, int limit) {
        if (from + count > limit) {
            return -1;
        }
        long value = 0;
        for (int i = from; i < from + count; i++) {
            int digit = Character.digit(text[i], 16);
            if (digit < 0) {
                return -1;
            }
            value = value * 16 + digit;
        }
        return (int) Math.min(value, Integer.MAX_VALUE);
    }

    /** Escapes may write a character as two surrogates, so they are gathered before they become bytes. */
    static void flush(StringBuilder units, ByteArrayOutputStream out) {
        if (!units.isEmpty()) {
            out.writeBytes(units.toString().getBytes(UTF_8));
            units.setLength(0);
        }
    }
}
