package dev.pgproxy.protocol.sql;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Follows one statement token by token: where it ends, which verb it has, which functions it calls and what it
 * mentions. It knows the few places of the grammar where a name before a parenthesis is no call; elsewhere it is one.
 * Allocates only for functions it does not know. Confined to its event loop.
 */
final class StatementTracker {
    private final SqlScanner scanner;
    private final List<String> unknownFunctions = new ArrayList<>();

    private int tokens;
    private int start;
    private int end;
    private int depth;
    private int atomicDepth;
    private int flags;
    private boolean unbalanced;
    private boolean callsSetConfig;

    private Word first = Word.NONE;
    private Word verb = Word.NONE;
    private boolean verbPending;
    private int verbDepth;
    private boolean callMayFollowParenthesis;

    /** Whether the word before is a verb with which a statement may begin. */
    private boolean behindVerb;

    /** Whether SEARCH or CYCLE stood behind a common table expression: the verb may then follow on a name. */
    private boolean searches;

    /** Whether the condition of COPY … FROM has begun. */
    private boolean copyCondition;

    private int previousType;
    private Word previousWord = Word.NONE;
    private int secondPreviousType;
    private Word secondPreviousWord = Word.NONE;

    /** The last name, what stands before its chain, and the name before its dot, if any. */
    private Word nameWord = Word.NONE;

    private int nameStart;
    private int nameEnd;
    private long nameHash;
    private boolean nameEscaped;
    private int contextType;
    private Word contextWord = Word.NONE;
    private int qualifierStart = -1;
    private int qualifierEnd;

    StatementTracker(SqlScanner scanner) {
        this.scanner = scanner;
    }

    void reset() {
        tokens = 0;
        depth = 0;
        atomicDepth = 0;
        flags = 0;
        unbalanced = false;
        callsSetConfig = false;
        first = Word.NONE;
        verb = Word.NONE;
        verbPending = false;
        callMayFollowParenthesis = false;
        behindVerb = false;
        searches = false;
        copyCondition = false;
        previousType = TokenType.END;
        previousWord = Word.NONE;
        secondPreviousType = TokenType.END;
        secondPreviousWord = Word.NONE;
        qualifierStart = -1;
        if (!unknownFunctions.isEmpty()) {
            unknownFunctions.clear();
        }
    }

    /** Whether a semicolon here ends the statement. */
    boolean isSplitBySemicolon() {
        return depth == 0 && atomicDepth == 0;
    }

    /** Takes the scanner's current token, which is not the end and not a splitting semicolon. */
    void accept(int type) {
        if (tokens++ == 0) {
            start = scanner.start();
        }
        Word word = Word.NONE;
        switch (type) {
            case TokenType.WORD -> word = word();
            case TokenType.QUOTED -> quoted();
            case '(' -> open();
            case ')' -> close();
            default -> {
                if (tokens == 1) {
                    first = Word.NONE;
                }
            }
        }
        secondPreviousType = previousType;
        secondPreviousWord = previousWord;
        previousType = type;
        previousWord = word;
        end = scanner.end();
    }

    private Word word() {
        Word word = Words.of(scanner.hash(), scanner.text(), scanner.start(), scanner.end());
        if (name()) {
            if (!word.keyword && !word.group) {
                mention(word);
            }
            nameWord = Word.NONE;
            return Word.NONE;
        }
        nameWord = word;
        if (verb == Word.NONE) {
            verb(word);
        } else if (!word.group) {
            watch(word);
        }
        return word;
    }

    private void quoted() {
        Word word = Word.NONE;
        if (!scanner.isEscaped()) {
            word = Words.ofQuoted(scanner.hash(), scanner.text(), scanner.start() + 1, scanner.end() - 1);
        } else if (!scanner.isUnterminated()) {
            String decoded = SqlText.decodeIdentifier(scanner.text(), scanner.start(), scanner.end());
            word = decoded == null ? Word.NONE : Words.ofName(decoded);
        }
        name();
        nameWord = Word.NONE;
        if (word != Word.NONE) {
            mention(word);
        }
    }

    /** Remembers the current token as a name; true if it goes on behind a dot, where keywords are names. */
    private boolean name() {
        boolean qualified = previousType == '.';
        if (qualified) {
            boolean named = secondPreviousType == TokenType.WORD || secondPreviousType == TokenType.QUOTED;
            qualifierStart = named ? nameStart : scanner.start();
            qualifierEnd = named ? nameEnd : scanner.start();
        } else {
            qualifierStart = -1;
            contextType = previousType;
            contextWord = previousWord;
        }
        nameStart = scanner.start();
        nameEnd = scanner.end();
        nameHash = scanner.hash();
        nameEscaped = scanner.isEscaped();
        return qualified;
    }

    /** The first word of the statement, or the main verb behind WITH. */
    private void verb(Word word) {
        if (!verbPending) {
            first = tokens == 1 || previousType == '(' ? word : Word.NONE;
            verbPending = first == Word.WITH;
            verbDepth = depth;
            verb = verbPending ? Word.NONE : word;
            return;
        }
        if (depth == verbDepth) {
            switch (word) {
                case SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE -> {
                    if (word.category == KeywordCategory.RESERVED || beginsStatement()) {
                        verb = word;
                        verbPending = false;
                        return;
                    }
                }
                default -> {}
            }
        }
        if (!word.group) {
            watch(word);
        }
    }

    private void watch(Word word) {
        switch (word) {
            case INSERT, UPDATE, DELETE, MERGE -> {
                behindVerb = mayBeginStatement();
                if (behindVerb && beginsStatement()) {
                    flags |= StatementFlags.DATA_MODIFYING_CTE | StatementFlags.WRITES;
                } else if (word == Word.UPDATE && previousWord == Word.FOR) {
                    flags |= StatementFlags.ROW_LOCK;
                }
            }
            case SHARE, NO, KEY -> {
                if (previousWord == Word.FOR) {
                    flags |= StatementFlags.ROW_LOCK;
                }
            }
            case INTO -> {
                boolean target = behindVerb && (previousWord == Word.INSERT || previousWord == Word.MERGE);
                if (!target && isQuery()) {
                    flags |= StatementFlags.SELECT_INTO | StatementFlags.WRITES | StatementFlags.DDL;
                }
            }
            case TEMP, TEMPORARY -> {
                if (previousWord == Word.INTO || previousWord == Word.LOCAL || previousWord == Word.GLOBAL) {
                    flags |= (flags & StatementFlags.SELECT_INTO) != 0 ? StatementFlags.CREATES_TEMP : 0;
                }
            }
            case SEARCH, CYCLE -> searches |= previousType == ')';
            case WHERE -> copyCondition |= first == Word.COPY && depth == 0;
            case ON -> callMayFollowParenthesis |= previousWord == Word.DISTINCT;
            case OPERATOR -> callMayFollowParenthesis = true;
            case UESCAPE -> {
                // a name spelled with escapes of its own: not decoded, so it could be anything
                flags |= previousType == TokenType.QUOTED ? StatementFlags.UNPREDICTABLE_STATE : 0;
            }
            case ATOMIC -> {
                if (previousWord == Word.BEGIN && first == Word.CREATE && atomicDepth == 0) {
                    atomicDepth = 1;
                }
            }
            case CASE -> atomicDepth += atomicDepth > 0 ? 1 : 0;
            case END -> atomicDepth -= atomicDepth > 0 ? 1 : 0;
            default -> mention(word);
        }
    }

    /** Whether a statement within this one, or the one that EXPLAIN or PREPARE holds, may begin at the current word. */
    private boolean mayBeginStatement() {
        return switch (verb) {
            case SELECT, VALUES, TABLE -> depth > verbDepth && beginsStatement();
            case EXPLAIN, PREPARE -> beginsStatement() || announcesStatement(previousWord);
            default -> beginsStatement();
        };
    }

    /** Whether a verb here is one, by what stands before it: else it is a name. */
    private boolean beginsStatement() {
        boolean name = previousType == TokenType.WORD || previousType == TokenType.QUOTED;
        return previousType == '('
                || previousType == ')'
                || (searches && name && (secondPreviousWord == Word.SET || secondPreviousWord == Word.USING));
    }

    private boolean announcesStatement(Word before) {
        return switch (before) {
            case EXPLAIN, ANALYZE, ANALYSE, VERBOSE -> true;
            case AS -> first == Word.PREPARE;
            default -> false;
        };
    }

    private boolean isQuery() {
        return switch (verb) {
            case SELECT, VALUES, TABLE, NONE -> true;
            default -> first == Word.EXPLAIN || first == Word.PREPARE || first == Word.DECLARE;
        };
    }

    private void mention(Word word) {
        switch (word) {
            case PG_TEMP -> flags |= StatementFlags.MENTIONS_TEMP_SCHEMA;
            case PG_SETTINGS -> flags |= StatementFlags.MENTIONS_SETTINGS;
            case PG_PREPARED_STATEMENT, PG_PREPARED_STATEMENTS -> flags |= StatementFlags.MENTIONS_PREPARED;
            case PG_LISTENING_CHANNELS -> flags |= StatementFlags.MENTIONS_CHANNELS;
            default -> {}
        }
    }

    private void open() {
        if (previousType == TokenType.WORD || previousType == TokenType.QUOTED) {
            if (!(nameWord.neverFunction && qualifierStart < 0) && !isNoCall()) {
                call();
            }
        } else if (verbPending && depth == verbDepth && (previousType == ')' || previousType == '(')) {
            verbDepth++; // WITH … (SELECT …)
        }
        depth++;
    }

    private void close() {
        depth--;
        if (depth < 0) {
            depth = 0;
            unbalanced = true;
        }
    }

    private boolean isNoCall() {
        if (qualifierStart < 0 && isConstruct()) {
            return true;
        }
        if (tokens == 2 || (verbPending && depth == verbDepth)) {
            return true; // EXPLAIN (…), WITH a (x) AS (…), b (y) AS (…)
        }
        return switch (contextType) {
            case TokenType.TYPE_CAST, TokenType.QUOTED -> true; // a type with modifiers, an alias with columns
            case ')' -> !callMayFollowParenthesis;
            case TokenType.WORD -> !contextWord.keyword || namesNoFunction();
            default -> runsNothing();
        };
    }

    /** Keywords that may be functions of a user, in the places where they are not. */
    private boolean isConstruct() {
        return switch (nameWord) {
            case JOIN, LIKE, ILIKE, OVERLAPS -> true;
            case OVER, FILTER, REPEATABLE -> contextType == ')';
            case BY -> contextWord == Word.GROUP || contextWord == Word.ORDER || contextWord == Word.PARTITION;
            case VARYING -> contextWord == Word.OTHER_COLUMN_NAME; // character varying(10)
            case CONFLICT -> contextWord == Word.ON;
            case SETS -> contextWord == Word.GROUPING;
            case ZONE -> contextWord == Word.TIME;
            case MATERIALIZED -> contextWord == Word.AS || contextWord == Word.NOT;
            case KEY -> contextWord == Word.PRIMARY || contextWord == Word.FOREIGN;
            case SET ->
                contextWord == Word.UPDATE
                        || (contextType == TokenType.WORD && !contextWord.keyword)
                        || contextType == TokenType.QUOTED;
            case INSERT -> verb == Word.MERGE && contextWord == Word.THEN;
            default -> false;
        };
    }

    /** Whether the keyword before a name says that the name is a relation, a type or a statement. */
    private boolean namesNoFunction() {
        return switch (contextWord) {
            case INTO, AS, EXECUTE, PREPARE -> true;
            case TABLE, EXISTS, FUNCTION, PROCEDURE, VIEW, INDEX, TYPE, REFERENCES, ON, USING, ONLY, PARTITION, OF ->
                first == Word.CREATE || first == Word.ALTER || runsNothing();
            default -> runsNothing();
        };
    }

    private boolean runsNothing() {
        return switch (first) {
            case COPY -> depth == 0 && !copyCondition;
            case VACUUM, ANALYZE, ANALYSE, GRANT, REVOKE, COMMENT, DROP, REINDEX, CLUSTER, DEALLOCATE -> true;
            default -> false;
        };
    }

    private void call() {
        byte[] text = scanner.text();
        boolean quoted = text[nameStart] == '"';
        int known;
        if (nameEscaped) {
            String decoded = SqlText.decodeIdentifier(text, nameStart, nameEnd);
            known = decoded == null ? Words.ABSENT : Functions.flags(decoded);
        } else if (quoted) {
            known = Functions.flags(nameHash, text, nameStart + 1, nameEnd - 1, false);
        } else {
            known = Functions.flags(nameHash, text, nameStart, nameEnd, true);
        }
        if (qualifierStart >= 0 && !isCatalog()) {
            known = Functions.flagsElsewhere(known);
        }
        if (known == Words.ABSENT) {
            known = StatementFlags.UNKNOWN_FUNCTION;
        }
        if (known == Functions.SET_CONFIG) {
            callsSetConfig = true;
            return;
        }
        flags |= known;
        if ((known & StatementFlags.UNKNOWN_FUNCTION) != 0
                && unknownFunctions.size() < StatementFacts.MAX_UNKNOWN_FUNCTIONS) {
            addUnknown(text);
        }
    }

    private boolean isCatalog() {
        byte[] text = scanner.text();
        if (qualifierEnd > qualifierStart && CharClass.isIdentifierStart(text[qualifierStart])) {
            long hash = WordHash.of(text, qualifierStart, qualifierEnd, true);
            if (Words.of(hash, text, qualifierStart, qualifierEnd) == Word.PG_CATALOG) {
                return true;
            }
        }
        return text[qualifierStart] == '"' && "pg_catalog".equals(qualifier(text));
    }

    private @Nullable String qualifier(byte[] text) {
        return qualifierEnd > qualifierStart ? SqlText.decodeIdentifier(text, qualifierStart, qualifierEnd) : "?";
    }

    private void addUnknown(byte[] text) {
        String name = SqlText.decodeIdentifier(text, nameStart, nameEnd);
        if (name == null) {
            flags |= StatementFlags.OPAQUE;
            return;
        }
        String qualifier = qualifierStart < 0 ? null : qualifier(text);
        String full = qualifier == null ? name : qualifier + "." + name;
        if (!unknownFunctions.contains(full)) {
            unknownFunctions.add(full);
        }
    }

    boolean isEmpty() {
        return tokens == 0;
    }

    int tokens() {
        return tokens;
    }

    int start() {
        return start;
    }

    int end() {
        return end;
    }

    /** The first word, behind opening parentheses. */
    Word first() {
        return first;
    }

    /** The first word, or the main verb of WITH; {@link Word#NONE} if there is none. */
    Word verb() {
        return verb;
    }

    /** What was noticed so far, without what the kind of statement implies. */
    int flags() {
        boolean broken = unbalanced || depth != 0 || atomicDepth != 0;
        return broken ? flags | StatementFlags.OPAQUE : flags;
    }

    /** Whether a part of the statement writes, whatever its verb is. */
    boolean writesInside() {
        return (flags & StatementFlags.WRITES) != 0;
    }

    boolean callsSetConfig() {
        return callsSetConfig;
    }

    List<String> unknownFunctions() {
        return unknownFunctions;
    }
}
