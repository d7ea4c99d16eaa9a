package dev.pgproxy.http;

import static java.util.stream.Collectors.joining;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What metrics a table of the console is read as. Immutable.
 *
 * @param table what stands behind SHOW
 * @param labels each {@code column}, or {@code label=column:column} for columns with a colon between
 * @param adds whether values of rows with equal labels add up; if not the greatest one holds
 */
record TableMetrics(String table, List<String> labels, boolean adds, List<Metric> metrics) {
    /** So many rows of a table are shown: names that clients choose must not fill Prometheus. */
    static final int MOST_ROWS = 1000;

    private static final String TOTAL = "_total";

    static TableMetrics of(String table, String labels, Metric... metrics) {
        List<String> names = labels.isEmpty() ? List.of() : List.of(labels.split(" ", -1));
        return new TableMetrics(table, names, false, List.of(metrics));
    }

    TableMetrics adding() {
        return new TableMetrics(table, labels, true, metrics);
    }

    /** The names of its labels. */
    List<String> labelNames() {
        return labels.stream().map(label -> label.replaceFirst("=.*", "")).toList();
    }

    /** The metrics of these rows. */
    List<MetricSnapshot> read(List<Tables.Row> rows) {
        List<Tables.Row> shown = rows.subList(0, Math.min(rows.size(), MOST_ROWS));
        List<MetricSnapshot> snapshots = new ArrayList<>();
        for (Metric metric : metrics) {
            Map<Labels, Double> points = new LinkedHashMap<>();
            for (Tables.Row row : shown) {
                Double value = metric.value(row);
                if (value != null) {
                    points.merge(labels(metric, row), value, adds ? Double::sum : Math::max);
                }
            }
            snapshots.add(snapshot(metric, points));
        }
        return snapshots;
    }

    private Labels labels(Metric metric, Tables.Row row) {
        List<String> pairs = new ArrayList<>();
        for (String label : labels) {
            int is = label.indexOf('=');
            String[] columns = label.substring(is + 1).split(":", -1);
            boolean several = columns.length > 1;
            pairs.add(is < 0 ? label : label.substring(0, is));
            pairs.add(Arrays.stream(columns)
                    .map(row::text)
                    .map(text -> several && text.contains(":") ? "[" + text + "]" : text) // an IPv6 address
                    .collect(joining(":")));
        }
        if (metric.kind() == Metric.Kind.STATE) {
            pairs.add(metric.column());
            pairs.add(row.text(metric.column()));
        }
        return Labels.of(pairs.toArray(String[]::new));
    }

    private static MetricSnapshot snapshot(Metric metric, Map<Labels, Double> points) {
        if (metric.kind() == Metric.Kind.COUNTER) {
            String name = metric.name().substring(0, metric.name().length() - TOTAL.length());
            CounterSnapshot.Builder counter =
                    CounterSnapshot.builder().name(name).help(metric.help());
            points.forEach((labels, value) -> counter.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                    .labels(labels)
                    .value(Math.max(0, value))
                    .build()));
            return counter.build();
        }
        GaugeSnapshot.Builder gauge =
                GaugeSnapshot.builder().name(metric.name()).help(metric.help());
        points.forEach((labels, value) -> gauge.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                .labels(labels)
                .value(value)
                .build()));
        return gauge.build();
    }
}
