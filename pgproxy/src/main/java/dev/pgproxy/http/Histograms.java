package dev.pgproxy.http;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.ArrayList;
import java.util.List;

/**
 * The histograms that SHOW LATENCIES is read as: its labels are databases of the configuration, {@code *} for all others, and
 * hosts. Stateless.
 */
final class Histograms {
    static final String TABLE = "latencies";

    /**
     * One histogram. Immutable.
     *
     * @param of the rows that it is of
     * @param label what their name is
     * @param help one line
     */
    record Family(String name, String of, String label, String help) {}

    /** In the order of the documentation. */
    static final List<Family> ALL = List.of(
            new Family(
                    "pgproxy_statement_duration_seconds",
                    "statements",
                    "database",
                    "Statements, from complete to answered, by whomever."),
            new Family(
                    "pgproxy_statement_queue_seconds",
                    "queue",
                    "database",
                    "Statements, from complete to sent to a server, or refused."),
            new Family(
                    "pgproxy_cache_hit_duration_seconds",
                    "cache",
                    "database",
                    "Statements that the cache has answered, from complete to answered."),
            new Family(
                    "pgproxy_host_duration_seconds",
                    "host",
                    "host",
                    "Statements, from sent to answered by that host."));

    /** Seconds; each is the end of one of the finer buckets of the table. */
    private static final double[] BOUNDS = bounds();

    private Histograms() {}

    private static double[] bounds() {
        List<Double> bounds = new ArrayList<>();
        for (int power = -5; power <= 2; power++) {
            for (String step : power == 2 ? List.of("1") : List.of("1", "2.5", "5")) {
                bounds.add(Double.valueOf(step + "e" + power)); // 0.00025 and not 2.4999999999999998E-4
            }
        }
        bounds.add(Double.POSITIVE_INFINITY);
        return bounds.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /** The histograms of these rows. */
    static List<MetricSnapshot> read(List<Tables.Row> rows) {
        List<MetricSnapshot> all = new ArrayList<>();
        for (Family family : ALL) {
            HistogramSnapshot.Builder histogram =
                    HistogramSnapshot.builder().name(family.name()).help(family.help());
            rows.stream()
                    .filter(row -> row.text("of").equals(family.of()))
                    .limit(TableMetrics.MOST_ROWS)
                    .forEach(row -> histogram.dataPoint(point(family, row)));
            all.add(histogram.build());
        }
        return all;
    }

    private static HistogramSnapshot.HistogramDataPointSnapshot point(Family family, Tables.Row row) {
        long[] counts = new long[BOUNDS.length];
        for (String bucket : row.text("buckets").split(" ", -1)) {
            int colon = bucket.indexOf(':');
            if (colon > 0) {
                counts[at(bucket.substring(0, colon))] += Long.parseLong(bucket.substring(colon + 1));
            }
        }
        return HistogramSnapshot.HistogramDataPointSnapshot.builder()
                .labels(Labels.of(family.label(), row.text("name")))
                .classicHistogramBuckets(ClassicHistogramBuckets.of(BOUNDS, counts))
                .sum(Double.parseDouble(row.text("total_us")) / 1e6)
                .build();
    }

    /** The first bucket here that has all of one there. */
    private static int at(String micros) {
        double seconds = micros.equals("inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(micros) / 1e6;
        int at = 0;
        while (BOUNDS[at] < seconds) {
            at++;
        }
        return at;
    }
}
