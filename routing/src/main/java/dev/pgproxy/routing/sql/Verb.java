package dev.pgproxy.routing.sql;

import dev.pgproxy.protocol.sql.StatementKind;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.delete.Delete;
import net.sf.jsqlparser.statement.insert.Insert;
import net.sf.jsqlparser.statement.merge.Merge;
import net.sf.jsqlparser.statement.select.Select;
import net.sf.jsqlparser.statement.update.Update;

/** What a query or data change is at its outermost level. Immutable. */
enum Verb {
    QUERY,
    INSERT,
    UPDATE,
    DELETE,
    MERGE,
    NONE;

    /** By its first word, or the one behind its common table expressions. */
    static Verb of(Tokens tokens) {
        int i = 0;
        while (tokens.type(i) == '(') {
            i++;
        }
        if (!tokens.keyword(i).equals("with")) {
            return of(tokens.keyword(i));
        }
        for (i++; i < tokens.count(); i++) {
            boolean behind =
                    tokens.type(i - 1) != ',' && !tokens.keyword(i - 1).equals("recursive") && named(tokens, i);
            Verb verb = behind ? of(tokens.keyword(i)) : NONE;
            if (verb != NONE) {
                return verb;
            }
            i = tokens.type(i) == '(' ? tokens.partner(i) : i;
        }
        return NONE;
    }

    /** Whether a common table expression stands before this place, so that the verb may follow. */
    private static boolean named(Tokens tokens, int i) {
        return tokens.beginsStatement(i)
                || tokens.keyword(i).equals("select")
                || tokens.keyword(i).equals("table");
    }

    private static Verb of(String keyword) {
        return switch (keyword) {
            case "select", "values", "table" -> QUERY;
            case "insert" -> INSERT;
            case "update" -> UPDATE;
            case "delete" -> DELETE;
            case "merge" -> MERGE;
            default -> NONE;
        };
    }

    /** Whether the scanner's kind can have it. */
    boolean isOf(StatementKind kind) {
        return switch (kind) {
            case SELECT, VALUES, TABLE, DECLARE -> this == QUERY;
            case INSERT -> this == INSERT;
            case UPDATE -> this == UPDATE;
            case DELETE -> this == DELETE;
            case MERGE -> this == MERGE;
            case CREATE -> this == QUERY;
            default -> this != NONE;
        };
    }

    /** Whether JSqlParser's statement is of this sort. */
    boolean isOf(Statement statement) {
        return switch (this) {
            case QUERY -> statement instanceof Select;
            case INSERT -> statement instanceof Insert;
            case UPDATE -> statement instanceof Update;
            case DELETE -> statement instanceof Delete;
            case MERGE -> statement instanceof Merge;
            case NONE -> false;
        };
    }
}
