package dev.pgproxy.migrate;

import dev.pgproxy.protocol.sql.SqlScanner;
import dev.pgproxy.protocol.sql.TokenType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One statement of a script. Immutable.
 *
 * @param line where it begins, from 1
 * @param text from its first token to its last, without the semicolon
 */
record SqlStatement(int line, String text, List<Token> tokens) {
    SqlStatement {
        tokens = List.copyOf(tokens);
    }

    /** A token; {@code type} as of {@link TokenType}. */
    record Token(int type, String text) {
        /** Whether it is this word, which is in small letters, without quotes. */
        boolean is(String word) {
            return type == TokenType.WORD && text.equalsIgnoreCase(word);
        }
    }

    /**
     * The statements of a script. Those of a body in standard SQL (BEGIN ATOMIC) are taken for statements of their own, which
     * harms nobody: what defines a function is never taken back by itself.
     */
    static List<SqlStatement> of(String script) {
        byte[] bytes = script.getBytes(StandardCharsets.UTF_8);
        SqlScanner scanner = new SqlScanner();
        scanner.reset(bytes, 0, bytes.length, true);
        List<SqlStatement> statements = new ArrayList<>();
        List<Token> tokens = new ArrayList<>();
        int from = 0;
        int to = 0;
        int depth = 0;
        for (int type = scanner.next(); type != TokenType.END; type = scanner.next()) {
            depth += type == '(' ? 1 : type == ')' ? -1 : 0;
            if (type == ';' && depth <= 0) {
                add(statements, bytes, from, to, tokens);
                tokens = new ArrayList<>();
                depth = 0;
                continue;
            }
            from = tokens.isEmpty() ? scanner.start() : from;
            to = scanner.end();
            tokens.add(new Token(
                    type, new String(bytes, scanner.start(), scanner.end() - scanner.start(), StandardCharsets.UTF_8)));
        }
        add(statements, bytes, from, to, tokens);
        return statements;
    }

    private static void add(List<SqlStatement> statements, byte[] bytes, int from, int to, List<Token> tokens) {
        if (!tokens.isEmpty()) {
            int line = 1;
            for (int i = 0; i < from; i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            statements.add(new SqlStatement(line, new String(bytes, from, to - from, StandardCharsets.UTF_8), tokens));
        }
    }

    /** Its first word, in capitals. */
    String verb() {
        return tokens.getFirst().text().toUpperCase(Locale.ROOT);
    }

    /** Whether it builds or drops an index while others write, which no transaction can. */
    boolean isConcurrent() {
        return (tokens.getFirst().is("create")
                        || tokens.getFirst().is("drop")
                        || tokens.getFirst().is("reindex"))
                && tokens.stream().limit(5).anyMatch(token -> token.is("concurrently"));
    }

    /** A reader at its beginning. */
    Words words() {
        return new Words(tokens);
    }
}
