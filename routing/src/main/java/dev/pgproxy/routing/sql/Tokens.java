package dev.pgproxy.routing.sql;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.pgproxy.protocol.sql.KeywordCategory;
import dev.pgproxy.protocol.sql.SettingName;
import dev.pgproxy.protocol.sql.SqlScanner;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.TimeInput;
import dev.pgproxy.protocol.sql.TokenType;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of a part of a text by PostgreSQL's lexical rules, with identifiers folded and unescaped and parentheses
 * matched. Places outside of it are {@link TokenType#END}, so that callers may look before and behind. Immutable.
 */
final class Tokens {
    /** More parentheses and brackets inside each other than any query needs. */
    static final int MAX_DEPTH = 200;

    /** More dots in one name than any has: JSqlParser counts along them again and again, and cannot be stopped there. */
    static final int MAX_DOTS = 32;

    /** The word of a string constant that {@link SettingName} knows. */
    private static final String OWN_SETTING = ".";

    private int count;
    private int[] types = new int[64];
    private int[] starts = new int[64];
    private int[] partners = new int[64];
    private String[] words = new String[64];
    private KeywordCategory[] categories = new KeywordCategory[64];
    private boolean timeInput;

    private Tokens() {}

    /** The tokens between the offsets; null if they make no whole statement, or one that is too deep or has too long names. */
    static @Nullable Tokens read(byte[] text, int from, int to, boolean standardConformingStrings) {
        Tokens tokens = new Tokens();
        SqlScanner scanner = new SqlScanner();
        scanner.reset(text, from, to - from, standardConformingStrings);
        int[] open = new int[MAX_DEPTH];
        int depth = 0;
        int dots = 0;
        for (int type = scanner.next(); type != TokenType.END; type = scanner.next()) {
            int index = tokens.count;
            if (type == TokenType.OTHER || !tokens.add(type, text, from + scanner.start(), from + scanner.end())) {
                return null;
            }
            tokens.starts[index] = scanner.start();
            dots = type == '.' ? dots + 1 : tokens.isPart(index) ? dots : 0;
            if (dots > MAX_DOTS) {
                return null;
            }
            if (type == '(' || type == '[') {
                if (depth == MAX_DEPTH) {
                    return null;
                }
                open[depth++] = index;
            } else if (type == ')' || type == ']') {
                if (depth == 0 || tokens.types[open[--depth]] != (type == ')' ? '(' : '[')) {
                    return null;
                }
                tokens.partners[index] = open[depth];
                tokens.partners[open[depth]] = index;
            }
        }
        return depth > 0 || scanner.isUnterminated() ? null : tokens;
    }

    /** Whether a token is a part of a name behind a dot. */
    private boolean isPart(int index) {
        return type(index - 1) == '.' && (types[index] == TokenType.WORD || types[index] == TokenType.QUOTED);
    }

    private boolean add(int type, byte[] text, int start, int end) {
        if (count == types.length) {
            types = Arrays.copyOf(types, 2 * count);
            starts = Arrays.copyOf(starts, 2 * count);
            partners = Arrays.copyOf(partners, 2 * count);
            words = Arrays.copyOf(words, 2 * count);
            categories = Arrays.copyOf(categories, 2 * count);
        }
        String word = "";
        KeywordCategory category = KeywordCategory.NAME;
        if (type == TokenType.WORD || type == TokenType.QUOTED) {
            String decoded = SqlText.decodeIdentifier(text, start, end);
            if (decoded == null || decoded.isEmpty()) {
                return false;
            }
            word = decoded;
            if (type == TokenType.WORD && type(count - 1) != '.') {
                category = KeywordCategory.of(text, start, end);
                if (word.equals("uescape") && type(count - 1) == TokenType.QUOTED) {
                    return false; // the name before it is not what it seems to be
                }
            }
        } else if (type == TokenType.OPERATOR) {
            word = new String(text, start, end - start, ISO_8859_1);
        } else if (type == TokenType.STRING) {
            word = text[start] == 'u' || text[start] == 'U' ? "u&" : "";
            word = SettingName.isIn(text, start, end) ? OWN_SETTING : word;
            timeInput |= TimeInput.mayBeIn(text, start, end);
        }
        types[count] = type;
        partners[count] = -1;
        words[count] = word;
        categories[count] = category;
        count++;
        return true;
    }

    /** These tokens only; null if they hold a parenthesis without its partner. */
    @Nullable
    Tokens part(int from, int to) {
        Tokens part = new Tokens();
        part.count = to - from;
        part.types = Arrays.copyOfRange(types, from, to);
        part.starts = Arrays.copyOfRange(starts, from, to);
        part.words = Arrays.copyOfRange(words, from, to);
        part.categories = Arrays.copyOfRange(categories, from, to);
        part.partners = Arrays.copyOfRange(partners, from, to);
        for (int i = 0; i < part.count; i++) {
            if (part.partners[i] >= 0) {
                part.partners[i] -= from;
                if (part.partners[i] < 0 || part.partners[i] >= part.count) {
                    return null;
                }
            }
        }
        return part;
    }

    /** The place of the token at an offset from where reading began; -1 if none begins there. */
    int indexAt(int offset) {
        return Math.max(Arrays.binarySearch(starts, 0, count, offset), -1);
    }

    int count() {
        return count;
    }

    /** Whether behind this name of a function stands the plain name of a parameter of the users' own, as its argument. */
    boolean hasOwnSetting(int parenthesis) {
        int next = type(parenthesis + 2);
        return word(parenthesis + 1).equals(OWN_SETTING)
                && type(parenthesis + 1) == TokenType.STRING
                && (next == ')' || next == ',');
    }

    /** Whether one of the text's string constants may stand for the moment; not known of a part. */
    boolean hasTimeInput() {
        return timeInput;
    }

    int type(int i) {
        return i >= 0 && i < count ? types[i] : TokenType.END;
    }

    /** The identifier, the keyword or the operator; empty for all others. */
    String word(int i) {
        return i >= 0 && i < count ? words[i] : "";
    }

    /** The keyword, wherever it stands but behind a dot; empty for all others. */
    String keyword(int i) {
        return category(i) == KeywordCategory.NAME ? "" : words[i];
    }

    KeywordCategory category(int i) {
        return i >= 0 && i < count ? categories[i] : KeywordCategory.NAME;
    }

    /** The place of the parenthesis or bracket that belongs to the one here. */
    int partner(int i) {
        return partners[i];
    }

    /** Whether a word or a quoted identifier is here. */
    boolean isIdentifier(int i) {
        int type = type(i);
        return type == TokenType.WORD || type == TokenType.QUOTED;
    }

    /** Whether a (first part of a) name of a relation can be here. */
    boolean mayNameRelation(int i) {
        return isIdentifier(i)
                && (type(i + 1) == '.'
                        || switch (category(i)) {
                            case NAME, UNRESERVED, COLUMN_NAME -> true;
                            case TYPE_FUNCTION, RESERVED -> false;
                        });
    }

    /** The place behind the name {@code a.b.c} whose first part is here. */
    int chainEnd(int i) {
        int end = i + 1;
        while (type(end) == '.' && isIdentifier(end + 1)) {
            end += 2;
        }
        return end;
    }

    /** The last two parts of the name that begins here. */
    Name name(int i) {
        int last = chainEnd(i) - 1;
        return new Name(last > i ? word(last - 2) : null, word(last));
    }

    /** Whether a statement may begin here: at the start, around a parenthesis, or behind SEARCH … SET a, CYCLE … USING a. */
    boolean beginsStatement(int i) {
        boolean named = isIdentifier(i - 1)
                && (keyword(i - 2).equals("set") || keyword(i - 2).equals("using"));
        return i == 0 || type(i - 1) == '(' || type(i - 1) == ')' || named;
    }

    /** Whether an operand ends here, so that an operator behind it has two. */
    boolean endsOperand(int i) {
        return switch (type(i)) {
            case TokenType.QUOTED, TokenType.NUMBER, TokenType.STRING, TokenType.BIT_STRING, TokenType.PARAMETER, ']' ->
                true;
            case ')' -> !operandFollows(partners[i]);
            case TokenType.WORD ->
                switch (category(i)) {
                    case NAME -> true;
                    case RESERVED, TYPE_FUNCTION -> isValue(word(i));
                    case UNRESERVED, COLUMN_NAME -> !precedesOperand(word(i));
                };
            default -> false;
        };
    }

    /** Whether an operand follows on the parenthesis that opens here: OPERATOR(…) x, DISTINCT ON (…) x. */
    boolean operandFollows(int open) {
        String before = keyword(open - 1);
        return before.equals("operator")
                || (before.equals("on") && keyword(open - 2).equals("distinct"));
    }

    private static boolean isValue(String keyword) {
        return switch (keyword) {
            case "null", "true", "false", "end", "default", "user" -> true;
            default ->
                keyword.startsWith("current_") || keyword.startsWith("localtime") || keyword.equals("session_user");
        };
    }

    private static boolean precedesOperand(String keyword) {
        return switch (keyword) {
            case "by", "between", "escape", "zone", "rows", "range", "groups", "passing", "next", "first" -> true;
            default -> false;
        };
    }
}
