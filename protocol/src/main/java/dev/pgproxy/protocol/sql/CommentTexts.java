package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;

/** What stands in the comments of a text. Stateless. */
public final class CommentTexts {
    private CommentTexts() {}

    /**
     * Between the signs of its block comments, in their order.
     *
     * @param most of each, in bytes: what is longer is cut off
     */
    public static List<String> of(byte[] text, int length, boolean standardConformingStrings, int most) {
        SqlScanner scanner = new SqlScanner();
        scanner.reset(text, 0, length, standardConformingStrings);
        while (scanner.next() != TokenType.END) {
            // the scanner notes what it passes
        }
        List<String> found = new ArrayList<>();
        scanner.comments()
                .forEachBlock(text, (from, to) -> found.add(new String(text, from, Math.min(most, to - from), UTF_8)));
        return found;
    }
}
