package dev.pgproxy.migrate;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What takes a migration back. Immutable.
 *
 * @param statements in the order in which they run, without semicolons
 * @param refusals why it cannot be taken back, one sentence for each statement that nothing undoes; empty if it can
 */
record RollbackScript(List<String> statements, List<String> refusals) {
    /** How a line begins that keeps a script from being run. */
    static final String REFUSAL = "-- pgproxy: cannot be rolled back: ";

    RollbackScript {
        statements = List.copyOf(statements);
        refusals = List.copyOf(refusals);
    }

    /** From what the migration says, and what was there before it. */
    static RollbackScript of(String migration, Before before) throws SQLException {
        Undo undo = new Undo(before);
        List<String> refusals = new ArrayList<>();
        for (SqlStatement statement : SqlStatement.of(migration)) {
            String refusal = undo.add(statement);
            if (refusal != null) {
                refusals.add("line " + statement.line() + ": " + refusal);
            }
        }
        return new RollbackScript(undo.statements(), refusals);
    }

    /** The lines of a script that keep it from being run, without what they begin with. */
    static List<String> refusals(String script) {
        return script.lines()
                .filter(line -> line.startsWith(REFUSAL))
                .map(line -> line.substring(REFUSAL.length()))
                .toList();
    }

    /** As a file. */
    String text(String migration) {
        StringBuilder text = new StringBuilder("-- Takes back " + migration
                + ". Written by pgproxy from the migration and what was there before; change it as you like.\n");
        if (refusals.isEmpty()) {
            text.append("-- What was written since into tables and columns that are dropped here is lost.\n");
        } else {
            refusals.forEach(each -> text.append(REFUSAL).append(each).append('\n'));
            text.append("-- Write what takes these back, and remove the lines above.\n");
        }
        for (String statement : statements) {
            text.append(refusals.isEmpty() ? "" : "-- ").append(statement).append(";\n");
        }
        return text.toString();
    }
}
