package dev.pgproxy.http;

import dev.pgproxy.client.Console;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.json.Json;
import dev.pgproxy.protocol.backend.ColumnType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The tables of the console, so that no figure is computed twice. Thread-safe. */
record Tables(Supplier<Console> console) {
    /** A row by the names of its columns; null is SQL's NULL. Immutable. */
    record Row(Map<String, @Nullable String> values) {
        @Nullable
        String get(String column) {
            if (!values.containsKey(column)) {
                throw new IllegalArgumentException("no column " + column + " in " + values.keySet());
            }
            return values.get(column);
        }

        /** The text of a column, "" for NULL. */
        String text(String column) {
            String value = get(column);
            return value == null ? "" : value;
        }
    }

    /** What {@link #show} knows. */
    Set<String> names() {
        return console.get().tables();
    }

    /** Some of {@link #names}; completes on whatever thread. */
    CompletionStage<Map<String, ConsoleAnswer.Rows>> show(List<String> names) {
        return console.get()
                .execute("SHOW " + String.join("; SHOW ", names), false)
                .thenApply(answers -> {
                    Map<String, ConsoleAnswer.Rows> tables = new LinkedHashMap<>();
                    for (ConsoleAnswer answer : answers) {
                        if (answer instanceof ConsoleAnswer.Rows rows) { // a notice may precede them
                            tables.put(names.get(tables.size()), rows);
                        }
                    }
                    if (tables.size() != names.size()) {
                        throw new IllegalStateException(
                                "of " + names + " the console gives " + tables.size() + " only");
                    }
                    return tables;
                });
    }

    /** The rows of a table that {@link #show} has got. */
    static List<Row> rows(Map<String, ConsoleAnswer.Rows> tables, String name) {
        ConsoleAnswer.Rows table = tables.get(name);
        List<Row> rows = new ArrayList<>();
        if (table != null) {
            for (List<@Nullable String> values : table.rows()) {
                rows.add(row(table.columns(), values));
            }
        }
        return rows;
    }

    private static Row row(List<ConsoleAnswer.Column> columns, List<@Nullable String> values) {
        Map<String, @Nullable String> row = new LinkedHashMap<>();
        for (int i = 0; i < columns.size(); i++) {
            row.put(columns.get(i).name(), values.get(i));
        }
        return new Row(row);
    }

    /** An object for each row; columns that are numbers in SQL are numbers. */
    static Json json(ConsoleAnswer.Rows table) {
        Json rows = Json.array();
        for (List<@Nullable String> values : table.rows()) {
            Json row = Json.object();
            for (int i = 0; i < values.size(); i++) {
                ConsoleAnswer.Column column = table.columns().get(i);
                if (column.type() == ColumnType.TEXT) {
                    row.put(column.name(), values.get(i));
                } else {
                    row.putNumber(column.name(), values.get(i));
                }
            }
            rows.add(row);
        }
        return rows;
    }
}
