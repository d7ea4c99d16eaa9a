package dev.pgproxy.migrate;

import dev.pgproxy.migrate.Before.Column;
import dev.pgproxy.migrate.Before.Kind;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The part of {@link Undo} that is about ALTER. Confined to the thread that runs the migration. */
final class AlterUndo {
    static final String RENAMED = "names have changed earlier in this migration: split it";
    private static final String UNREADABLE = "not understood";

    private final Before before;
    private final Set<String> made;
    private final List<String> statements;

    /** Columns and constraints that the migration has made, each behind the table and a blank. */
    private final Set<String> parts = new HashSet<>();

    private boolean renames;

    AlterUndo(Before before, Set<String> made, List<String> statements) {
        this.before = before;
        this.made = made;
        this.statements = statements;
    }

    /** Whether something has got another name, so that what was there before cannot be asked for by name any more. */
    boolean renames() {
        return renames;
    }

    @Nullable
    String alter(Words words) throws SQLException {
        words.skip("alter");
        if (words.skip("table")) {
            return table(words);
        }
        if (words.skip("type")) {
            return type(words);
        }
        for (String kind : List.of("index", "view", "sequence", "domain", "schema")) {
            if (words.skip(kind)) {
                return renamed(words, kind.toUpperCase(Locale.ROOT));
            }
        }
        return words.skip("materialized", "view")
                ? renamed(words, "MATERIALIZED VIEW")
                : "nothing is known that takes this ALTER back";
    }

    private @Nullable String type(Words words) {
        Name name = words.name();
        if (name == null) {
            return UNREADABLE;
        }
        if (words.isAt("add")) {
            return "a value of an enum cannot be removed, and other additions to a type are not understood";
        }
        if (words.skip("rename", "value")) {
            String old = words.string();
            boolean to = words.skip("to");
            String fresh = words.string();
            return old == null || !to || fresh == null || !words.isEnd()
                    ? UNREADABLE
                    : undo("ALTER TYPE " + name + " RENAME VALUE " + fresh + " TO " + old);
        }
        return rename(words, "TYPE", name);
    }

    private @Nullable String renamed(Words words, String kind) {
        if (words.isAt("if")) {
            return "IF EXISTS: whether it was there is not known";
        }
        Name name = words.name();
        return name == null ? UNREADABLE : rename(words, kind, name);
    }

    private @Nullable String rename(Words words, String kind, Name name) {
        if (!words.skip("rename", "to")) {
            return "of ALTER " + kind + " only RENAME is taken back";
        }
        String fresh = words.identifier();
        if (fresh == null || !words.isEnd()) {
            return UNREADABLE;
        }
        renames = true;
        return undo("ALTER " + kind + " " + name.sibling(fresh) + " RENAME TO " + name.last());
    }

    private @Nullable String undo(String statement) {
        statements.add(statement);
        return null;
    }

    private @Nullable String table(Words words) throws SQLException {
        boolean unless = words.skip("if", "exists");
        boolean only = words.skip("only");
        Name table = words.name();
        if (table == null) {
            return UNREADABLE;
        }
        boolean own = made.contains(table.toString());
        if (unless && !own) {
            if (renames) {
                return RENAMED;
            }
            if (!before.has(Kind.RELATION, table)) {
                return null;
            }
        }
        String prefix = "ALTER TABLE " + (only ? "ONLY " : "") + table + " ";
        if (words.isAt("rename")) {
            return renameIn(words, table, prefix);
        }
        if (own) {
            return null;
        }
        for (Words action : words.parts()) {
            String refusal = action(action, table, prefix);
            if (refusal != null) {
                return refusal;
            }
        }
        return null;
    }

    private @Nullable String renameIn(Words words, Name table, String prefix) {
        if (words.skip("rename", "to")) {
            String fresh = words.identifier();
            if (fresh == null || !words.isEnd()) {
                return UNREADABLE;
            }
            if (made.remove(table.toString())) {
                made.add(table.sibling(fresh).toString());
            }
            renames = true;
            return undo("ALTER TABLE " + table.sibling(fresh) + " RENAME TO " + table.last());
        }
        words.skip("rename");
        String what = words.skip("constraint") ? "CONSTRAINT " : "COLUMN ";
        if (what.equals("COLUMN ")) {
            words.skip("column");
        }
        String old = words.identifier();
        boolean to = words.skip("to");
        String fresh = words.identifier();
        if (old == null || !to || fresh == null || !words.isEnd()) {
            return UNREADABLE;
        }
        renames = true;
        return undo(prefix + "RENAME " + what + fresh + " TO " + old);
    }

    private @Nullable String action(Words words, Name table, String prefix) throws SQLException {
        if (words.skip("add", "constraint")) {
            return constraint(words, table, prefix);
        }
        if (words.skip("add")) {
            return add(words, table, prefix);
        }
        if (words.skip("validate", "constraint")) {
            String name = words.identifier();
            return parts.contains(table + " " + name) ? null : "that a constraint holds cannot be forgotten again";
        }
        if (words.skip("alter")) {
            words.skip("column");
            String column = words.identifier();
            return column == null ? UNREADABLE : column(words, table, column, prefix);
        }
        return words.isAt("drop")
                ? "what DROP removes is gone"
                : "nothing is known that takes this action of ALTER TABLE back";
    }

    private @Nullable String add(Words words, Name table, String prefix) throws SQLException {
        if (words.isAt("primary", "unique", "check", "foreign", "exclude", "not")) {
            return "the constraint has no name of its own in the text: write ADD CONSTRAINT name";
        }
        words.skip("column");
        boolean unless = words.skip("if", "not", "exists");
        String column = words.identifier();
        if (column == null) {
            return UNREADABLE;
        }
        if (unless && renames) {
            return RENAMED;
        }
        if (unless && (parts.contains(table + " " + column) || before.column(table, column) != null)) {
            return null;
        }
        parts.add(table + " " + column);
        return undo(prefix + "DROP COLUMN " + column);
    }

    private @Nullable String constraint(Words words, Name table, String prefix) throws SQLException {
        String name = words.identifier();
        if (name == null) {
            return UNREADABLE;
        }
        if (words.hasAhead("using") && !words.isAt("exclude", "check", "foreign")) {
            return "the constraint takes an index over";
        }
        if (words.isAt("not")) {
            return "a named NOT NULL is not understood: write ALTER COLUMN … SET NOT NULL";
        }
        if (words.skip("primary", "key")) {
            List<String> columns = words.list();
            if (columns == null) {
                return UNREADABLE;
            }
            for (String column : columns) {
                String refusal = nullable(table, column, prefix);
                if (refusal != null) {
                    return refusal;
                }
            }
        }
        parts.add(table + " " + name);
        return undo(prefix + "DROP CONSTRAINT " + name);
    }

    /** A column becomes NOT NULL; to be undone behind what is undone later. */
    private @Nullable String nullable(Name table, String column, String prefix) throws SQLException {
        if (parts.contains(table + " " + column)) {
            return null;
        }
        Column was = renames ? null : before.column(table, column);
        if (was == null || was.inherited()) {
            return unknown(was, column);
        }
        return was.notNull() ? null : undo(prefix + "ALTER COLUMN " + column + " DROP NOT NULL");
    }

    private String unknown(@Nullable Column was, String column) {
        return was == null
                ? renames ? RENAMED : "column " + column + " was not there before"
                : "the table has partitions, children or parents, which had states of their own";
    }

    private @Nullable String column(Words words, Name table, String column, String prefix) throws SQLException {
        if (parts.contains(table + " " + column)) {
            return null;
        }
        boolean sets = words.skip("set");
        if (!sets && !words.skip("drop")) {
            return words.isAt("type")
                    ? "a change of type may lose data"
                    : "nothing is known that takes this ALTER COLUMN back";
        }
        if (words.isAt("data")) {
            return "a change of type may lose data";
        }
        boolean isDefault = words.skip("default");
        if (!isDefault && !(words.skip("not", "null") && words.isEnd())) {
            return "of ALTER COLUMN only DEFAULT and NOT NULL are taken back";
        }
        Column was = renames ? null : before.column(table, column);
        if (was == null || was.inherited()) {
            return unknown(was, column);
        }
        String action = prefix + "ALTER COLUMN " + column;
        if (isDefault) {
            return was.computed()
                    ? "the column is generated"
                    : undo(action + (was.expression() == null ? " DROP DEFAULT" : " SET DEFAULT " + was.expression()));
        }
        return was.notNull() == sets ? null : undo(action + (was.notNull() ? " SET NOT NULL" : " DROP NOT NULL"));
    }
}
