package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.KeywordCategory;
import dev.pgproxy.protocol.sql.TokenType;

/**
 * Tells calls of functions from the other places where a name stands before a parenthesis: constructs of the grammar,
 * types with modifiers, aliases with columns. What is not plainly one of these is a call. Immutable.
 */
final class Calls {
    private final Tokens tokens;

    Calls(Tokens tokens) {
        this.tokens = tokens;
    }

    /** Whether the name from a place up to the parenthesis is called, in this clause. */
    boolean isCall(int i, int parenthesis, Clause clause) {
        boolean simple = parenthesis == i + 1;
        if (simple && isConstruct(i, clause)) {
            return false;
        }
        String before = tokens.keyword(i - 1);
        if (simple && isAlias(i, clause)) {
            return false;
        }
        return switch (tokens.type(i - 1)) {
            case TokenType.TYPE_CAST -> false; // a type with modifiers
            case ')' -> tokens.operandFollows(tokens.partner(i - 1)); // else an alias
            case TokenType.QUOTED, TokenType.STRING, TokenType.BIT_STRING, TokenType.NUMBER, TokenType.PARAMETER, ']' ->
                false; // an alias, or a type behind a name
            case TokenType.WORD -> !before.isEmpty() && !before.equals("as");
            default -> true;
        };
    }

    /** WITH ORDINALITY a (columns), and a relation that is named like a keyword with its alias: FROM role a (columns). */
    private boolean isAlias(int i, Clause clause) {
        String before = tokens.keyword(i - 2);
        if (tokens.keyword(i - 1).equals("ordinality") && before.equals("with")) {
            return true;
        }
        return clause == Clause.FROM_LIST
                && tokens.category(i - 1) == KeywordCategory.UNRESERVED
                && (tokens.type(i - 2) == ',' || before.equals("from") || before.equals("join"));
    }

    private boolean isConstruct(int i, Clause clause) {
        KeywordCategory category = tokens.category(i);
        String before = tokens.keyword(i - 1);
        return switch (category) {
            case RESERVED, COLUMN_NAME -> true;
            case TYPE_FUNCTION -> {
                boolean join = tokens.word(i).equals("join");
                yield isOperand(before.equals("not") ? i - 2 : i - 1)
                        || (join && tokens.category(i - 1) == KeywordCategory.TYPE_FUNCTION);
            }
            case UNRESERVED -> isConstruct(tokens.word(i), i, before, clause);
            case NAME -> before.equals("tablesample") && isSampling(tokens.word(i));
        };
    }

    /** Whether the keyword behind it, say LIKE, has a left operand; words that may as well come before one do not count. */
    private boolean isOperand(int i) {
        return tokens.endsOperand(i) && tokens.category(i) != KeywordCategory.UNRESERVED;
    }

    /** OPERATOR(schema.+); only the star can be an argument as well. */
    private boolean isOperator(int open, int i) {
        int last = tokens.partner(open) - 1;
        return tokens.type(last) == TokenType.OPERATOR && (!tokens.word(last).equals("*") || isOperand(i - 1));
    }

    private static boolean isSampling(String name) {
        return name.equals("bernoulli") || name.equals("system");
    }

    /** Keywords that can be functions of a user, in the places where they are not. */
    private boolean isConstruct(String keyword, int i, String before, Clause clause) {
        int open = i + 1;
        return switch (keyword) {
            case "by" -> before.equals("group") || before.equals("order") || before.equals("partition");
            case "sets" -> before.equals("grouping");
            case "rollup", "cube" ->
                clause == Clause.GROUPING
                        && (tokens.type(i - 1) == ','
                                || tokens.type(i - 1) == '('
                                || before.equals("by")
                                || before.equals("distinct")
                                || before.equals("all"));
            case "operator" -> isOperator(open, i);
            case "materialized" -> before.equals("as") || before.equals("not");
            case "set" -> before.equals("update");
            case "insert" -> before.equals("then");
            case "conflict" ->
                before.equals("on") && tokens.keyword(tokens.partner(open) + 1).equals("do");
            case "varying" -> tokens.category(i - 1) == KeywordCategory.COLUMN_NAME;
            case "zone" -> before.equals("time");
            case "next", "first" -> before.equals("fetch");
            case "system" -> before.equals("tablesample");
            default -> false;
        };
    }
}
