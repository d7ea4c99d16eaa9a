package dev.pgproxy.client;

import dev.pgproxy.protocol.backend.ColumnType;
import dev.pgproxy.protocol.backend.ErrorFields;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The answer to one command of the console. Immutable. */
public sealed interface ConsoleAnswer {
    /** A column of a result. Immutable. */
    record Column(String name, ColumnType type) {}

    /** Rows, and the tag behind them; a null value is SQL's NULL. */
    record Rows(List<Column> columns, List<List<@Nullable String>> rows, String tag) implements ConsoleAnswer {}

    /** No rows, only a tag, such as {@code PAUSE}. */
    record Done(String tag) implements ConsoleAnswer {}

    /** Nothing was asked. */
    record Empty() implements ConsoleAnswer {}

    /** It failed. */
    record Failed(ErrorFields error) implements ConsoleAnswer {}

    /** Text for the reader before the answer, as SHOW HELP sends it. */
    record Notice(ErrorFields notice) implements ConsoleAnswer {}
}
