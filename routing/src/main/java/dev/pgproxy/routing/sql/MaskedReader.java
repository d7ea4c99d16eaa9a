package dev.pgproxy.routing.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.regex.Pattern;
import net.sf.jsqlparser.statement.Statement;
import org.jspecify.annotations.Nullable;

/**
 * Reads texts whose literals are masked, with JSqlParser alone: for advice, which a misreading makes worse, but never wrong
 * answers. Within the bounds of {@link ShapeReader}. Blocks for as long as JSqlParser is allowed to take. Thread-safe.
 */
public final class MaskedReader {
    /** {@code date ?} was {@code date '…'}, which JSqlParser reads only with its literal. */
    private static final Pattern TYPED = Pattern.compile(
            "(?i)\\b(?:date|time|timestamp|timestamptz|timetz|bool|boolean|uuid|inet|jsonb?)\\s+(?=\\?)");

    /** JSqlParser takes {@code a@} for a name. */
    private static final Pattern AT = Pattern.compile("@>|<@");

    private final TreeReader trees;

    /** @param timeoutMillis for each text */
    public MaskedReader(long timeoutMillis) {
        this.trees = new TreeReader(timeoutMillis);
    }

    /** The tree of a text as {@link Shape#masked} gives it; null if it was cut off, or cannot be read. */
    public @Nullable Statement read(String masked) {
        String text = masked.strip();
        while (text.endsWith(";")) {
            text = text.substring(0, text.length() - 1).strip();
        }
        byte[] bytes = text.getBytes(UTF_8);
        if (text.isEmpty() || text.endsWith("…") || Tokens.read(bytes, 0, bytes.length, true) == null) {
            return null;
        }
        String plain = AT.matcher(TYPED.matcher(text).replaceAll("")).replaceAll(" $0 ");
        TreeReader.Tree tree = trees.read(plain);
        return tree == null ? null : tree.statement();
    }
}
