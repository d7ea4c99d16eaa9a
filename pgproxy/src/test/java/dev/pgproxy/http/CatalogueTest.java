package dev.pgproxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.client.ConsoleAnswer;
import dev.pgproxy.protocol.backend.ColumnType;
import dev.pgproxy.testing.Exposition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What metrics there are, and how they are made from rows. */
final class CatalogueTest {
    private static final Path DOCS = Path.of("../docs/operations.md");

    private static String row(String name, String type, List<String> labels, String help) {
        String shown = labels.isEmpty() ? "" : "`" + String.join("`, `", labels) + "`";
        return "| `%s` | %s | %s | %s |".formatted(name, type, shown, help);
    }

    /** The rows of the documentation. */
    private static List<String> documented() {
        List<String> rows = new ArrayList<>();
        rows.add(row(Metrics.READY, "gauge", List.of(), Metrics.READY_HELP));
        rows.add(row(Metrics.LEFT_OUT, "gauge", List.of("table"), Metrics.LEFT_OUT_HELP));
        for (Histograms.Family family : Histograms.ALL) {
            rows.add(row(family.name(), "histogram", List.of(family.label()), family.help()));
        }
        for (TableMetrics table : Catalogue.ALL) {
            for (Metric metric : table.metrics()) {
                List<String> labels = new ArrayList<>(table.labelNames());
                if (metric.kind() == Metric.Kind.STATE) {
                    labels.add(metric.column());
                }
                rows.add(row(metric.name(), metric.kind().type(), labels, metric.help()));
            }
        }
        return rows;
    }

    @Test
    void theDocumentationListsEveryMetricAndNoOther() throws IOException {
        assertThat(Files.readAllLines(DOCS).stream().filter(line -> line.startsWith("| `pgproxy_")))
                .containsExactlyElementsOf(documented());
    }

    @Test
    void namesAreAsPrometheusWantsThem() {
        List<Metric> all = Catalogue.ALL.stream()
                .flatMap(table -> table.metrics().stream())
                .toList();
        assertThat(all).extracting(Metric::name).doesNotHaveDuplicates();
        assertThat(all).allSatisfy(metric -> {
            assertThat(metric.name()).matches("pgproxy_[a-z_]+");
            assertThat(metric.name().endsWith("_total")).isEqualTo(metric.kind() == Metric.Kind.COUNTER);
            assertThat(metric.name()).doesNotContainPattern("_(ms|us|micros|percent)(_|$)");
            assertThat(metric.help()).endsWith(".");
        });
        assertThat(Catalogue.ALL.stream().flatMap(table -> table.labelNames().stream()))
                .doesNotContain("fingerprint", "statement", "client", "client_id", "application_name");
    }

    private static ConsoleAnswer.Rows table(String columns, List<List<@Nullable String>> rows) {
        List<ConsoleAnswer.Column> list = new ArrayList<>();
        for (String column : columns.split(" ", -1)) {
            list.add(new ConsoleAnswer.Column(column, ColumnType.TEXT));
        }
        return new ConsoleAnswer.Rows(list, rows, "SHOW");
    }

    private static Exposition read(TableMetrics metrics, ConsoleAnswer.Rows rows) {
        try (Metrics all = new Metrics(List.of(metrics))) {
            Map<String, ConsoleAnswer.Rows> tables = new HashMap<>();
            tables.put(metrics.table(), rows);
            return Exposition.read(all.scrape(tables, true, "").text());
        }
    }

    @Test
    void columnsAreScaledAddedAndTold() {
        TableMetrics metrics = TableMetrics.of(
                "t",
                "host=host:port name",
                Metric.gauge("a_seconds", "s+us*1e-6", "A."),
                Metric.gauge("b_ratio", "share*0.01", "B."),
                Metric.flag("c", "state", "C.", "on", "open"),
                Metric.state("d", "state", "D."));
        Exposition found = read(
                metrics,
                table(
                        "host port name s us share state",
                        List.of(
                                List.of("::1", "5432", "a\"b\\c\nd", "2", "500000", "98.50 %", "on"),
                                java.util.Arrays.asList("h", "1", null, null, "1", null, "off"))));
        Map<String, Double> ours = new TreeMap<>(found.samples());
        ours.keySet().removeIf(name -> !name.matches("[abcd][_{].*"));
        String first = "host=[::1]:5432,name=a\\\"b\\\\c\\nd";
        assertThat(ours)
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "a_seconds{" + first + "}",
                        2.5,
                        "b_ratio{" + first + "}",
                        0.985,
                        "c{" + first + "}",
                        1.0,
                        "c{host=h:1,name=}",
                        0.0,
                        "d{" + first + ",state=on}",
                        1.0,
                        "d{host=h:1,name=,state=off}",
                        1.0));
    }

    @Test
    void rowsWithEqualLabelsAreOneSample() {
        ConsoleAnswer.Rows rows = table("name n", List.of(List.of("x", "3"), List.of("x", "2")));
        TableMetrics greatest = TableMetrics.of("t", "name", Metric.counter("n_total", "n", "N."));
        assertThat(read(greatest, rows).of("n_total{name=x}")).isEqualTo(3);
        assertThat(read(greatest.adding(), rows).of("n_total{name=x}")).isEqualTo(5);
    }

    @Test
    void whatIsMoreThanPrometheusShouldTakeIsCountedInPlaceOfShown() {
        List<List<@Nullable String>> rows = new ArrayList<>();
        for (int i = 0; i < TableMetrics.MOST_ROWS + 7; i++) {
            rows.add(List.of("user" + i, "1"));
        }
        TableMetrics metrics = TableMetrics.of("t", "name", Metric.gauge("n", "n", "N."));
        Exposition found = read(metrics, table("name n", rows));
        assertThat(found.samples().keySet().stream().filter(name -> name.startsWith("n{")))
                .hasSize(TableMetrics.MOST_ROWS);
        assertThat(found.of(Metrics.LEFT_OUT + "{table=t}")).isEqualTo(7);
    }
}
