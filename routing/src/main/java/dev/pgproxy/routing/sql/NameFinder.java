package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.TokenType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds what a query or data change names, by the places where PostgreSQL's grammar (src/backend/parser/gram.y) lets
 * relations stand: behind FROM, JOIN, USING, ONLY, INTO, UPDATE and TABLE, and behind commas and parentheses within
 * lists of these. Words that end such a list are reserved, so no name can end it unseen. Finds too much rather than too
 * little. Good for one text; not shared.
 */
final class NameFinder {
    final List<Mention> mentions = new ArrayList<>();
    final List<CommonTable> commonTables = new ArrayList<>();
    final Set<Name> written = new HashSet<>();
    final Set<Name> functions = new HashSet<>();
    final Set<Name> operators = new HashSet<>();

    private final Tokens tokens;
    private final Calls calls;
    private final Deque<Level> outer = new ArrayDeque<>();
    private Level level;

    /** What is known inside a pair of parentheses. */
    private static final class Level {
        final int end;
        Clause clause;
        /** Whether it is a query rather than arguments, so that FROM means what it says. */
        boolean certain;
        /** Whether names may be those of common table expressions being defined. */
        boolean with;

        /** Where WITH RECURSIVE stands, or -1. */
        int recursive = -1;

        Level(int end, Clause clause, boolean certain) {
            this.end = end;
            this.clause = clause;
            this.certain = certain;
        }
    }

    NameFinder(Tokens tokens) {
        this.tokens = tokens;
        this.calls = new Calls(tokens);
        this.level = new Level(tokens.count(), Clause.OTHER, true);
    }

    /** Reads all of it. */
    void run() {
        int i = 0;
        while (i < tokens.count()) {
            i = step(i);
        }
    }

    private int step(int i) {
        switch (tokens.type(i)) {
            case '(' -> open(i);
            case '[' -> push(new Level(tokens.partner(i), Clause.OTHER, false));
            case ')', ']' -> level = outer.pop();
            case ',' -> {
                if (level.clause == Clause.JOIN_CONDITION) {
                    level.clause = Clause.FROM_LIST;
                }
            }
            case TokenType.OPERATOR -> {
                boolean qualified = tokens.type(i - 1) == '.' && tokens.isIdentifier(i - 2);
                operator(qualified ? tokens.word(i - 2) : null, tokens.word(i));
            }
            case TokenType.WORD, TokenType.QUOTED -> {
                return word(i);
            }
            default -> {}
        }
        return i + 1;
    }

    private void operator(@Nullable String schema, String operator) {
        operators.add(new Name(schema, operator));
    }

    private void push(Level inner) {
        outer.push(level);
        level = inner;
    }

    private void open(int i) {
        String before = tokens.keyword(i - 1);
        boolean inherits = switch (before) {
            case "from", "join", "lateral", "using" -> true;
            default -> tokens.type(i - 1) == ',' || tokens.type(i - 1) == '(';
        };
        Clause clause = Clause.OTHER;
        if (before.equals("only") || (inherits && level.clause == Clause.FROM_LIST)) {
            clause = Clause.FROM_LIST;
        } else if (before.equals("sets") && level.clause == Clause.GROUPING) {
            clause = Clause.GROUPING;
        }
        boolean certain = clause == Clause.FROM_LIST && level.certain && !before.equals("using");
        int first = i + 1;
        while (tokens.type(first) == '(') {
            first++;
        }
        switch (tokens.keyword(first)) {
            case "select", "with", "table" -> {
                clause = first == i + 1 ? Clause.OTHER : clause;
                certain = true;
            }
            case "values" -> {
                if (tokens.type(first + 1) == '(') {
                    clause = first == i + 1 ? Clause.OTHER : clause;
                    certain = true;
                }
            }
            case "insert", "update", "delete", "merge" -> certain |= clause == Clause.OTHER && first == i + 1;
            default -> {}
        }
        push(new Level(tokens.partner(i), clause, certain));
    }

    /** A keyword, or a name with all its parts. */
    private int word(int i) {
        String keyword = tokens.keyword(i);
        if (!keyword.isEmpty()) {
            keyword(keyword, i);
            impliedOperators(keyword);
        }
        int end = tokens.chainEnd(i);
        boolean called = tokens.type(end) == '(';
        if (level.with && isCommonTable(i)) {
            return end;
        }
        int announced = announcement(i);
        String announcer = tokens.keyword(announced);
        boolean takesColumns = switch (announcer) {
            case "into", "update", "table" -> true;
            default -> false;
        };
        boolean rowsFrom = keyword.equals("rows") && tokens.keyword(end).equals("from") && tokens.type(end + 1) == '(';
        if (tokens.mayNameRelation(i) && !rowsFrom && (!called || takesColumns) && isAnnounced(i, announced)) {
            mention(i, announced);
        } else if (called && calls.isCall(i, end, level.clause)) {
            Name name = tokens.name(i);
            if (!isCurrentSetting(name) || !tokens.hasOwnSetting(end)) {
                functions.add(name);
            }
        }
        return end;
    }

    /** Of a parameter with a dot it says nothing that its word does not: sessions have them with the same value on every host. */
    private static boolean isCurrentSetting(Name name) {
        return name.name().equals("current_setting")
                && (name.schema() == null || name.schema().equals("pg_catalog"));
    }

    private void keyword(String keyword, int i) {
        switch (keyword) {
            case "from" -> {
                boolean comparison = tokens.keyword(i - 1).equals("distinct")
                        && (tokens.keyword(i - 2).equals("is")
                                || tokens.keyword(i - 2).equals("not"));
                level.certain &= !comparison;
                level.with = false;
                level.clause = Clause.FROM_LIST;
            }
            case "join" -> level.clause = Clause.FROM_LIST;
            case "using" -> {
                level.certain &= !tokens.keyword(i + 1).equals("operator"); // ORDER BY a USING OPERATOR(…)
                boolean sorting = tokens.type(i + 1) == TokenType.OPERATOR;
                level.clause = sorting ? level.clause : Clause.FROM_LIST;
            }
            case "on" -> {
                level.certain &= !tokens.keyword(i + 1).equals("conflict");
                if (level.clause == Clause.FROM_LIST) {
                    level.clause = Clause.JOIN_CONDITION;
                }
            }
            case "group" -> {
                if (!tokens.keyword(i - 1).equals("within")) {
                    level.clause = Clause.GROUPING;
                }
            }
            case "where",
                    "having",
                    "order",
                    "limit",
                    "offset",
                    "fetch",
                    "for",
                    "union",
                    "intersect",
                    "except",
                    "returning" -> level.clause = Clause.OTHER;
            case "select", "table", "window", "into" -> {
                level.clause = Clause.OTHER;
                level.with = false;
            }
            case "when" -> level.certain &= level.clause != Clause.JOIN_CONDITION;
            case "with" -> with(i);
            default -> {}
        }
    }

    private void with(int i) {
        if (level.clause == Clause.OTHER) {
            level.with = true;
            boolean recursive = tokens.keyword(i + 1).equals("recursive") && tokens.isIdentifier(i + 2);
            level.recursive = recursive && !tokens.keyword(i + 2).equals("as") ? i : -1;
        }
    }

    /** Whether a name here is that of a common table expression; if so it is one from now on. */
    private boolean isCommonTable(int i) {
        String before = tokens.keyword(i - 1);
        if (!before.equals("with") && !before.equals("recursive") && tokens.type(i - 1) != ',') {
            return false;
        }
        int as = tokens.type(i + 1) == '(' ? tokens.partner(i + 1) + 1 : i + 1;
        int body = as + 1;
        if (tokens.keyword(body).equals("not")) {
            body++;
        }
        if (tokens.keyword(body).equals("materialized")) {
            body++;
        }
        if (!tokens.keyword(as).equals("as") || tokens.type(body) != '(') {
            return false;
        }
        int from = level.recursive >= 0 ? level.recursive : tokens.partner(body);
        commonTables.add(new CommonTable(tokens.word(i), from, level.end));
        return true;
    }

    /** The place of the word that says what the name here is; for most names just the one before it. */
    private int announcement(int i) {
        int at = i - 1;
        if (tokens.type(at) == '(' && tokens.keyword(at - 1).equals("only")) {
            at--;
        }
        if (tokens.keyword(at).equals("only")) {
            String before = tokens.keyword(at - 1);
            return switch (before) {
                case "into", "update", "from", "table" -> at - 1;
                default -> at;
            };
        }
        int words = at;
        while (words > at - 3 && isPersistence(tokens.keyword(words))) {
            words--;
        }
        return tokens.keyword(words).equals("into") ? words : at;
    }

    private static boolean isPersistence(String keyword) {
        return switch (keyword) {
            case "temp", "temporary", "unlogged", "local", "global", "table" -> true;
            default -> false;
        };
    }

    private boolean isAnnounced(int i, int announced) {
        return switch (tokens.keyword(announced)) {
            case "from", "join", "using", "only", "table", "into" -> true;
            case "update" -> tokens.beginsStatement(announced);
            default -> level.clause == Clause.FROM_LIST && (tokens.type(i - 1) == ',' || tokens.type(i - 1) == '(');
        };
    }

    private void mention(int i, int announced) {
        Name name = tokens.name(i);
        String before = tokens.keyword(announced - 1);
        boolean changes = switch (tokens.keyword(announced)) {
            case "update" -> true;
            case "into" -> (before.equals("insert") || before.equals("merge")) && tokens.beginsStatement(announced - 1);
            case "from" -> before.equals("delete") && tokens.beginsStatement(announced - 1);
            default -> false;
        };
        boolean target = changes || tokens.keyword(announced).equals("into");
        boolean doubtful = target && isPersistence(tokens.keyword(i));
        mentions.add(new Mention(i, name, level.certain && !doubtful, target));
        if (changes) {
            written.add(name);
        }
    }

    /** The operators behind words: PostgreSQL looks them up by their names, as if they were written. */
    private void impliedOperators(String keyword) {
        switch (keyword) {
            case "like" -> implied("~~", "!~~");
            case "ilike" -> implied("~~*", "!~~*");
            case "similar" -> implied("~", "!~");
            case "between" -> implied(">=", "<=", "<", ">");
            case "in", "distinct", "nullif", "using", "natural", "case" -> implied("=", "<>");
            default -> {}
        }
    }

    private void implied(String... names) {
        for (String name : names) {
            operator(null, name);
        }
    }
}
