package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.insight.Printable;
import dev.pgproxy.insight.QueryStats;
import dev.pgproxy.insight.SchemaChange;
import dev.pgproxy.insight.SlowStatement;
import dev.pgproxy.insight.StatementReport;
import dev.pgproxy.insight.StatementReport.Percentiles;
import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import dev.pgproxy.routing.sql.StatementShape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * SHOW QUERIES, SHOW SLOW, SHOW SCHEMA HISTORY and RESET QUERIES. Thread-safe.
 *
 * @param stats null if nothing is counted
 * @param shapes know the tables of statements
 */
record QueryTables(@Nullable QueryStats stats, Shapes shapes) {
    /** What rows can be ordered by. */
    private static final Map<String, ToLongFunction<StatementReport>> ORDERS = new TreeMap<>(Map.ofEntries(
            Map.entry("calls", StatementReport::calls),
            Map.entry("errors", row -> row.errors().total()),
            Map.entry("rows", StatementReport::rows),
            Map.entry("bytes", StatementReport::bytes),
            Map.entry("total_us", StatementReport::total),
            Map.entry("mean_us", QueryTables::mean),
            Map.entry("p50_us", row -> row.latencies().p50()),
            Map.entry("p95_us", row -> row.latencies().p95()),
            Map.entry("p99_us", row -> row.latencies().p99()),
            Map.entry("max_us", row -> row.latencies().longest()),
            Map.entry("queue_us", StatementReport::queued),
            Map.entry("server_us", StatementReport::served),
            Map.entry("cached", StatementReport::cached),
            Map.entry("retries", StatementReport::retries),
            Map.entry("first_seen", row -> row.firstSeen().toEpochMilli()),
            Map.entry("last_seen", row -> row.lastSeen().toEpochMilli())));

    /** Reads and sorts on a thread that may take its time. */
    CompletionStage<List<ConsoleAnswer>> queries(ConsoleCommand.ShowQueries command) {
        QueryStats counted = stats;
        if (counted == null) {
            return CompletableFuture.completedFuture(List.of(off()));
        }
        ToLongFunction<StatementReport> by = ORDERS.get(command.orderBy());
        if (by == null) {
            return CompletableFuture.completedFuture(List.of(Failures.of(
                    SqlState.SYNTAX_ERROR,
                    "SHOW QUERIES cannot be ordered by \"" + command.orderBy() + "\"",
                    "It can by " + String.join(", ", ORDERS.keySet()) + ".")));
        }
        return CompletableFuture.supplyAsync(() -> queries(counted, by, command));
    }

    private List<ConsoleAnswer> queries(
            QueryStats counted, ToLongFunction<StatementReport> by, ConsoleCommand.ShowQueries command) {
        Comparator<StatementReport> order = Comparator.comparingLong(by);
        List<StatementReport> rows = counted.read();
        rows.sort(command.ascending() ? order : order.reversed());
        Table table = Table.of("fingerprint database user application_name host calls:int8 errors:int8 sqlstates"
                + " rows:int8 bytes:int8 total_us:int8 mean_us:int8 p50_us:int8 p95_us:int8 p99_us:int8 max_us:int8"
                + " queue_us:int8 server_us:int8 cached:int8 hit_ratio retries:int8 tables first_seen last_seen query");
        rows.stream().limit(command.limit()).forEach(row -> table.row(row(row)));
        List<ConsoleAnswer> answers = new ArrayList<>();
        if (counted.forgotten() > 0) {
            answers.add(new ConsoleAnswer.Notice(ErrorFields.notice(
                    counted.forgotten() + " statements with less time and calls had to leave",
                    "query_stats_max says how many are counted.")));
        }
        answers.add(table.answer());
        return answers;
    }

    private List<@Nullable Object> row(StatementReport row) {
        Percentiles times = row.latencies();
        List<@Nullable Object> values = new ArrayList<>();
        values.add(row.fingerprint());
        values.add(Printable.of(row.key().caller().database()));
        values.add(Printable.of(row.key().caller().user()));
        values.add(Printable.of(row.key().caller().application()));
        values.add(row.key().host());
        values.add(row.calls());
        values.add(row.errors().total());
        values.add(row.errors().total() == 0 ? null : row.errors());
        values.add(row.rows());
        values.add(row.bytes());
        values.add(row.total() / 1000);
        values.add(mean(row));
        values.add(times.p50());
        values.add(times.p95());
        values.add(times.p99());
        values.add(times.longest());
        values.add(row.queued() / 1000);
        values.add(row.served() / 1000);
        values.add(row.cached());
        values.add(String.format(Locale.ROOT, "%.2f %%", 100 * row.hitRate()));
        values.add(row.retries());
        values.add(tables(row));
        values.add(SocketTables.TIME.format(row.firstSeen()));
        values.add(SocketTables.TIME.format(row.lastSeen()));
        values.add(Printable.of(row.text()));
        return values;
    }

    /** In microseconds. */
    private static long mean(StatementReport row) {
        return row.calls() == 0
                ? 0
                : row.total() / row.calls() / 1000; // 0 calls: of a statement that is counted just now
    }

    /** Those that the text names; null if it has not been read, or names none. */
    private @Nullable String tables(StatementReport row) {
        Shape shape = shapes.find(row.key().high(), row.key().low());
        StatementShape facts = shape == null ? null : shape.facts();
        return facts == null || facts.relations().isEmpty()
                ? null
                : Printable.of(facts.relations().stream()
                        .map(name -> name.toString())
                        .sorted()
                        .collect(Collectors.joining(", ")));
    }

    /** The slow ones of late. */
    ConsoleAnswer slow() {
        if (stats == null) {
            return off();
        }
        Table table = Table.of("ended_at duration_us:int8 queue_us:int8 server_us:int8 database user application_name"
                + " addr host fingerprint rows:int8 sqlstate query");
        for (SlowStatement each : stats.slow().latest()) {
            table.row(
                    SocketTables.TIME.format(each.endedAt()),
                    (each.queued() + each.served()) / 1000,
                    each.queued() / 1000,
                    each.served() / 1000,
                    Printable.of(each.caller().database()),
                    Printable.of(each.caller().user()),
                    Printable.of(each.caller().application()),
                    each.address(),
                    each.host(),
                    each.fingerprint(),
                    each.rows(),
                    each.sqlState(),
                    Printable.of(each.text()));
        }
        return table.answer();
    }

    /** What has changed definitions of late. */
    ConsoleAnswer schemaHistory() {
        if (stats == null) {
            return off();
        }
        Table table = Table.of("at database user application_name statement outcome sqlstate");
        for (SchemaChange each : stats.definitions().latest()) {
            table.row(
                    SocketTables.TIME.format(each.at()),
                    Printable.of(each.caller().database()),
                    Printable.of(each.caller().user()),
                    Printable.of(each.caller().application()),
                    Printable.of(each.text()),
                    each.sqlState() == null ? "done" : "failed",
                    each.sqlState());
        }
        return table.answer();
    }

    ConsoleAnswer reset() {
        if (stats == null) {
            return off();
        }
        stats.reset();
        return new ConsoleAnswer.Done("RESET QUERIES");
    }

    /** The answer where nothing is counted. */
    static ConsoleAnswer off() {
        return Failures.of(
                SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE,
                "statements are not counted",
                "query_stats is off in the configuration; it is read at the start.");
    }
}
