package dev.pgproxy.protocol.sql;

/** The rules of scan.l for numbers and operators, over a text with a zero byte behind it. Immutable. */
final class LexRules {
    private LexRules() {}

    /** Behind decimal digits, which may be separated by single underscores. */
    static int skipDigits(byte[] bytes, int from) {
        int at = from;
        while (CharClass.isDigit(bytes[at])
                || (bytes[at] == '_' && at > from && CharClass.isDigit(bytes[at + 1]) && bytes[at - 1] != '_')) {
            at++;
        }
        return at;
    }

    /** Behind the digits after {@code 0x}, {@code 0o} or {@code 0b}. */
    static int skipRadixDigits(byte[] bytes, int from, int radixLetter) {
        int radix = radixLetter == 'x' ? 16 : radixLetter == 'o' ? 8 : 2;
        int at = from;
        while (Character.digit(bytes[at], radix) >= 0 || (bytes[at] == '_' && bytes[at - 1] != '_')) {
            at++;
        }
        return at;
    }

    /** Behind an exponent with its digits; without digits the letter begins another token. */
    static int skipExponent(byte[] bytes, int from) {
        if ((bytes[from] | 0x20) != 'e') {
            return from;
        }
        int at = from + 1;
        if (bytes[at] == '+' || bytes[at] == '-') {
            at++;
        }
        return CharClass.isDigit(bytes[at]) ? skipDigits(bytes, at) : from;
    }

    /** An operator may end in + or - only if it contains one of these characters. */
    static boolean allowsTrailingSign(byte b) {
        return switch (b) {
            case '~', '!', '@', '#', '^', '&', '|', '`', '?', '%' -> true;
            default -> false;
        };
    }

    /** Whether a comment starts here, which ends an operator. */
    static boolean startsComment(byte[] bytes, int at) {
        return (bytes[at] == '-' && bytes[at + 1] == '-') || (bytes[at] == '/' && bytes[at + 1] == '*');
    }
}
