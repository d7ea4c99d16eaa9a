package dev.pgproxy.migrate;

import dev.pgproxy.migrate.Before.Kind;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Collects what takes the statements of one migration back, in reverse order. Only what it has read to the end of what matters
 * counts as understood; anything else is refused with a reason. Words are read by our own scanner, as a parser that repairs or
 * misses a clause would make a script that undoes something else. Confined to the thread that runs the migration.
 */
final class Undo {
    private static final String UNNAMED = "has no name of its own in the text: give it one";
    private static final String UNREADABLE = "not understood";

    private final Before before;
    private final List<String> statements = new ArrayList<>();

    /** Tables that the migration itself has made: what it does to them goes with them. */
    private final Set<String> made = new HashSet<>();

    private final AlterUndo alters;

    Undo(Before before) {
        this.before = before;
        this.alters = new AlterUndo(before, made, statements);
    }

    /** The last first. */
    List<String> statements() {
        return statements.reversed();
    }

    /** Takes the next statement; returns why nothing takes it back, or null. */
    @Nullable
    String add(SqlStatement statement) throws SQLException {
        Words words = statement.words();
        String verb = statement.verb();
        return switch (verb) {
            case "CREATE" -> create(words);
            case "ALTER" -> alters.alter(words);
            case "COMMENT" -> comment(words);
            case "INSERT", "UPDATE", "DELETE" -> data(words, verb);
            case "ANALYZE", "VACUUM", "REINDEX" -> null;
            case "SET" -> set(words);
            case "MERGE", "TRUNCATE", "COPY", "WITH" -> verb + " changes data";
            case "DROP" -> "what DROP removes is gone";
            case "GRANT", "REVOKE" -> verb + " changes rights, and which there were is not known";
            case "SELECT", "DO", "CALL" -> verb + " may do anything";
            default -> "nothing is known that takes " + verb + " back";
        };
    }

    private @Nullable String create(Words words) throws SQLException {
        words.skip("create");
        if (words.isAt("or")) {
            return "OR REPLACE may have replaced something";
        }
        if (words.isAt("global", "local", "temp", "temporary")) {
            return "temporary objects do not belong into a migration";
        }
        words.skip("unlogged");
        if (words.skip("table")) {
            return object(words, "TABLE", Kind.RELATION);
        }
        if (words.skip("unique", "index") || words.skip("index")) {
            return index(words);
        }
        if (words.skip("materialized", "view")) {
            return object(words, "MATERIALIZED VIEW", Kind.RELATION);
        }
        if (words.skip("view") || words.skip("recursive", "view")) {
            return object(words, "VIEW", Kind.RELATION);
        }
        if (words.skip("sequence")) {
            return object(words, "SEQUENCE", Kind.RELATION);
        }
        if (words.skip("type")) {
            return object(words, "TYPE", Kind.RELATION);
        }
        if (words.skip("domain")) {
            return object(words, "DOMAIN", Kind.RELATION);
        }
        if (words.skip("schema")) {
            return schema(words);
        }
        if (words.skip("extension")) {
            return words.hasAhead("cascade")
                    ? "CASCADE may have installed other extensions"
                    : object(words, "EXTENSION", Kind.EXTENSION);
        }
        if (words.skip("trigger") || words.skip("constraint", "trigger")) {
            return trigger(words);
        }
        return "nothing is known that takes this CREATE back";
    }

    private @Nullable String object(Words words, String what, Kind kind) throws SQLException {
        boolean unless = words.skip("if", "not", "exists");
        Name name = words.name();
        if (name == null) {
            return UNREADABLE;
        }
        if (unless && isThere(kind, name)) {
            return alters.renames() ? AlterUndo.RENAMED : null;
        }
        if (what.equals("TABLE")) {
            made.add(name.toString());
        }
        return made("DROP " + what + " " + name);
    }

    private @Nullable String made(String undo) {
        statements.add(undo);
        return null;
    }

    /** By an earlier statement, or before. */
    private boolean isThere(Kind kind, Name name) throws SQLException {
        return alters.renames()
                || before.has(kind, name)
                || statements.stream().anyMatch(undo -> undo.startsWith("DROP ") && undo.endsWith(" " + name));
    }

    private @Nullable String index(Words words) throws SQLException {
        boolean concurrently = words.skip("concurrently");
        boolean unless = words.skip("if", "not", "exists");
        if (words.isAt("on")) {
            return "the index " + UNNAMED;
        }
        String index = words.identifier();
        boolean on = words.skip("on");
        words.skip("only");
        Name table = words.name();
        if (index == null || !on || table == null) {
            return UNREADABLE;
        }
        Name name = table.sibling(index);
        if (unless && isThere(Kind.RELATION, name)) {
            return alters.renames() ? AlterUndo.RENAMED : null;
        }
        return made("DROP INDEX " + (concurrently ? "CONCURRENTLY " : "") + name);
    }

    private @Nullable String schema(Words words) throws SQLException {
        boolean unless = words.skip("if", "not", "exists");
        if (words.isAt("authorization")) {
            return "the schema " + UNNAMED;
        }
        Name name = words.name();
        boolean owned = words.skip("authorization") && words.identifier() != null;
        if (name == null || !words.isEnd()) {
            return owned ? "the schema is made with objects in it: make these by statements of their own" : UNREADABLE;
        }
        if (unless && isThere(Kind.SCHEMA, name)) {
            return alters.renames() ? AlterUndo.RENAMED : null;
        }
        return made("DROP SCHEMA " + name);
    }

    private @Nullable String trigger(Words words) {
        String trigger = words.identifier();
        Name table = words.skipTo("on") ? words.name() : null;
        return trigger == null || table == null ? UNREADABLE : made("DROP TRIGGER " + trigger + " ON " + table);
    }

    private @Nullable String comment(Words words) {
        Name name = words.skip("comment", "on", "table")
                ? words.name()
                : words.skip("comment", "on", "column") ? table(words.name()) : null;
        return name != null && made.contains(name.toString()) ? null : "the comment before is not known";
    }

    private static @Nullable Name table(@Nullable Name column) {
        return column == null || column.parts().size() < 2
                ? null
                : new Name(column.parts().subList(0, column.parts().size() - 1));
    }

    /** Rows of a table that the migration has made itself go with it. */
    private @Nullable String data(Words words, String verb) {
        boolean target = words.skip("insert", "into") || words.skip("delete", "from") || words.skip("update");
        words.skip("only");
        Name name = target ? words.name() : null;
        boolean own = name != null && made.contains(name.toString());
        return own && !words.hasAhead("insert", "update", "delete", "merge") ? null : verb + " changes data";
    }

    private static @Nullable String set(Words words) {
        words.skip("set");
        if (!words.skip("local")) {
            words.skip("session");
        }
        return words.isAt("lock_timeout", "statement_timeout")
                ? null
                : "SET may give names another meaning: write it into the script that takes this back, too";
    }
}
