package dev.pgproxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Alert rules and dashboards speak of metrics that there are; {@code benchmarks/prometheus} asks a real Prometheus. */
final class MonitoringFilesTest {
    private static final Path RULES = Path.of("../conf/prometheus/pgproxy.rules.yml");
    private static final Path DASHBOARDS = Path.of("../conf/grafana/dashboards");
    private static final Pattern METRIC = Pattern.compile("\\bpgproxy_[a-z_]+\\b");

    private static Set<String> known() {
        Set<String> known = new TreeSet<>(Set.of(Metrics.READY, Metrics.LEFT_OUT));
        Catalogue.ALL.forEach(table -> table.metrics().forEach(metric -> known.add(metric.name())));
        for (Histograms.Family family : Histograms.ALL) {
            Stream.of("_bucket", "_count", "_sum").forEach(end -> known.add(family.name() + end));
        }
        return known;
    }

    private static Set<String> named(String text) {
        return METRIC.matcher(text).results().map(MatchResult::group).collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<Path> dashboards() throws IOException {
        try (Stream<Path> files = Files.list(DASHBOARDS)) {
            return files.sorted().toList();
        }
    }

    @Test
    void rulesSpeakOfMetricsThatThereAre() throws IOException {
        assertThat(named(Files.readString(RULES))).hasSizeGreaterThan(15).isSubsetOf(known());
    }

    @Test
    void everyPanelOfADashboardShowsMetricsThatThereAre() throws IOException {
        List<Path> files = dashboards();
        assertThat(files).hasSize(4);
        List<String> identifiers = new ArrayList<>();
        for (Path file : files) {
            Config dashboard = ConfigFactory.parseFile(
                    file.toFile(), ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON));
            identifiers.add(dashboard.getString("uid"));
            assertThat(file).hasFileName(dashboard.getString("uid") + ".json");
            for (Config panel : dashboard.getConfigList("panels")) {
                String title = panel.getString("title");
                assertThat(panel.getConfigList("targets"))
                        .as(title)
                        .isNotEmpty()
                        .allSatisfy(target -> assertThat(named(target.getString("expr")))
                                .as(title)
                                .isNotEmpty()
                                .isSubsetOf(known()));
            }
        }
        assertThat(identifiers).doesNotHaveDuplicates();
    }
}
