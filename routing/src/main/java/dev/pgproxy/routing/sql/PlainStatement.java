package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.StatementFacts;
import dev.pgproxy.protocol.sql.StatementFlags;
import dev.pgproxy.protocol.sql.StatementKind;
import dev.pgproxy.protocol.sql.TokenType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One statement as a rule sees it. It follows from what the fingerprint follows from: texts with one fingerprint give the same
 * statements. Immutable.
 *
 * @param text in one spelling: without comments and semicolon; words in lower case, quoted names without their quotes where
 *     they need none; {@code ?} for each literal and parameter, and for each list of them; one blank between tokens, but none
 *     around {@code .}, {@code ::} and within parentheses, none before {@code ( ) [ ] ,}
 * @param inner the statement inside it, which PREPARE, EXPLAIN, DECLARE, COPY or CREATE … AS hold; null if there is none
 * @param changesAll whether it executes an UPDATE or DELETE that has no WHERE of its own, itself or in a WITH
 */
public record PlainStatement(String text, @Nullable String inner, boolean changesAll) {
    /**
     * The statements of a text in their order; null if they cannot be read.
     *
     * @param facts of the same text
     * @param standardConformingStrings whether backslashes in {@code '…'} are plain characters
     */
    public static @Nullable List<PlainStatement> of(byte[] text, QueryFacts facts, boolean standardConformingStrings) {
        if (facts.has(StatementFlags.OPAQUE)) {
            return null;
        }
        List<PlainStatement> statements = new ArrayList<>(2);
        for (StatementFacts statement : facts.statements()) {
            int from = statement.start();
            int to = statement.endIn(text.length);
            Tokens tokens = Tokens.read(text, from, to, standardConformingStrings);
            if (tokens == null) {
                return null;
            }
            int end = tokens.count();
            while (tokens.type(end - 1) == ';') {
                end--;
            }
            int body = statement.bodyStart() < 0 ? 0 : tokens.indexAt(statement.bodyStart() - from);
            if (body < 0 || body == 0 && statement.kind() == StatementKind.PREPARE) {
                return null;
            }
            boolean executes =
                    statement.kind() != StatementKind.EXPLAIN || statement.has(StatementFlags.EXPLAINS_BY_EXECUTING);
            boolean changesAll = executes && changesAll(tokens, body, end);
            String inner = body > 0 ? spelled(tokens, body, end) : null;
            statements.add(new PlainStatement(spelled(tokens, 0, end), inner, changesAll));
        }
        return statements;
    }

    /** Whether the statement that begins there changes every row of a table, or one in parentheses within it. */
    private static boolean changesAll(Tokens tokens, int body, int end) {
        if (changesAllItself(tokens, body, end)) {
            return true;
        }
        for (int i = 0; i < end; i++) {
            if (tokens.type(i) == '('
                    && holdsStatement(tokens, i)
                    && changesAllItself(tokens, i + 1, tokens.partner(i))) {
                return true;
            }
        }
        return false;
    }

    /** WITH a AS (…), AS MATERIALIZED (…), and COPY (…). */
    private static boolean holdsStatement(Tokens tokens, int open) {
        return switch (tokens.keyword(open - 1)) {
            case "as", "materialized", "copy" -> true;
            default -> false;
        };
    }

    private static boolean changesAllItself(Tokens tokens, int begin, int end) {
        int verb = verb(tokens, begin, end);
        boolean changes = isVerb(tokens, verb, "update") || isVerb(tokens, verb, "delete");
        if (!changes) {
            return false;
        }
        for (int i = verb + 1; i < end; i = next(tokens, i)) {
            if (isVerb(tokens, i, "where")) {
                return false;
            }
            if (isVerb(tokens, i, "returning")) {
                return true; // behind it where may be the name of a column
            }
        }
        return true;
    }

    /** The place of the verb, which may stand behind WITH; the end if there is none. */
    private static int verb(Tokens tokens, int begin, int end) {
        if (!isVerb(tokens, begin, "with")) {
            return begin;
        }
        for (int i = next(tokens, begin); i < end; i = next(tokens, i)) {
            if (tokens.type(i) == TokenType.WORD && tokens.beginsStatement(i)) {
                switch (tokens.keyword(i)) {
                    case "select", "insert", "update", "delete", "merge", "values", "table" -> {
                        return i;
                    }
                    default -> {}
                }
            }
        }
        return end;
    }

    private static boolean isVerb(Tokens tokens, int i, String keyword) {
        return tokens.type(i) == TokenType.WORD && tokens.keyword(i).equals(keyword);
    }

    /** The next place at this level of parentheses. */
    private static int next(Tokens tokens, int i) {
        boolean opens = tokens.type(i) == '(' || tokens.type(i) == '[';
        return (opens ? tokens.partner(i) : i) + 1;
    }

    // ---- the one spelling

    private static String spelled(Tokens tokens, int from, int to) {
        StringBuilder out = new StringBuilder(8 * (to - from));
        int previous = TokenType.END;
        for (int i = from; i < to; i++) {
            int type = tokens.type(i);
            if (isConstant(type)) {
                if (previous == ',' && isConstant(tokens.type(i - 2))) {
                    out.setLength(out.length() - 1); // the comma
                    previous = type;
                    continue;
                }
            }
            if (previous != TokenType.END && !isGlued(type) && !glues(previous)) {
                out.append(' ');
            }
            append(tokens, i, type, out);
            previous = type;
        }
        return out.toString();
    }

    private static boolean isConstant(int type) {
        return type >= TokenType.STRING && type <= TokenType.PARAMETER;
    }

    private static boolean isGlued(int type) {
        return switch (type) {
            case '(', ')', '[', ']', ',', ';', '.', TokenType.TYPE_CAST -> true;
            default -> false;
        };
    }

    private static boolean glues(int type) {
        return type == '(' || type == '[' || type == '.' || type == TokenType.TYPE_CAST;
    }

    private static void append(Tokens tokens, int i, int type, StringBuilder out) {
        switch (type) {
            case TokenType.WORD, TokenType.OPERATOR -> out.append(tokens.word(i));
            case TokenType.QUOTED -> appendName(tokens.word(i), out);
            case TokenType.STRING, TokenType.BIT_STRING, TokenType.NUMBER, TokenType.PARAMETER -> out.append('?');
            case TokenType.TYPE_CAST -> out.append("::");
            case TokenType.COLON_EQUALS -> out.append(":=");
            case TokenType.EQUALS_GREATER -> out.append("=>");
            case TokenType.DOT_DOT -> out.append("..");
            default -> out.append((char) type);
        }
    }

    private static void appendName(String name, StringBuilder out) {
        if (isPlain(name)) {
            out.append(name);
        } else {
            out.append('"').append(name.replace("\"", "\"\"")).append('"');
        }
    }

    /** Whether a name means the same without quotes, unless it is a keyword. */
    private static boolean isPlain(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean letter = c >= 'a' && c <= 'z' || c == '_' || c > 127;
            if (!letter && (i == 0 || !(c >= '0' && c <= '9' || c == '$'))) {
                return false;
            }
        }
        return true;
    }
}
