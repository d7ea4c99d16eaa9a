package dev.pgproxy.client;

import dev.pgproxy.protocol.backend.BackendWriter;
import dev.pgproxy.protocol.backend.ColumnType;
import dev.pgproxy.protocol.frame.BackendType;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Writes answers of the console as messages. Stateless. */
final class ConsoleWriter {
    /** Every column as text. */
    static final short[] TEXT = {};

    private ConsoleWriter() {}

    /** Whether a command only shows, so that it can be asked for its columns. */
    static boolean isRepeatable(String text) {
        String start = text.strip().toLowerCase(Locale.ROOT);
        return start.startsWith("show") || start.startsWith("select");
    }

    static void simple(ByteBuf out, ConsoleAnswer answer) {
        if (answer instanceof ConsoleAnswer.Rows rows) {
            describe(out, rows, TEXT);
        }
        extended(out, answer, TEXT);
    }

    /** In the formats that Bind asked for. */
    static void extended(ByteBuf out, ConsoleAnswer answer, short[] formats) {
        if (answer instanceof ConsoleAnswer.Rows rows) {
            List<ColumnType> types =
                    rows.columns().stream().map(ConsoleAnswer.Column::type).toList();
            for (List<@Nullable String> row : rows.rows()) {
                BackendWriter.dataRow(out, row, types, formats);
            }
            BackendWriter.commandComplete(out, rows.tag());
        } else if (answer instanceof ConsoleAnswer.Done done) {
            BackendWriter.commandComplete(out, done.tag());
        } else if (answer instanceof ConsoleAnswer.Failed failed) {
            failed.error().write(out);
        } else if (answer instanceof ConsoleAnswer.Notice notice) {
            notice.notice().write(out, BackendType.NOTICE_RESPONSE);
        } else {
            BackendWriter.empty(out, BackendType.EMPTY_QUERY_RESPONSE);
        }
    }

    static void description(ByteBuf out, List<ConsoleAnswer> answers, short[] formats) {
        for (ConsoleAnswer answer : answers) {
            if (answer instanceof ConsoleAnswer.Rows rows) {
                describe(out, rows, formats);
                return;
            }
        }
        BackendWriter.empty(out, BackendType.NO_DATA);
    }

    private static void describe(ByteBuf out, ConsoleAnswer.Rows rows, short[] formats) {
        BackendWriter.rowDescription(
                out,
                rows.columns().stream().map(ConsoleAnswer.Column::name).toList(),
                rows.columns().stream().map(ConsoleAnswer.Column::type).toList(),
                formats);
    }
}
