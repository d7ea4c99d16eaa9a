package dev.pgproxy.protocol.sql;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/**
 * A reusable cursor over the tokens of a text, by the rules of PostgreSQL's src/backend/parser/scan.l. It holds a copy
 * of the text and allocates only when a text is longer than any before it. Offsets are bytes from the start of the text. While a token is read its words are
 * packed, eight folded bytes to a long, which serves keyword look-up and {@link #hash}. Confined to its event loop.
 */
public final class SqlScanner {
    private static final int KEPT_CAPACITY = 256 * 1024;
    /** Zero bytes behind the text, so that loops need no bounds check and words can be read eight bytes at a time. */
    private static final int PADDING = 8;

    /** PostgreSQL refuses operators of 64 characters; a bound keeps long runs of signs from costing n * n. */
    private static final int LONGEST_OPERATOR = 128;

    private final Fingerprint fingerprint;
    private final Comments comments = new Comments();
    private byte[] text = new byte[1024];
    private int limit;
    private int position;
    private boolean standardConformingStrings = true;

    private int type;
    private int start;
    private long hash;
    private boolean escaped;
    private boolean unterminated;

    /** A scanner whose fingerprint is not keyed. */
    public SqlScanner() {
        this(new Fingerprint(0));
    }

    SqlScanner(Fingerprint fingerprint) {
        this.fingerprint = fingerprint;
    }

    /** Copies the text; the buffer's indexes are not touched. */
    public void reset(ByteBuf buffer, int index, int length, boolean standardConformingStrings) {
        ensureCapacity(length);
        buffer.getBytes(index, text, 0, length);
        rewind(length, standardConformingStrings);
    }

    /** Copies the text. */
    public void reset(byte[] bytes, int offset, int length, boolean standardConformingStrings) {
        ensureCapacity(length);
        System.arraycopy(bytes, offset, text, 0, length);
        rewind(length, standardConformingStrings);
    }

    /** Reads the same bytes as another scanner, from one offset up to another; nothing is copied. */
    void resetTo(SqlScanner other, int from, int to) {
        text = other.text;
        limit = to;
        position = from;
        standardConformingStrings = other.standardConformingStrings;
        clearToken();
    }

    private void rewind(int length, boolean conforming) {
        Arrays.fill(text, length, length + PADDING, (byte) 0);
        limit = length;
        position = 0;
        standardConformingStrings = conforming;
        fingerprint.reset();
        clearToken();
    }

    private void clearToken() {
        comments.clear();
        type = TokenType.END;
        start = position;
        escaped = false;
        unterminated = false;
    }

    private void ensureCapacity(int length) {
        int needed = length + PADDING;
        boolean tooLarge = text.length > KEPT_CAPACITY && needed <= KEPT_CAPACITY;
        if (text.length < needed || tooLarge) {
            text = new byte
                    [tooLarge || needed > KEPT_CAPACITY ? Math.max(needed, 1024) : Math.min(2 * needed, KEPT_CAPACITY)];
        }
    }

    /** Moves to the next token and returns its {@link TokenType}. */
    public int next() {
        byte[] bytes = text;
        int at = position;
        while (true) {
            byte b = bytes[at];
            byte charClass = CharClass.of(b);
            if (charClass == CharClass.SPACE) {
                at++;
                continue;
            }
            if (at >= limit) {
                return atLimit();
            }
            if (charClass == CharClass.OPERATOR) {
                int after = skipComment(bytes, at, b);
                if (after > at) {
                    at = after;
                    continue;
                }
            }
            start = at;
            return token(bytes, at, b, charClass);
        }
    }

    private int token(byte[] bytes, int at, byte b, byte charClass) {
        return switch (charClass) {
            case CharClass.LETTER -> word(bytes, at);
            case CharClass.SELF -> mark(b, at + 1);
            case CharClass.OPERATOR -> operator(bytes, at);
            case CharClass.PREFIX -> prefixed(bytes, at);
            case CharClass.DIGIT -> number(bytes, at);
            case CharClass.QUOTE -> string(at + 1, !standardConformingStrings);
            case CharClass.DOUBLE_QUOTE -> quoted(bytes, at + 1, false);
            case CharClass.DOLLAR -> dollar(bytes, at);
            case CharClass.DOT -> dot(bytes, at);
            case CharClass.COLON -> colon(bytes, at);
            default -> mark(TokenType.OTHER, at + 1);
        };
    }

    private int dot(byte[] bytes, int at) {
        byte second = at + 1 < limit ? bytes[at + 1] : 0;
        if (CharClass.isDigit(second)) {
            return number(bytes, at);
        }
        return second == '.' ? mark(TokenType.DOT_DOT, at + 2) : mark('.', at + 1);
    }

    private int colon(byte[] bytes, int at) {
        byte second = at + 1 < limit ? bytes[at + 1] : 0;
        if (second == ':') {
            return mark(TokenType.TYPE_CAST, at + 2);
        }
        return second == '=' ? mark(TokenType.COLON_EQUALS, at + 2) : mark(':', at + 1);
    }

    private int atLimit() {
        start = limit;
        position = limit;
        type = TokenType.END;
        return TokenType.END;
    }

    /** A token that its type says all about, and literals, which the fingerprint takes by type only. */
    private int mark(int tokenType, int endOffset) {
        position = Math.min(endOffset, limit);
        fingerprint.follow(type, tokenType);
        type = tokenType;
        return tokenType;
    }

    private int word(byte[] bytes, int from) {
        int at = from;
        long combined = 0;
        long eight = EightBytes.read(bytes, at);
        int length = EightBytes.identifierLength(eight);
        while (length == 8) {
            long packed = EightBytes.folded(eight);
            fingerprint.add(Fingerprint.PART, packed);
            combined = WordHash.combine(combined, packed);
            at += 8;
            eight = EightBytes.read(bytes, at);
            length = EightBytes.identifierLength(eight);
        }
        long packed = length == 0 ? 0 : EightBytes.folded(eight) >>> (64 - 8 * length);
        at += length;
        if (at > limit) {
            return wordBefore(bytes, from, limit);
        }
        position = at;
        hash = WordHash.finish(combined, packed, at - from);
        escaped = false;
        fingerprint.add(TokenType.WORD, packed);
        type = TokenType.WORD;
        return TokenType.WORD;
    }

    /** The rare word that a limit inside the text cuts; only a scanner over a part of a text meets it. */
    private int wordBefore(byte[] bytes, int from, int to) {
        position = to;
        hash = WordHash.of(bytes, from, to, true);
        escaped = false;
        type = TokenType.WORD;
        return TokenType.WORD;
    }

    private int prefixed(byte[] bytes, int at) {
        byte second = at + 1 < limit ? bytes[at + 1] : 0;
        if (second != '\'' && second != '&') {
            return word(bytes, at);
        }
        int letter = bytes[at] | 0x20;
        if (second == '\'') {
            return switch (letter) {
                case 'e' -> string(at + 2, true);
                case 'n' -> string(at + 2, !standardConformingStrings);
                case 'b', 'x' -> string(at + 2, false, TokenType.BIT_STRING);
                default -> word(bytes, at);
            };
        }
        if (letter == 'u' && at + 2 < limit) {
            if (bytes[at + 2] == '\'') {
                return string(at + 3, false);
            }
            if (bytes[at + 2] == '"') {
                return quoted(bytes, at + 3, true);
            }
        }
        return word(bytes, at);
    }

    private int string(int from, boolean backslashes) {
        return string(from, backslashes, TokenType.STRING);
    }

    private int string(int from, boolean backslashes, int tokenType) {
        byte[] bytes = text;
        int at = from;
        while (at < limit) {
            byte b = bytes[at++];
            if (b == '\'') {
                if (at < limit && bytes[at] == '\'') {
                    at++;
                    continue;
                }
                int continued = continuation(bytes, at);
                if (continued < 0) {
                    return mark(tokenType, at);
                }
                noteLines(bytes, at, continued);
                at = continued;
            } else if (b == '\\' && backslashes) {
                at++;
            }
        }
        unterminated = true;
        return mark(tokenType, limit);
    }

    /**
     * Literals go on behind white space that contains a newline, where comments to the end of the line count as white
     * space. Returns the offset behind the quote that goes on, or -1.
     */
    private int continuation(byte[] bytes, int from) {
        boolean newline = false;
        int at = from;
        while (at < limit) {
            byte b = bytes[at];
            if (CharClass.of(b) == CharClass.SPACE) {
                newline |= CharClass.isNewline(b);
                at++;
            } else if (b == '-' && at + 1 < limit && bytes[at + 1] == '-') {
                at = skipLine(bytes, at);
            } else {
                return newline && b == '\'' ? at + 1 : -1;
            }
        }
        return -1;
    }

    /** Notes the comments between the parts of a literal. */
    private void noteLines(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            if (bytes[at] == '-') {
                int behind = skipLine(bytes, at);
                comments.add(at, behind, false);
                at = behind;
            }
        }
    }

    private int quoted(byte[] bytes, int from, boolean unicode) {
        int at = from;
        boolean doubled = false;
        while (at < limit) {
            if (bytes[at++] != '"') {
                continue;
            }
            if (at < limit && bytes[at] == '"') {
                doubled = true;
                at++;
                continue;
            }
            position = at;
            escaped = doubled || unicode;
            return finishQuoted(bytes, from, at - 1, unicode);
        }
        unterminated = true;
        escaped = true;
        return mark(TokenType.QUOTED, limit);
    }

    private int finishQuoted(byte[] bytes, int from, int to, boolean unicode) {
        long packed = 0;
        long combined = 0;
        for (int at = from; at < to; at++) {
            packed = (packed << 8) | (bytes[at] & 0xff);
            if (((at - from) & 7) == 7) {
                fingerprint.add(Fingerprint.PART, packed);
                combined = WordHash.combine(combined, packed);
                packed = 0;
            }
        }
        hash = WordHash.finish(combined, packed, to - from);
        fingerprint.add(unicode ? Fingerprint.UNICODE : TokenType.QUOTED, packed);
        type = TokenType.QUOTED;
        return TokenType.QUOTED;
    }

    private int dollar(byte[] bytes, int at) {
        int next = at + 1;
        if (next < limit && CharClass.isDigit(bytes[next])) {
            do {
                next++;
            } while (CharClass.isDigit(bytes[next]));
            return mark(TokenType.PARAMETER, next);
        }
        if (next < limit && CharClass.isIdentifierStart(bytes[next])) {
            do {
                next++;
            } while (CharClass.isIdentifierStart(bytes[next]) || CharClass.isDigit(bytes[next]));
        }
        if (next >= limit || bytes[next] != '$') {
            return mark(TokenType.OTHER, at + 1);
        }
        int tagLength = next + 1 - at;
        for (int close = next + 1; close + tagLength <= limit; close++) {
            if (bytes[close] == '$' && Arrays.equals(bytes, close, close + tagLength, bytes, at, at + tagLength)) {
                return mark(TokenType.STRING, close + tagLength);
            }
        }
        unterminated = true;
        return mark(TokenType.STRING, limit);
    }

    private int number(byte[] bytes, int from) {
        int at = from;
        int radixLetter = bytes[from + 1] | 0x20;
        if (bytes[from] == '0' && (radixLetter == 'x' || radixLetter == 'o' || radixLetter == 'b')) {
            int digits = LexRules.skipRadixDigits(bytes, from + 2, radixLetter);
            return mark(TokenType.NUMBER, digits > from + 2 ? digits : from + 1);
        }
        at = LexRules.skipDigits(bytes, at);
        // "1..2" is a range of PL/pgSQL: the first point belongs to it, not to the number
        if (bytes[at] == '.' && bytes[at + 1] != '.') {
            at = LexRules.skipDigits(bytes, at + 1);
        }
        return mark(TokenType.NUMBER, LexRules.skipExponent(bytes, at));
    }

    private int operator(byte[] bytes, int from) {
        int at = from + 1;
        if (CharClass.of(bytes[at]) != CharClass.OPERATOR) {
            position = at;
            fingerprint.add(TokenType.OPERATOR, bytes[from]);
            type = TokenType.OPERATOR;
            return TokenType.OPERATOR;
        }
        boolean special = LexRules.allowsTrailingSign(bytes[from]);
        int bound = Math.min(limit, from + LONGEST_OPERATOR);
        while (at < bound && CharClass.of(bytes[at]) == CharClass.OPERATOR && !LexRules.startsComment(bytes, at)) {
            special |= LexRules.allowsTrailingSign(bytes[at++]);
        }
        while (at - from > 1 && !special && (bytes[at - 1] == '+' || bytes[at - 1] == '-')) {
            at--;
        }
        if (at - from == 2 && bytes[from] == '=' && bytes[from + 1] == '>') {
            return mark(TokenType.EQUALS_GREATER, at);
        }
        long packed = 0;
        for (int i = from; i < at; i++) {
            packed = (packed << 8) | (bytes[i] & 0xff);
            if (((i - from) & 7) == 7) {
                fingerprint.add(Fingerprint.PART, packed);
                packed = 0;
            }
        }
        fingerprint.add(TokenType.OPERATOR, packed);
        position = at;
        type = TokenType.OPERATOR;
        return TokenType.OPERATOR;
    }

    /** The offset behind a comment that starts here, or the same offset if none does. */
    private int skipComment(byte[] bytes, int at, byte b) {
        if (b == '-' && bytes[at + 1] == '-' && at + 1 < limit) {
            int behind = skipLine(bytes, at);
            comments.add(bytes, at, behind, behind);
            return behind;
        }
        if (b == '/' && bytes[at + 1] == '*' && at + 1 < limit) {
            int behind = skipBlock(bytes, at + 2);
            comments.add(bytes, at, behind, behind - 2);
            return behind;
        }
        return at;
    }

    /** The comments passed since the last reset. */
    Comments comments() {
        return comments;
    }

    private int skipLine(byte[] bytes, int from) {
        int at = from;
        while (at < limit && !CharClass.isNewline(bytes[at])) {
            at++;
        }
        return at;
    }

    private int skipBlock(byte[] bytes, int from) {
        int depth = 1;
        int at = from;
        while (at + 1 < limit) {
            if (bytes[at] == '*' && bytes[at + 1] == '/') {
                at += 2;
                if (--depth == 0) {
                    return at;
                }
            } else if (bytes[at] == '/' && bytes[at + 1] == '*') {
                at += 2;
                depth++;
            } else {
                at++;
            }
        }
        unterminated = true;
        return limit;
    }

    /** The type of the current token. */
    public int type() {
        return type;
    }

    /** Where the current token starts. */
    public int start() {
        return start;
    }

    /** Behind the last byte of the current token. */
    public int end() {
        return position;
    }

    /** Whether the text ended inside a literal, a quoted identifier or a comment. */
    public boolean isUnterminated() {
        return unterminated;
    }

    /** Whether the current quoted identifier must be decoded: it has doubled quotes or Unicode escapes. */
    boolean isEscaped() {
        return escaped;
    }

    /** The {@link WordHash} of the current word (folded) or quoted identifier (as written between its quotes). */
    long hash() {
        return hash;
    }

    /** The scanner's copy of the text; valid until the next reset. */
    byte[] text() {
        return text;
    }

    boolean standardConformingStrings() {
        return standardConformingStrings;
    }
}
