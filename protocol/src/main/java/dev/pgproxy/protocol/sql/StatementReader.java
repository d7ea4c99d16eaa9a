package dev.pgproxy.protocol.sql;

import org.jspecify.annotations.Nullable;

/**
 * A second, slower reading of one statement that is not an ordinary query: a cursor over its tokens, and the place
 * where the readers of the single statements leave what they found. Reused; confined to its event loop.
 */
final class StatementReader {
    /** For PREPARE: nothing in it is executed. */
    static final int ONLY_OPAQUE = StatementFlags.OPAQUE;

    /** For EXPLAIN: planning may call functions that are not volatile. */
    static final int PLANNED = StatementFlags.OPAQUE
            | StatementFlags.UNKNOWN_FUNCTION
            | StatementFlags.MENTIONS_PREPARED
            | StatementFlags.MENTIONS_CHANNELS
            | StatementFlags.MENTIONS_SETTINGS
            | StatementFlags.MENTIONS_TEMP_SCHEMA;

    private final SqlScanner tokens = new SqlScanner();
    private int start;
    private int end;
    private int behind;

    StatementKind kind = StatementKind.OTHER;
    int flags;
    int bodyStart = -1;

    @Nullable
    SessionEffect effect;

    /** What counts of the flags that the tracker saw: not all is executed now. */
    int trackedFlags = -1;

    /** Starts before the first token of the statement that another scanner has just passed. */
    void reset(SqlScanner source, int from, int to) {
        tokens.resetTo(source, from, to);
        start = from;
        end = to;
        behind = source.type() == ';' ? source.end() : to;
        kind = StatementKind.OTHER;
        flags = 0;
        bodyStart = -1;
        effect = null;
        trackedFlags = -1;
        tokens.next();
    }

    void advance() {
        tokens.next();
    }

    int type() {
        return tokens.type();
    }

    /** Where the current token starts. */
    int position() {
        return tokens.start();
    }

    boolean atEnd() {
        return tokens.type() == TokenType.END;
    }

    /** The current word; {@link Word#NONE} for all that is not an unquoted keyword or known name. */
    Word word() {
        return tokens.type() == TokenType.WORD
                ? Words.of(tokens.hash(), tokens.text(), tokens.start(), tokens.end())
                : Word.NONE;
    }

    boolean is(Word word) {
        return word() == word;
    }

    /** Passes the word if it stands here. */
    boolean accept(Word word) {
        boolean found = word() == word;
        if (found) {
            tokens.next();
        }
        return found;
    }

    /** Passes a character that is a token if it stands here. */
    boolean accept(char character) {
        boolean found = tokens.type() == character;
        if (found) {
            tokens.next();
        }
        return found;
    }

    /** Whether the current token is the operator of one character. */
    boolean isOperator(char character) {
        return tokens.type() == TokenType.OPERATOR
                && tokens.end() - tokens.start() == 1
                && tokens.text()[tokens.start()] == character;
    }

    /** Passes an identifier and gives the name it means; null, at the same token, if there is none. */
    @Nullable
    String identifier() {
        if (tokens.type() != TokenType.WORD && tokens.type() != TokenType.QUOTED) {
            return null;
        }
        String name = SqlText.decodeIdentifier(tokens.text(), tokens.start(), tokens.end());
        if (name != null) {
            tokens.next();
        }
        return name;
    }

    /** Passes a string literal and gives its value; null, at the same token, if there is none. */
    @Nullable
    String string() {
        if (tokens.type() != TokenType.STRING) {
            return null;
        }
        String value =
                SqlText.decodeString(tokens.text(), tokens.start(), tokens.end(), tokens.standardConformingStrings());
        if (value != null) {
            tokens.next();
        }
        return value;
    }

    /** The number of the current token {@code $n}, or -1. */
    int parameterNumber() {
        long number = 0;
        for (int at = tokens.start() + 1; at < tokens.end(); at++) {
            number = Math.min(number * 10 + tokens.text()[at] - '0', Integer.MAX_VALUE);
        }
        return tokens.type() == TokenType.PARAMETER ? (int) number : -1;
    }

    /** Passes tokens until the word stands at the outermost level, or to the end; true if it was found. */
    boolean skipTo(Word word) {
        int depth = 0;
        while (!atEnd()) {
            if (depth == 0 && word() == word) {
                return true;
            }
            depth += depthChange();
            tokens.next();
        }
        return false;
    }

    /** Passes the rest of what stands in the parentheses, behind the first; true if ANALYZE is among it. */
    boolean skipParenthesesWithAnalyze() {
        boolean found = false;
        for (int depth = 1; depth > 0 && !atEnd(); tokens.next()) {
            found |= word() == Word.ANALYZE || word() == Word.ANALYSE;
            depth += depthChange();
        }
        return found;
    }

    /**
     * Passes an expression without calls and casts up to the character behind it; false if it could do more than give
     * a value.
     */
    boolean skipArgument(char behind) {
        while (!atEnd() && tokens.type() != behind) {
            if (tokens.type() == '(' || tokens.type() == ',' || tokens.type() == ')') {
                return false;
            }
            tokens.next();
        }
        return accept(behind);
    }

    /** Whether the current word is no keyword. */
    boolean isPlainName() {
        return !word().keyword;
    }

    private int depthChange() {
        return tokens.type() == '(' ? 1 : tokens.type() == ')' ? -1 : 0;
    }

    /** The whole statement; empty, with the statement opaque, if it is not UTF-8. */
    String statementText() {
        return text(end);
    }

    /** The same with the semicolon behind it, as pg_prepared_statements shows it. */
    String statementTextWithSemicolon() {
        return text(behind);
    }

    private String text(int to) {
        String text = SqlText.utf8(tokens.text(), start, to - start);
        if (text == null) {
            flags |= StatementFlags.OPAQUE;
            return "";
        }
        return text;
    }

    /** The statement is of a kind that has an effect, and the effect cannot be told. */
    void notUnderstood() {
        effect = null;
        flags |= StatementFlags.UNPREDICTABLE_STATE;
    }

    /** Sets the effect if its name was understood and nothing follows. */
    void finish(@Nullable SessionEffect found) {
        if (found == null || !atEnd()) {
            notUnderstood();
        } else {
            effect = found;
        }
    }
}
