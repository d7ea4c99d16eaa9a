package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.insight.Printable;
import dev.pgproxy.insight.QueryStats;
import dev.pgproxy.insight.log.LogReport;
import dev.pgproxy.insight.log.QueryLog;
import org.jspecify.annotations.Nullable;

/** SHOW QUERY_LOG: where statements are logged, and what is missing there. Stateless. */
final class QueryLogTable {
    private QueryLogTable() {}

    /** @param stats null if nothing is counted: there is no log then, and no row */
    static ConsoleAnswer of(@Nullable QueryStats stats) {
        Table table = Table.of("sink target written:int8 bytes:int8 queued:int8 dropped:int8 dropped_full:int8"
                + " dropped_failed:int8 errors:int8 problem");
        QueryLog log = stats == null ? null : stats.log();
        if (log != null) {
            for (LogReport row : log.reports()) {
                table.row(
                        row.sink(),
                        Printable.of(row.target()),
                        row.written(),
                        row.bytes(),
                        row.queued(),
                        row.full() + row.failed(),
                        row.full(),
                        row.failed(),
                        row.errors(),
                        row.problem());
            }
        }
        return table.answer();
    }
}
