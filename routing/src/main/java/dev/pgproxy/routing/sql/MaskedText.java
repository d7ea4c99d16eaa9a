package dev.pgproxy.routing.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.SqlScanner;
import dev.pgproxy.protocol.sql.TokenType;

/** A text for people: without comments, with {@code ?} for each literal, so that it can be shown and logged. Stateless. */
public final class MaskedText {
    private static final int LONGEST = 1000;

    private MaskedText() {}

    /** The beginning of the text. */
    public static String of(byte[] text, boolean standardConformingStrings) {
        SqlScanner scanner = new SqlScanner();
        scanner.reset(text, 0, text.length, standardConformingStrings);
        StringBuilder out = new StringBuilder();
        int behind = 0;
        for (int type = scanner.next(); type != TokenType.END; type = scanner.next()) {
            if (scanner.start() > behind && !out.isEmpty()) {
                out.append(' ');
            }
            behind = scanner.end();
            boolean literal = type == TokenType.STRING || type == TokenType.NUMBER || type == TokenType.BIT_STRING;
            out.append(literal ? "?" : new String(text, scanner.start(), scanner.end() - scanner.start(), UTF_8));
            if (out.length() > LONGEST) {
                return out.substring(0, LONGEST) + "…";
            }
        }
        return out.toString();
    }
}
