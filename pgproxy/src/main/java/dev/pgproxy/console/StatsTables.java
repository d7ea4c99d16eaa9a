package dev.pgproxy.console;

import dev.pgproxy.cancel.CancelKeys;
import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.pool.PoolCounters.Counter;
import dev.pgproxy.pool.Pools;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** SHOW STATS, STATS_TOTALS, STATS_AVERAGES, TOTALS, RETRIES. Thread-safe. */
record StatsTables(Pools pools, StatsPeriods periods, CancelKeys cancelKeys) {
    /** PgBouncer's columns, in its order. */
    private static final List<Counter> COUNTERS = List.of(
            Counter.SERVER_ASSIGNMENT_COUNT,
            Counter.XACT_COUNT,
            Counter.QUERY_COUNT,
            Counter.RECEIVED,
            Counter.SENT,
            Counter.XACT_TIME,
            Counter.QUERY_TIME,
            Counter.WAIT_TIME,
            Counter.CLIENT_PARSE_COUNT,
            Counter.SERVER_PARSE_COUNT,
            Counter.BIND_COUNT);

    /** Totals and averages of each database. */
    ConsoleAnswer stats() {
        Table table = Table.of("database total_server_assignment_count:numeric total_xact_count:numeric"
                + " total_query_count:numeric total_received:numeric total_sent:numeric total_xact_time:numeric"
                + " total_query_time:numeric total_wait_time:numeric total_client_parse_count:numeric"
                + " total_server_parse_count:numeric total_bind_count:numeric avg_server_assignment_count:numeric"
                + " avg_xact_count:numeric avg_query_count:numeric avg_recv:numeric avg_sent:numeric"
                + " avg_xact_time:numeric avg_query_time:numeric avg_wait_time:numeric"
                + " avg_client_parse_count:numeric avg_server_parse_count:numeric avg_bind_count:numeric");
        Totals.Now.of(pools)
                .databases()
                .forEach((name, totals) -> table.row(row(name, totals, periods.averages(name))));
        return table.answer();
    }

    ConsoleAnswer totals() {
        Table table = Table.of("database server_assignment_count:numeric xact_count:numeric query_count:numeric"
                + " bytes_received:numeric bytes_sent:numeric xact_time:numeric query_time:numeric"
                + " wait_time:numeric client_parse_count:numeric server_parse_count:numeric bind_count:numeric");
        Totals.Now.of(pools).databases().forEach((name, totals) -> table.row(row(name, totals)));
        return table.answer();
    }

    ConsoleAnswer averages() {
        Table table = Table.of("database server_assignment_count:numeric xact_count:numeric query_count:numeric"
                + " bytes_received:numeric bytes_sent:numeric xact_time:numeric query_time:numeric"
                + " wait_time:numeric avg_client_parse_count:numeric avg_server_parse_count:numeric"
                + " avg_bind_count:numeric");
        Totals.Now.of(pools).databases().keySet().forEach(name -> table.row(row(name, periods.averages(name))));
        return table.answer();
    }

    /** Over all databases, as rows. */
    ConsoleAnswer allTotals() {
        List<String> names = List.of(
                "server_assignment_count",
                "xact_count",
                "query_count",
                "client_bytes",
                "server_bytes",
                "xact_time",
                "query_time",
                "wait_time",
                "ps_client_parse_count",
                "ps_server_parse_count",
                "ps_bind_count");
        Table table = Table.of("name value:numeric");
        Totals totals = Totals.Now.of(pools).all();
        Totals averages = periods.averages();
        for (int i = 0; i < names.size(); i++) {
            table.row("total_" + names.get(i), totals.get(COUNTERS.get(i)));
        }
        for (int i = 0; i < names.size(); i++) {
            table.row("avg_" + names.get(i), averages.get(COUNTERS.get(i)));
        }
        table.row("total_cancel_refused", cancelKeys.refused());
        return table.answer();
    }

    /** What was run again in each database, and how often in vain. */
    ConsoleAnswer retries() {
        Table table = Table.of(
                "database serialization_failures:int8 deadlocks:int8 stale_plans:int8 reads:int8" + " given_up:int8");
        Totals.Now.of(pools)
                .databases()
                .forEach((name, totals) -> table.row(
                        name,
                        totals.get(Counter.RETRIES_SERIALIZATION),
                        totals.get(Counter.RETRIES_DEADLOCK),
                        totals.get(Counter.RETRIES_STALE_PLAN),
                        totals.get(Counter.RETRIES_READ),
                        totals.get(Counter.RETRIES_GIVEN_UP)));
        return table.answer();
    }

    private static List<@Nullable Object> row(String database, Totals... parts) {
        List<@Nullable Object> row = new ArrayList<>();
        row.add(database);
        for (Totals part : parts) {
            for (Counter counter : COUNTERS) {
                row.add(part.get(counter));
            }
        }
        return row;
    }
}
