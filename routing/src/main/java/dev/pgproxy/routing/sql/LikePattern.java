package dev.pgproxy.routing.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.SqlScanner;
import dev.pgproxy.protocol.sql.TokenType;
import java.util.Locale;

/** How the patterns of LIKE and ILIKE in a text begin: all that is kept of them, since they may be secrets. */
public enum LikePattern {
    /** There is none, it is no literal, or there are several of different kinds. */
    UNKNOWN,
    /** With characters that an index can look for. */
    PREFIX,
    /** With a wildcard. */
    LEADING_WILDCARD;

    /** Of the first text of its shape: others may have other patterns. */
    static LikePattern of(byte[] text, boolean standardConformingStrings) {
        SqlScanner scanner = new SqlScanner();
        scanner.reset(text, 0, text.length, standardConformingStrings);
        LikePattern found = UNKNOWN;
        boolean any = false;
        boolean behindLike = false;
        for (int type = scanner.next(); type != TokenType.END; type = scanner.next()) {
            if (behindLike) {
                LikePattern next = type == TokenType.STRING ? of(text, scanner.start(), scanner.end()) : UNKNOWN;
                found = !any || found == next ? next : UNKNOWN;
                any = true;
            }
            behindLike = type == TokenType.WORD && isLike(text, scanner.start(), scanner.end());
        }
        return found;
    }

    private static boolean isLike(byte[] text, int from, int to) {
        int length = to - from;
        if (length != 4 && length != 5) {
            return false;
        }
        String word = new String(text, from, length, UTF_8).toLowerCase(Locale.ROOT);
        return word.equals("like") || word.equals("ilike");
    }

    /** Only of the plain form: in others characters may be written by their codes. */
    private static LikePattern of(byte[] text, int from, int to) {
        if (text[from] != '\'' || to - from < 3) {
            return UNKNOWN;
        }
        return switch (text[from + 1]) {
            case '%', '_' -> LEADING_WILDCARD;
            case '\\' -> UNKNOWN;
            default -> PREFIX;
        };
    }
}
