package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.TokenType;
import java.util.function.Consumer;

/** What {@link ParserText} writes for the reserved words behind which JSqlParser cannot read all that may follow. Immutable. */
final class ReservedWords {
    private ReservedWords() {}

    /** Writes what stands for the word here, and returns what is next; -1 if the word can stay as it is. */
    static int rewrite(Tokens tokens, int i, Consumer<String> out) {
        return switch (tokens.word(i)) {
            case "variadic", "lateral" -> i + 1;
            case "only" -> only(tokens, i);
            case "table" -> table(tokens, i, out);
            case "into" -> into(tokens, i, out);
            case "select" -> select(tokens, i, out);
            case "using" -> using(tokens, i);
            case "where" -> where(tokens, i, out);
            case "is" -> is(tokens, i, out);
            case "group" -> group(tokens, i, out);
            case "do" -> {
                boolean merge = tokens.keyword(i - 1).equals("then");
                if (merge) {
                    out.accept("DELETE");
                }
                yield merge ? i + 2 : -1;
            }
            case "tablesample" -> {
                out.accept("TABLESAMPLE BERNOULLI");
                yield tokens.chainEnd(i + 1);
            }
            default -> -1;
        };
    }

    /** ONLY t is t; in FETCH FIRST ROW ONLY it stays. */
    private static int only(Tokens tokens, int i) {
        String before = tokens.keyword(i - 1);
        return before.equals("row") || before.equals("rows") ? -1 : i + 1;
    }

    /** TABLE t is SELECT * FROM t. */
    private static int table(Tokens tokens, int i, Consumer<String> out) {
        if (!tokens.isIdentifier(i + 1)) {
            return -1;
        }
        out.accept("SELECT * FROM");
        return i + 1;
    }

    /** INTO TEMP TABLE t is INTO t. */
    private static int into(Tokens tokens, int i, Consumer<String> out) {
        String before = tokens.keyword(i - 1);
        if (before.equals("insert") || before.equals("merge")) {
            return -1;
        }
        out.accept("INTO");
        int next = i + 1;
        while (isPersistence(tokens.keyword(next)) && tokens.isIdentifier(next + 1)) {
            next++;
        }
        return next;
    }

    private static boolean isPersistence(String keyword) {
        return switch (keyword) {
            case "temp", "temporary", "unlogged", "local", "global", "table" -> true;
            default -> false;
        };
    }

    /** SELECT FROM t, without any column. */
    private static int select(Tokens tokens, int i, Consumer<String> out) {
        boolean empty = switch (tokens.keyword(i + 1)) {
            case "from", "where", "union", "intersect", "except", "limit", "into", "group", "order" -> true;
            default -> tokens.type(i + 1) == TokenType.END || tokens.type(i + 1) == ')';
        };
        if (!empty) {
            return -1;
        }
        out.accept("SELECT 1");
        return i + 1;
    }

    /** ORDER BY a USING >. */
    private static int using(Tokens tokens, int i) {
        if (tokens.type(i + 1) == TokenType.OPERATOR) {
            return i + 2;
        }
        return tokens.keyword(i + 1).equals("operator") && tokens.type(i + 2) == '(' ? tokens.partner(i + 2) + 1 : -1;
    }

    private static int where(Tokens tokens, int i, Consumer<String> out) {
        if (!tokens.keyword(i + 1).equals("current") || !tokens.keyword(i + 2).equals("of")) {
            return -1;
        }
        out.accept("WHERE 1");
        return i + 4;
    }

    /** IS [NOT] JSON …, DOCUMENT, NORMALIZED are IS [NOT] NULL. */
    private static int is(Tokens tokens, int i, Consumer<String> out) {
        boolean not = tokens.keyword(i + 1).equals("not");
        int next = not ? i + 2 : i + 1;
        int end = switch (tokens.keyword(next)) {
            case "json" -> json(tokens, next + 1);
            case "document", "normalized" -> next + 1;
            case "nfc", "nfd", "nfkc", "nfkd" -> next + 2;
            default -> -1;
        };
        if (end >= 0) {
            out.accept(not ? "IS NOT NULL" : "IS NULL");
        }
        return end;
    }

    private static int json(Tokens tokens, int i) {
        int next = switch (tokens.keyword(i)) {
            case "value", "array", "object", "scalar" -> i + 1;
            default -> i;
        };
        if (tokens.keyword(next + 1).equals("unique")) {
            next += tokens.keyword(next + 2).equals("keys") ? 3 : 2;
        }
        return next;
    }

    /** GROUP BY DISTINCT and GROUP BY ALL are GROUP BY. */
    private static int group(Tokens tokens, int i, Consumer<String> out) {
        String quantity = tokens.keyword(i + 2);
        if (!quantity.equals("distinct") && !quantity.equals("all")) {
            return -1;
        }
        out.accept("GROUP BY");
        return i + 3;
    }
}
