package dev.pgproxy.http;

import dev.pgproxy.client.ConsoleAnswer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Metrics in the formats of Prometheus: those of the JVM by Micrometer, ours from the tables of the console when somebody
 * asks. Thread-safe. Source: Prometheus' text format 0.0.4; OpenMetrics 1.0.
 */
final class Metrics implements AutoCloseable {
    static final String READY = "pgproxy_ready";
    static final String READY_HELP = "1 where /health/ready is 200.";
    static final String LEFT_OUT = "pgproxy_metrics_rows_left_out";
    static final String LEFT_OUT_HELP =
            "Rows of SHOW with that name that are not among the metrics, since there are so many.";

    private static final String OPEN_METRICS = "application/openmetrics-text";

    private final PrometheusMeterRegistry jvm = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics collector = new JvmGcMetrics();
    private final ExpositionFormats formats = ExpositionFormats.init();
    private final List<TableMetrics> tables;

    /** @param tables those of {@link Catalogue} */
    Metrics(List<TableMetrics> tables) {
        this.tables = tables;
        new ClassLoaderMetrics().bindTo(jvm);
        new JvmMemoryMetrics().bindTo(jvm);
        new JvmThreadMetrics().bindTo(jvm);
        new ProcessorMetrics().bindTo(jvm);
        new UptimeMetrics().bindTo(jvm);
        new FileDescriptorMetrics().bindTo(jvm);
        collector.bindTo(jvm);
    }

    /** @param accept which format is understood */
    Answer scrape(Map<String, ConsoleAnswer.Rows> shown, boolean ready, String accept) {
        MetricSnapshots.Builder all = MetricSnapshots.builder();
        jvm.getPrometheusRegistry().scrape().forEach(all::metricSnapshot);
        GaugeSnapshot.Builder leftOut = GaugeSnapshot.builder().name(LEFT_OUT).help(LEFT_OUT_HELP);
        for (TableMetrics table : tables) {
            List<Tables.Row> rows = Tables.rows(shown, table.table());
            table.read(rows).forEach(all::metricSnapshot);
            leftOut.dataPoint(
                    point(Labels.of("table", table.table()), Math.max(0, rows.size() - TableMetrics.MOST_ROWS)));
        }
        Histograms.read(Tables.rows(shown, Histograms.TABLE)).forEach(all::metricSnapshot);
        all.metricSnapshot(leftOut.build());
        all.metricSnapshot(GaugeSnapshot.builder()
                .name(READY)
                .help(READY_HELP)
                .dataPoint(point(Labels.EMPTY, ready ? 1 : 0))
                .build());
        return write(all.build(), accept);
    }

    private static GaugeSnapshot.GaugeDataPointSnapshot point(Labels labels, double value) {
        return GaugeSnapshot.GaugeDataPointSnapshot.builder()
                .labels(labels)
                .value(value)
                .build();
    }

    private Answer write(MetricSnapshots all, String accept) {
        ExpositionFormatWriter writer = accept.contains(OPEN_METRICS)
                ? formats.getOpenMetricsTextFormatWriter()
                : formats.getPrometheusTextFormatWriter();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            writer.write(bytes, all);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Answer(200, writer.getContentType(), bytes.toString(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        collector.close();
        jvm.close();
    }
}
