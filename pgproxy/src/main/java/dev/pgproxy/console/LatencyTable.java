package dev.pgproxy.console;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.insight.LatencyBounds;
import dev.pgproxy.insight.LatencyReport;
import dev.pgproxy.insight.Printable;
import dev.pgproxy.insight.QueryStats;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** SHOW LATENCIES: how long statements take, by database and by host. Stateless. */
final class LatencyTable {
    private LatencyTable() {}

    /** @param stats null if nothing is counted: there are no rows then */
    static ConsoleAnswer of(@Nullable QueryStats stats) {
        Table table = Table.of("of name calls:int8 total_us:int8 p50_us:int8 p95_us:int8 p99_us:int8 buckets");
        if (stats != null) {
            for (LatencyReport row : stats.latencies()) {
                table.row(
                        row.of().code(),
                        Printable.of(row.name()),
                        row.calls(),
                        row.sum() / 1000,
                        row.percentile(0.50) / 1000,
                        row.percentile(0.95) / 1000,
                        row.percentile(0.99) / 1000,
                        buckets(row.buckets()));
            }
        }
        return table.answer();
    }

    /** Those with anything in them, as {@code 250:17}: 17 took more than the bucket before allows, and at most 250 µs. */
    private static String buckets(long[] counts) {
        StringJoiner text = new StringJoiner(" ");
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0) {
                text.add((i == counts.length - 1 ? "inf" : Long.toString(LatencyBounds.nanos(i) / 1000)) + ":"
                        + counts[i]);
            }
        }
        return text.toString();
    }
}
