package dev.pgproxy.advice.statement;

import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.facts.Identifier;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The names in a statement, wherever they stand: a column that is not among them is not needed. Immutable.
 *
 * @param names as PostgreSQL means them
 * @param alone those that stand somewhere without a dot behind them
 * @param repeated those that do so twice
 * @param hasStar whether there may be a column that is not named
 */
record Words(Set<String> names, Set<String> alone, Set<String> repeated, boolean hasStar) {
    private static final Pattern COUNT = Pattern.compile("(?i)count\\s*\\(\\s*\\*\\s*\\)");
    private static final Pattern NAME = Pattern.compile("(\"(?:[^\"]|\"\")*\"|[\\p{L}_][\\p{L}\\p{N}_$]*)(\\s*\\.)?");

    static Words of(String sql) {
        String text = COUNT.matcher(sql).replaceAll("");
        Words words = new Words(new HashSet<>(), new HashSet<>(), new HashSet<>(), text.contains("*"));
        Matcher matcher = NAME.matcher(text);
        while (matcher.find()) {
            String name = Identifier.meant(matcher.group(1));
            words.names.add(name);
            if (matcher.group(2) == null && !words.alone.add(name)) {
                words.repeated.add(name);
            }
        }
        return words;
    }

    /** The columns that may be needed of a table; null = any. A name that is a row as a whole stands there twice. */
    @Nullable
    Set<String> columns(TableUse use) {
        if (hasStar || names.contains("natural") || repeated.contains(use.alias())) {
            return null;
        }
        Set<String> columns = new HashSet<>();
        for (ColumnFacts column : use.table().columns()) {
            if (names.contains(column.name())) {
                columns.add(column.name());
            }
        }
        return columns;
    }
}
