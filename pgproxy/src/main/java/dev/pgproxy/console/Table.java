package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.protocol.backend.ColumnType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The result of a SHOW while it is made. Confined to the thread that makes it. */
final class Table {
    private final List<ConsoleAnswer.Column> columns;
    private final List<List<@Nullable String>> rows = new ArrayList<>();

    private Table(List<ConsoleAnswer.Column> columns) {
        this.columns = columns;
    }

    /** Columns as {@code name} (text) or {@code name:int4}, {@code name:int8}, {@code name:numeric}, with blanks between. */
    static Table of(String columns) {
        List<ConsoleAnswer.Column> list = new ArrayList<>();
        for (String column : columns.split(" ", -1)) {
            int colon = column.indexOf(':');
            list.add(
                    colon < 0
                            ? new ConsoleAnswer.Column(column, ColumnType.TEXT)
                            : new ConsoleAnswer.Column(
                                    column.substring(0, colon),
                                    ColumnType.valueOf(
                                            column.substring(colon + 1).toUpperCase(Locale.ROOT))));
        }
        return new Table(list);
    }

    /** Adds a row; null is SQL's NULL. */
    Table row(@Nullable Object... values) {
        List<@Nullable Object> row = new ArrayList<>();
        for (Object value : values) {
            row.add(value);
        }
        return row(row);
    }

    /** Adds a row; null is SQL's NULL. */
    Table row(List<? extends @Nullable Object> values) {
        if (values.size() != columns.size()) {
            throw new IllegalArgumentException(values.size() + " values for " + columns.size() + " columns");
        }
        List<@Nullable String> row = new ArrayList<>();
        for (Object value : values) {
            row.add(value == null ? null : value.toString());
        }
        rows.add(row);
        return this;
    }

    /** The answer, with the tag of every SHOW. */
    ConsoleAnswer answer() {
        return answer("SHOW");
    }

    ConsoleAnswer answer(String tag) {
        return new ConsoleAnswer.Rows(columns, rows, tag);
    }
}
