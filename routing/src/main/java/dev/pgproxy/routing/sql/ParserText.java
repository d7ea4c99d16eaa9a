package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.KeywordCategory;
import dev.pgproxy.protocol.sql.TokenType;
import java.util.Arrays;
import java.util.Set;

/**
 * Writes a statement anew for JSqlParser: the same structure in plainer words. Literals and names become shorter, each
 * name the same one; operators become {@code +}; comments and signs go, and so does what JSqlParser cannot read and
 * names no relation. It keeps where each name came from. Good for one text; not shared.
 */
final class ParserText {
    private static final String NAME = "c";

    /** Keywords, not reserved, which have a meaning inside queries and data changes; others are names. */
    private static final Set<String> ROLES = Set.of(("absent at breadth by columns conditional conflict content cube"
                    + " current cycle data day delete depth do document double empty error escape exclude filter first"
                    + " following format groups hour if insert intersect json json_array json_arrayagg json_exists"
                    + " json_objectagg json_query json_scalar json_serialize json_table json_value keep key keys last"
                    + " local locked matched materialized merge minute month name nested next no nothing nowait nulls"
                    + " object of omit ordinality others over overriding partition passing path plan preceding quotes"
                    + " range recursive ref repeatable rollup rows scalar search second set sets share skip source"
                    + " standalone string system target ties unbounded unconditional unknown update value varying"
                    + " version within without wrapper year zone")
            .split(" "));

    private final Tokens tokens;
    private final Calls calls;
    private final boolean[] relation;
    private final StringBuilder text = new StringBuilder();
    private int[] offsets = new int[32];
    private int[] places = new int[32];
    private int names;
    private final int[] open = new int[Tokens.MAX_DEPTH];
    private int depth;

    /** Writes the tokens; the mentions are at the given places. */
    ParserText(Tokens tokens, Iterable<Mention> mentions) {
        this.tokens = tokens;
        this.calls = new Calls(tokens);
        this.relation = new boolean[tokens.count()];
        for (Mention mention : mentions) {
            relation[mention.place()] = true;
        }
        int i = 0;
        while (i < tokens.count()) {
            i = step(i);
        }
    }

    /** What JSqlParser reads. */
    String text() {
        return text.toString();
    }

    /** The place of the token that was written at an offset, or -1 if none begins there that is a name. */
    int placeAt(int offset) {
        int found = Arrays.binarySearch(offsets, 0, names, offset);
        return found < 0 ? -1 : places[found];
    }

    private int step(int i) {
        int type = tokens.type(i);
        return switch (type) {
            case TokenType.WORD, TokenType.QUOTED -> word(i);
            case TokenType.STRING, TokenType.BIT_STRING -> {
                put("'x'");
                boolean escape = tokens.keyword(i + 1).equals("uescape") && tokens.type(i + 2) == TokenType.STRING;
                yield escape && tokens.word(i).equals("u&") ? i + 3 : i + 1;
            }
            case TokenType.NUMBER -> put("1", i + 1);
            case TokenType.PARAMETER -> put("$1", i + 1);
            case TokenType.OPERATOR -> operator(i, i + 1);
            case TokenType.TYPE_CAST -> put("::", i + 1);
            case ',' -> comma(i);
            case '.' -> dot(i);
            case ')' -> close(i);
            case '(', '[' -> open(i, type);
            case ']' -> {
                depth--;
                yield put("]", i + 1);
            }
            case ':' -> colon(i);
            case TokenType.COLON_EQUALS, TokenType.EQUALS_GREATER, TokenType.DOT_DOT -> put("?", i + 1);
            default -> put(Character.toString(type), i + 1);
        };
    }

    private void put(String word) {
        text.append(word).append(' ');
    }

    private int put(String word, int next) {
        put(word);
        return next;
    }

    private int name(int i) {
        if (names == offsets.length) {
            offsets = Arrays.copyOf(offsets, 2 * names);
            places = Arrays.copyOf(places, 2 * names);
        }
        offsets[names] = text.length();
        places[names++] = i;
        return put(NAME, i + 1);
    }

    private int chain(int i, int end) {
        name(i);
        for (int at = i + 2; at < end; at += 2) {
            put(".");
            name(at);
        }
        return end;
    }

    /** Of constants in a row the first and the last are enough; so they are of rows of constants. */
    private int comma(int i) {
        int next = i + 1;
        if (tokens.type(next) == '(') {
            int close = tokens.partner(next);
            if (tokens.type(close + 1) == ',' && areConstants(next + 1, close)) {
                return close + 1;
            }
        } else {
            int end = next;
            while (isConstant(end)) {
                end++;
            }
            if (end > next && tokens.type(end) == ',') {
                return end;
            }
        }
        return put(",", next);
    }

    private boolean areConstants(int from, int to) {
        int i = from;
        while (i < to && (isConstant(i) || tokens.type(i) == ',')) {
            i++;
        }
        return i == to;
    }

    private boolean isConstant(int i) {
        return switch (tokens.type(i)) {
            case TokenType.NUMBER, TokenType.STRING, TokenType.BIT_STRING, TokenType.PARAMETER, TokenType.TYPE_CAST ->
                true;
            case TokenType.OPERATOR ->
                tokens.word(i).equals("-") || tokens.word(i).equals("+");
            case TokenType.WORD ->
                switch (tokens.keyword(i)) {
                    case "null", "true", "false", "default" -> true;
                    default -> tokens.type(i - 1) == TokenType.TYPE_CAST;
                };
            default -> false;
        };
    }

    private int open(int i, int type) {
        open[depth++] = type;
        boolean only = tokens.keyword(i - 1).equals("only");
        return only ? i + 1 : put(Character.toString(type), i + 1);
    }

    /** Between the bounds of a slice, of which one may be missing, or between a key and a value of JSON. */
    private int colon(int i) {
        if (depth == 0 || open[depth - 1] != '[') {
            return put(",", i + 1);
        }
        boolean from = tokens.type(i - 1) != '[';
        boolean to = tokens.type(i + 1) != ']';
        if (from == to) {
            put(from ? ":" : "1");
        }
        return i + 1;
    }

    /** Fields of values, {@code (r).f}, {@code a[1].f} and {@code (r).*}, are left out. */
    private int dot(int i) {
        boolean field = tokens.type(i - 1) == ')' || tokens.type(i - 1) == ']';
        if (!field || !isField(i + 1)) {
            return put(".", i + 1);
        }
        int next = i + 2;
        while (tokens.type(next) == '.' && isField(next + 1)) {
            next += 2;
        }
        return next;
    }

    private boolean isField(int i) {
        return tokens.isIdentifier(i) || tokens.word(i).equals("*");
    }

    /** JOIN … USING (…) AS alias loses its alias. */
    private int close(int i) {
        depth--;
        String before = tokens.keyword(tokens.partner(i) - 1);
        if (before.equals("only")) {
            return i + 1;
        }
        put(")");
        boolean alias = before.equals("using") && tokens.keyword(i + 1).equals("as") && tokens.isIdentifier(i + 2);
        return alias ? i + 3 : i + 1;
    }

    /** An operator between two operands is {@code +}, one before its operand is left out; its end is given. */
    private int operator(int i, int next) {
        String word = tokens.word(i);
        if (!tokens.endsOperand(i - 1)) {
            return word.equals("*") ? put("*", next) : next;
        }
        if (word.equals("=") && isAssignment(i)) {
            return put("=", next);
        }
        return switch (tokens.keyword(next)) {
            case "any", "all", "some" -> put("=", next);
            default -> put("+", next);
        };
    }

    /** Whether this is SET column = …, SET (columns) = …: the column stands behind SET or a comma. */
    private boolean isAssignment(int i) {
        int at = i - 1;
        while (tokens.type(at) == ']' || tokens.type(at) == ')') {
            at = tokens.partner(at) - 1;
        }
        while (tokens.isIdentifier(at) && !tokens.keyword(at).equals("set")) {
            at = tokens.type(at - 1) == '.' ? at - 2 : at - 1;
        }
        return tokens.keyword(at).equals("set") || tokens.type(at) == ',';
    }

    private int word(int i) {
        if (relation[i]) {
            return relation(i);
        }
        String keyword = tokens.keyword(i);
        KeywordCategory category = tokens.category(i);
        if (category == KeywordCategory.TYPE_FUNCTION
                && tokens.type(i + 1) == '('
                && calls.isCall(i, i + 1, Clause.OTHER)) {
            return name(i);
        }
        if (category == KeywordCategory.RESERVED || category == KeywordCategory.TYPE_FUNCTION) {
            int next = ReservedWords.rewrite(tokens, i, this::put);
            if (next >= 0) {
                return next;
            }
        } else {
            int end = tokens.chainEnd(i);
            int next = tokens.type(end);
            if (next == TokenType.EQUALS_GREATER || next == TokenType.COLON_EQUALS) {
                return end + 1; // f(name => value)
            }
            if (next == TokenType.STRING && category == KeywordCategory.NAME && !tokens.endsOperand(i - 1)) {
                return end; // type 'value'
            }
            if (keyword.equals("operator") && tokens.type(i + 1) == '(') {
                int close = tokens.partner(i + 1);
                if (tokens.type(close - 1) == TokenType.OPERATOR) {
                    return tokens.endsOperand(i - 1) ? put("+", close + 1) : close + 1;
                }
            }
            if (isTimeType(keyword) && tokens.type(i + 1) == '(' && tokens.partner(i + 1) == i + 3) {
                return put(keyword, i + 4); // without its precision
            }
            if (keyword.equals("at") && tokens.keyword(i + 1).equals("local") && tokens.endsOperand(i - 1)) {
                return i + 2;
            }
        }
        return isPlainName(i, keyword, category) ? chain(i, tokens.chainEnd(i)) : put(tokens.word(i), i + 1);
    }

    private static boolean isTimeType(String keyword) {
        return keyword.equals("timestamp") || keyword.equals("time") || keyword.equals("interval");
    }

    /** A relation with all its parts, without the star that means its children. */
    private int relation(int i) {
        int end = tokens.chainEnd(i);
        if (tokens.type(end) == TokenType.STRING) {
            return end; // EXTRACT(year FROM type 'value')
        }
        chain(i, end);
        boolean star = tokens.word(end).equals("*") && tokens.type(end) == TokenType.OPERATOR;
        return star && !startsOperand(end + 1) ? end + 1 : end;
    }

    private boolean startsOperand(int i) {
        return switch (tokens.type(i)) {
            case TokenType.NUMBER, TokenType.STRING, TokenType.PARAMETER, '(' -> true;
            default -> false;
        };
    }

    private boolean isPlainName(int i, String keyword, KeywordCategory category) {
        if (category == KeywordCategory.NAME || tokens.type(i + 1) == '.') {
            return true;
        }
        if (tokens.keyword(i - 1).equals("as")) {
            return switch (tokens.type(i + 1)) {
                case ',', ')', TokenType.END -> true;
                default -> tokens.keyword(i + 1).equals("from");
            };
        }
        return category == KeywordCategory.UNRESERVED && !ROLES.contains(keyword);
    }
}
