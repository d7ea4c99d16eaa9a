package dev.pgproxy.migrate;

import dev.pgproxy.migrate.SqlStatement.Token;
import dev.pgproxy.protocol.sql.TokenType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads the words of a statement one after the other. Confined to the thread that reads. */
final class Words {
    private final List<Token> tokens;
    private int at;

    Words(List<Token> tokens) {
        this.tokens = tokens;
    }

    /** Whether these words are next, which are passed if so. */
    boolean skip(String... words) {
        for (int i = 0; i < words.length; i++) {
            if (at + i >= tokens.size() || !tokens.get(at + i).is(words[i])) {
                return false;
            }
        }
        at += words.length;
        return true;
    }

    /** Whether one of these words is next. */
    boolean isAt(String... words) {
        for (String word : words) {
            if (at < tokens.size() && tokens.get(at).is(word)) {
                return true;
            }
        }
        return false;
    }

    boolean isEnd() {
        return at == tokens.size();
    }

    /** The name that is next, with its schema; null if none is. */
    @Nullable
    Name name() {
        List<String> parts = new ArrayList<>();
        while (true) {
            String part = identifier();
            if (part == null) {
                return null;
            }
            parts.add(part);
            if (at == tokens.size() || tokens.get(at).type() != '.') {
                return new Name(parts);
            }
            at++;
        }
    }

    /** The name without a schema that is next, as it can be written again; null if none is. */
    @Nullable
    String identifier() {
        Token token = at < tokens.size() ? tokens.get(at) : null;
        if (token == null
                || token.type() != TokenType.WORD && token.type() != TokenType.QUOTED
                || token.type() == TokenType.QUOTED && !token.text().startsWith("\"")) {
            return null;
        }
        at++;
        return token.type() == TokenType.WORD ? token.text().toLowerCase(Locale.ROOT) : token.text();
    }

    /** The string that is next, as it was written; null if none is. */
    @Nullable
    String string() {
        boolean is = at < tokens.size() && tokens.get(at).type() == TokenType.STRING;
        return is ? tokens.get(at++).text() : null;
    }

    /** The names between the parentheses that are next, if there is nothing else in them; null if not so. */
    @Nullable
    List<String> list() {
        List<String> names = new ArrayList<>();
        int end = '(';
        while (at < tokens.size() && tokens.get(at).type() == end) {
            at++;
            String name = identifier();
            if (name == null) {
                return null;
            }
            names.add(name);
            end = ',';
        }
        boolean closed =
                !names.isEmpty() && at < tokens.size() && tokens.get(at).type() == ')';
        at += closed ? 1 : 0;
        return closed ? names : null;
    }

    /** Whether one of these words comes, wherever. */
    boolean hasAhead(String... words) {
        return tokens.subList(at, tokens.size()).stream()
                .anyMatch(token -> List.of(words).stream().anyMatch(token::is));
    }

    /** Passes everything up to this word and the word itself; false if it does not come outside of parentheses. */
    boolean skipTo(String word) {
        int depth = 0;
        for (int i = at; i < tokens.size(); i++) {
            int type = tokens.get(i).type();
            depth += type == '(' ? 1 : type == ')' ? -1 : 0;
            if (depth == 0 && tokens.get(i).is(word)) {
                at = i + 1;
                return true;
            }
        }
        return false;
    }

    /** What is left, cut at the commas outside of parentheses and brackets. */
    List<Words> parts() {
        List<Words> parts = new ArrayList<>();
        List<Token> part = new ArrayList<>();
        int depth = 0;
        for (Token token : tokens.subList(at, tokens.size())) {
            int type = token.type();
            depth += type == '(' || type == '[' ? 1 : type == ')' || type == ']' ? -1 : 0;
            if (type == ',' && depth == 0) {
                parts.add(new Words(part));
                part = new ArrayList<>();
            } else {
                part.add(token);
            }
        }
        parts.add(new Words(part));
        return parts;
    }
}
