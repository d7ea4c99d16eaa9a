package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Between values and their spelling in SQL: quoting as quote_literal and quote_identifier do it, decoding as the lexer
 * does it (manual, 4.1 Lexical Structure). Decoders return null where the bytes are not UTF-8 or an escape is invalid.
 * Immutable.
 */
public final class SqlText {
    /** NAMEDATALEN - 1: longer identifiers are cut. */
    static final int MAX_IDENTIFIER_BYTES = 63;

    private SqlText() {}

    /** A literal that means this text whatever standard_conforming_strings is. */
    public static String quoteLiteral(String text) {
        String doubled = text.replace("'", "''");
        return doubled.indexOf('\\') < 0 ? "'" + doubled + "'" : "E'" + doubled.replace("\\", "\\\\") + "'";
    }

    /** The identifier, in quotes unless it is plain lower-case ASCII and no keyword at all. */
    public static String quoteIdentifier(String identifier) {
        boolean plain = !identifier.isEmpty() && !Character.isDigit(identifier.charAt(0));
        for (int i = 0; plain && i < identifier.length(); i++) {
            char c = identifier.charAt(i);
            plain = (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9');
        }
        if (plain) {
            byte[] bytes = identifier.getBytes(UTF_8);
            long hash = WordHash.of(bytes, 0, bytes.length, true);
            plain = !Words.of(hash, bytes, 0, bytes.length).keyword;
        }
        return plain ? identifier : "\"" + identifier.replace("\"", "\"\"") + "\"";
    }

    /** The name that a word or quoted identifier between the offsets means, without UESCAPE; null if its quote is open. */
    public static @Nullable String decodeIdentifier(byte[] text, int from, int to) {
        byte first = text[from];
        boolean unicode = (first == 'u' || first == 'U') && to - from > 2 && text[from + 1] == '&';
        int open = unicode ? from + 3 : from + 1;
        byte[] name;
        if ((first == '"' || unicode) && (to <= open || text[to - 1] != '"')) {
            return null;
        } else if (first == '"') {
            name = undouble(text, open, to - 1);
        } else if (unicode) {
            byte[] decoded = unicodeEscapes(undouble(text, open, to - 1));
            if (decoded == null) {
                return null;
            }
            name = decoded;
        } else {
            name = new byte[to - from];
            for (int i = 0; i < name.length; i++) {
                name[i] = CharClass.folded(text[from + i]);
            }
        }
        return utf8(name, clip(name));
    }

    /** The value that a string literal between the offsets means, without UESCAPE; null if it is not whole. */
    public static @Nullable String decodeString(byte[] text, int from, int to, boolean standardConformingStrings) {
        byte first = text[from];
        if (first == '$') {
            int tag = from + 1;
            while (text[tag] != '$') {
                tag++;
            }
            int delimiter = tag + 1 - from;
            if (to - from < 2 * delimiter || text[to - 1] != '$') {
                return null;
            }
            byte[] body = Arrays.copyOfRange(text, from + delimiter, to - delimiter);
            return utf8(body, body.length);
        }
        boolean unicode = first == 'u' || first == 'U';
        boolean escape = first == 'e' || first == 'E' || (!unicode && !standardConformingStrings);
        int quote = from;
        while (text[quote] != '\'') {
            quote++;
        }
        byte[] value = new StringReading(text, to, escape).read(quote + 1);
        if (value != null && unicode) {
            value = unicodeEscapes(value);
        }
        return value == null ? null : utf8(value, value.length);
    }

    /** The bytes as text that gives the same bytes back, or null. */
    static @Nullable String utf8(byte[] bytes, int length) {
        return utf8(bytes, 0, length);
    }

    static @Nullable String utf8(byte[] bytes, int from, int length) {
        try {
            return UTF_8.newDecoder()
                    .decode(ByteBuffer.wrap(bytes, from, length))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    /** The length of an identifier after truncation, which never cuts a character. */
    private static int clip(byte[] name) {
        int length = Math.min(name.length, MAX_IDENTIFIER_BYTES);
        while (length < name.length && length > 0 && (name[length] & 0xC0) == 0x80) {
            length--;
        }
        return length;
    }

    private static byte[] undouble(byte[] text, int from, int to) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(to - from);
        for (int at = from; at < to; at++) {
            out.write(text[at]);
            if (text[at] == '"') {
                at++;
            }
        }
        return out.toByteArray();
    }

    private static byte @Nullable [] unicodeEscapes(byte[] value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(value.length);
        StringBuilder units = new StringBuilder();
        int at = 0;
        while (at < value.length) {
            if (value[at] != '\\') {
                StringReading.flush(units, out);
                out.write(value[at++]);
            } else if (at + 1 < value.length && value[at + 1] == '\\') {
                StringReading.flush(units, out);
                out.write('\\');
                at += 2;
            } else {
                boolean six = at + 1 < value.length && value[at + 1] == '+';
                int digits = six ? at + 2 : at + 1;
                int count = six ? 6 : 4;
                int code = StringReading.hex(value, digits, count, value.length);
                if (code <= 0 || code > Character.MAX_CODE_POINT) {
                    return null;
                }
                units.appendCodePoint(code);
                at = digits + count;
            }
        }
        StringReading.flush(units, out);
        return out.toByteArray();
    }
}
