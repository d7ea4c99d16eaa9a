package dev.pgproxy.protocol.sql;

/**
 * What a byte can begin or continue in PostgreSQL's lexer, as tables over the 256 byte values. Bytes from 0x80 are
 * letters of identifiers in every server-safe encoding. Immutable.
 */
final class CharClass {
    static final byte OTHER = 0;
    static final byte SPACE = 1;
    static final byte LETTER = 2;
    /** A letter that may begin a literal: b, e, n, u, x in either case. */
    static final byte PREFIX = 3;

    static final byte DIGIT = 4;
    static final byte QUOTE = 5;
    static final byte DOUBLE_QUOTE = 6;
    static final byte DOLLAR = 7;
    static final byte SELF = 8;
    static final byte DOT = 9;
    static final byte COLON = 10;
    static final byte OPERATOR = 11;

    private static final byte[] CLASSES = new byte[256];
    private static final byte[] FOLDED = new byte[256];

    static {
        mark(" \t\n\r\f\u000b", SPACE);
        mark("(),;[]", SELF);
        mark("~!@#^&|`?+-*/%<>=", OPERATOR);
        mark("0123456789", DIGIT);
        mark("'", QUOTE);
        mark("\"", DOUBLE_QUOTE);
        mark("$", DOLLAR);
        mark(".", DOT);
        mark(":", COLON);
        for (int c = 0; c < 256; c++) {
            boolean upper = c >= 'A' && c <= 'Z';
            if (upper || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80) {
                CLASSES[c] = LETTER;
                FOLDED[c] = (byte) (upper ? c + 32 : c);
            } else if ((c >= '0' && c <= '9') || c == '$') {
                FOLDED[c] = (byte) c;
            }
        }
        mark("bBeEnNuUxX", PREFIX);
    }

    private CharClass() {}

    private static void mark(String characters, byte charClass) {
        for (int i = 0; i < characters.length(); i++) {
            CLASSES[characters.charAt(i)] = charClass;
        }
    }

    static byte of(byte b) {
        return CLASSES[b & 0xff];
    }

    /** The byte in lower case (ASCII letters only) if it may continue an identifier, else 0. */
    static byte folded(byte b) {
        return FOLDED[b & 0xff];
    }

    static boolean isIdentifierStart(byte b) {
        byte c = of(b);
        return c == LETTER || c == PREFIX;
    }

    static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    static boolean isNewline(byte b) {
        return b == '\n' || b == '\r';
    }
}
