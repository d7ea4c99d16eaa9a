package dev.pgproxy.routing.catalog;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.protocol.sql.SqlScanner;
import dev.pgproxy.protocol.sql.SqlText;
import dev.pgproxy.protocol.sql.TimeInput;
import dev.pgproxy.protocol.sql.TokenType;
import dev.pgproxy.routing.sql.Name;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the body of a function in SQL or PL/pgSQL may name, from its tokens alone: never too little. What stands in its
 * strings is not looked at; a body that can run a string says so. Confined to its thread.
 */
final class BodyText {
    /** Words, and functions without effect, whose value is the start of the transaction. */
    static final Set<String> TRANSACTION_TIME = Set.of(
            "now",
            "transaction_timestamp",
            "current_timestamp",
            "current_date",
            "current_time",
            "localtime",
            "localtimestamp");

    /** Verbs of statements that change definitions or rights, wherever in a body they stand. */
    private static final Set<String> DEFINING = Set.of("create", "alter", "drop", "grant", "revoke");

    /** Two words that do, where the first by itself may well be a column. */
    private static final Map<String, String> DEFINING_PAIRS =
            Map.of("comment", "on", "security", "label", "import", "foreign", "reassign", "owned");

    /** Each may be a relation. */
    final Set<Name> relations = new HashSet<>();

    /** What stands before a parenthesis. */
    final Set<Name> functions = new HashSet<>();

    /** With the schema of OPERATOR(schema.+). */
    final Set<Name> operators = new HashSet<>();

    /** Every identifier, each part of a qualified one by itself. */
    final Set<String> words = new HashSet<>();

    /** Whether it may run a text that is not in it, or is written in a way that is not understood. */
    boolean dynamic;

    /** Whether it may change definitions or rights. */
    boolean defines;

    boolean truncates;
    boolean setsSearchPath;
    boolean transactionBound;

    private final byte[] text;
    private final SqlScanner scanner = new SqlScanner();
    private final List<String> name = new ArrayList<>();
    private boolean joined;
    private String previous = "";
    /** Whether WITH would make it TIME [(p)] WITH TIME ZONE. */
    private boolean time;
    /** current_setting, whose argument decides whether it matters. */
    private @Nullable Name settingCall;

    BodyText(String body) {
        text = body.getBytes(UTF_8);
        scanner.reset(text, 0, text.length, true);
        while (scanner.next() != TokenType.END) {
            token(scanner.type());
        }
        endName(TokenType.END);
        dynamic |= scanner.isUnterminated() || words.contains("execute") || words.contains("uescape");
        truncates = words.contains("truncate");
        setsSearchPath = words.contains("search_path");
        transactionBound |= words.stream().anyMatch(TRANSACTION_TIME::contains);
    }

    private void token(int type) {
        if (settingCall != null) {
            // settings with a dot are the users' own: a session has them with the same value on every host
            String setting = type == TokenType.STRING ? string() : null;
            if (setting == null || !setting.contains(".")) {
                functions.add(settingCall);
            }
            settingCall = null;
        }
        time &= type == TokenType.WORD || type == '(' || type == TokenType.NUMBER || type == ')';
        if (type == TokenType.WORD || type == TokenType.QUOTED) {
            identifier();
        } else if (type == '.' && !name.isEmpty() && !joined) {
            joined = true;
        } else {
            String schema = joined ? name.getLast() : null;
            endName(type);
            if (type == TokenType.STRING) {
                transactionBound |= TimeInput.mayBeIn(text, scanner.start(), scanner.end());
            } else if (type == TokenType.OPERATOR) {
                operators.add(
                        new Name(schema, new String(text, scanner.start(), scanner.end() - scanner.start(), UTF_8)));
            }
        }
    }

    private void identifier() {
        String word = SqlText.decodeIdentifier(text, scanner.start(), scanner.end());
        if (word == null) {
            dynamic = true;
            word = "";
        }
        if (!joined) {
            endName(scanner.type());
            defines |= DEFINING.contains(word) || word.equals(DEFINING_PAIRS.get(previous));
            dynamic |= previous.equals("do") && word.equals("language");
        }
        joined = false;
        name.add(word);
        words.add(word);
        if (time && word.equals("with")) {
            words.add("timetz");
        }
        time = word.equals("time");
    }

    /** Takes the names that the last identifiers, with dots between them, can be. */
    private void endName(int nextType) {
        int last = name.size() - 1;
        joined = false;
        previous = "";
        if (last < 0) {
            return;
        }
        relations.add(new Name(null, name.getFirst()));
        for (int i = 0; i < last; i++) {
            relations.add(new Name(name.get(i), name.get(i + 1)));
        }
        Name whole = new Name(last == 0 ? null : name.get(last - 1), name.get(last));
        previous = last == 0 ? whole.name() : "";
        if (nextType == '(' && whole.name().equals("current_setting")) {
            settingCall = whole;
        } else if (nextType == '(') {
            functions.add(whole);
        }
        dynamic |= previous.equals("do") && nextType == TokenType.STRING;
        name.clear();
    }

    private @Nullable String string() {
        return SqlText.decodeString(text, scanner.start(), scanner.end(), true);
    }
}
