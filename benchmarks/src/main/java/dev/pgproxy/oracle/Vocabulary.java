package dev.pgproxy.oracle;

import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** Chance, names and literals of generated SQL. Confined to its thread. */
final class Vocabulary {
    /** Between two tokens; becomes white space or a comment at the end. */
    static final String GAP = "\u0001";

    /** Ordinary names, and keywords that PostgreSQL takes for the name of a table all the same. */
    private static final List<String> TABLES = List.of(
            "customer",
            "invoice",
            "t",
            "u",
            "v",
            "item",
            "naïve",
            "日本",
            "k$1",
            "_x",
            "update",
            "delete",
            "insert",
            "set",
            "share",
            "temp",
            "value",
            "name",
            "type",
            "data",
            "of",
            "no",
            "by",
            "key",
            "nowait",
            "locked",
            "merge",
            "copy",
            "begin",
            "values",
            "row",
            "coalesce",
            "exists",
            "extract",
            "substring",
            "trim",
            "recursive",
            "materialized",
            "prepare",
            "execute",
            "explain",
            "analyze_",
            "rows",
            "first",
            "next",
            "sets",
            "ordinality",
            "matched",
            "source",
            "target",
            "returning_",
            "nothing",
            "conflict",
            "cube",
            "rollup",
            "over",
            "filter",
            "within",
            "partition",
            "range",
            "groups",
            "exclude",
            "ties",
            "search",
            "cycle",
            "depth",
            "json",
            "path",
            "columns");

    private static final List<String> CALLED = List.of(
            "lower",
            "count",
            "max",
            "abs",
            "f",
            "log",
            "tools.log",
            "pg_catalog.now",
            "\"F\"",
            "\"a\".\"b c\"",
            "nextval",
            "update",
            "delete",
            "share",
            "replace",
            "left",
            "right",
            "format",
            "g$1",
            "U&\"\\0066g\"");

    private static final List<String> TYPES = List.of(
            "integer",
            "text",
            "numeric(10, 2)",
            "timestamp with time zone",
            "double precision",
            "tools.token",
            "\"My Type\"",
            "character varying(3)",
            "mood[]",
            "interval day to second",
            "bit varying",
            "app.mail",
            "time(3) without time zone");

    private static final List<String> OPERATORS = List.of(
            "+", "-", "*", "/", "<", ">=", "<>", "!=", "||", "->>", "@>", "~*", "<->", "&&", "#>", "?", "@@", "<~>",
            "|/|");

    private static final List<String> LITERALS = List.of(
            "1",
            "0x1F",
            "1_000",
            "1.5e3",
            ".5",
            "'x'",
            "''",
            "'it''s FROM a'",
            "E'\\' FROM b'",
            "$$ FROM c $$",
            "$q$ ' $$ ; $q$",
            "U&'d\\0061t'",
            "B'01'",
            "X'1F'",
            "N'n'",
            "NULL",
            "TRUE",
            "$1",
            "CURRENT_DATE",
            "current_user",
            "date '2026-01-01'",
            "interval '1' year",
            "'FOR UPDATE'",
            "'; DELETE FROM d; --'");

    private static final List<String> COMMENTS = List.of(
            "/* FROM hidden */",
            "/* a /* nested, INSERT */ b */",
            "-- , hidden2\n",
            "/**/",
            "\n--\n",
            "/*'*/",
            "/*\"*/",
            "/*;*/");

    private final RandomGenerator random;

    Vocabulary(RandomGenerator random) {
        this.random = random;
    }

    boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    int number(int bound) {
        return random.nextInt(bound);
    }

    String one(List<String> of) {
        return of.get(random.nextInt(of.size()));
    }

    @SafeVarargs
    final String one(Supplier<String>... of) {
        return of[random.nextInt(of.length)].get();
    }

    String maybe(int percent, Supplier<String> text) {
        return chance(percent) ? text.get() : "";
    }

    /** Tokens with gaps between them; empty ones leave none. */
    static String tokens(String... tokens) {
        StringBuilder text = new StringBuilder();
        for (String token : tokens) {
            if (!token.isEmpty()) {
                text.append(text.isEmpty() ? "" : GAP).append(token);
            }
        }
        return text.toString();
    }

    String list(int most, Supplier<String> item) {
        StringBuilder list = new StringBuilder(item.get());
        for (int i = random.nextInt(most); i > 0; i--) {
            list.append(chance(50) ? GAP : "")
                    .append(',')
                    .append(chance(70) ? GAP : "")
                    .append(item.get());
        }
        return list.toString();
    }

    /** The name of a relation in one of its spellings. */
    String table() {
        String schema = chance(20) ? spelled(chance(50) ? "app" : "temp") + (chance(10) ? GAP + "." + GAP : ".") : "";
        return schema + spelled(one(TABLES));
    }

    /** A name without schema that may be that of a table too. */
    String alias() {
        return chance(30) ? spelled(one(TABLES.subList(0, 10))) : "a" + number(9);
    }

    String column() {
        return chance(25) ? "a" + number(9) + "." + spelled("id") : spelled(chance(20) ? "share" : "c" + number(5));
    }

    String function() {
        return one(CALLED);
    }

    String type() {
        return one(TYPES);
    }

    String operator() {
        return chance(10) ? "OPERATOR(app." + one(OPERATORS) + ")" : one(OPERATORS);
    }

    String literal() {
        return one(LITERALS);
    }

    private String spelled(String name) {
        return switch (number(12)) {
            case 0 -> name.toUpperCase(Locale.ROOT);
            case 1 -> '"' + name + '"';
            case 2 -> "\"Big " + name + "\"\"\"";
            case 3 ->
                name.charAt(0) < 128 && name.charAt(0) != '_'
                        ? String.format(Locale.ROOT, "U&\"\\%04x%s\"", (int) name.charAt(0), name.substring(1))
                        : name;
            default -> name;
        };
    }

    /** The text with every gap filled, and keywords in any case. */
    String filled(String text) {
        StringBuilder filled = new StringBuilder(text.length() * 2);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\u0001') {
                filled.append(c);
            } else {
                filled.append(
                        switch (number(20)) {
                            case 0 -> '\n' + one(COMMENTS) + ' ';
                            case 1 -> ' ' + one(COMMENTS);
                            case 2 -> "\t\r\n ";
                            default -> " ";
                        });
            }
        }
        return filled.toString();
    }
}
