package dev.pgproxy.advice.facts;

import dev.pgproxy.protocol.sql.KeywordCategory;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Names as SQL writes them. Stateless. */
public final class Identifier {
    private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_]*");

    private Identifier() {}

    /** In quotes where it needs them. */
    public static String quoted(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        KeywordCategory category = KeywordCategory.of(bytes, 0, bytes.length);
        boolean plain = PLAIN.matcher(name).matches()
                && (category == KeywordCategory.NAME || category == KeywordCategory.UNRESERVED);
        return plain ? name : '"' + name.replace("\"", "\"\"") + '"';
    }

    /** The name that a word of a statement means: folded, or without its quotes. */
    public static String meant(String word) {
        return word.length() >= 2 && word.startsWith("\"") && word.endsWith("\"")
                ? word.substring(1, word.length() - 1).replace("\"\"", "\"")
                : word.toLowerCase(java.util.Locale.ROOT);
    }
}
