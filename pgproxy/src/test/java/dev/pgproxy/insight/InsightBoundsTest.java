package dev.pgproxy.insight;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.StatisticsSettings;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A million statements, and clients that lie about everything: what is kept does not grow. */
final class InsightBoundsTest {
    private static final int MILLION = 1_000_000;
    private static final int MOST = 2000;
    private static final long MB = 1 << 20;

    private static long used() {
        for (int i = 0; i < 3; i++) {
            ManagementFactory.getMemoryMXBean().gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    @Test
    void aMillionFingerprintsNamesAndHosts() throws Exception {
        Random random = new Random(1);
        QueryStats stats = new QueryStats(
                1, new StatisticsSettings(true, MOST, Duration.ofNanos(1), 5, Duration.ofMinutes(10), null));
        stats.named(Set.of("app"));
        LoopStats loop = stats.loop(0);
        try (Shapes shapes = new Shapes()) {
            long before = used();
            for (int i = 0; i < MILLION; i++) {
                String text = "SELECT a FROM t" + i;
                Shape shape =
                        shapes.get(random.nextLong(), random.nextLong(), text.getBytes(UTF_8), QueryFacts.EMPTY, true);
                Caller caller = new Caller(i % 2 == 0 ? "app" : "made up " + i, "user " + i, "app " + i);
                HostAddress host = new HostAddress("10.0.0." + i % 250, 5432 + i / 250);
                StatementStats entry = loop.find(shape, caller, host, System.nanoTime());
                entry.answered(random.nextInt(1000), random.nextInt(1_000_000), 1, 1, System.nanoTime());
                entry.failed(String.valueOf(random.nextInt(90_000) + 10_000));
                loop.slow(entry.slow(Instant.EPOCH, "", 1, 1, 1, null), shape);
            }
            assertThat(stats.read()).hasSizeLessThanOrEqualTo(MOST);
            assertThat(stats.forgotten()).isGreaterThan(MILLION - 2 * MOST);
            assertThat(stats.slow().latest()).hasSize(1000);
            // two databases with three series each; a hundred hosts and the others
            assertThat(stats.latencies()).hasSize(6 + 101);
            long statements = stats.latencies().stream()
                    .filter(report -> report.of() == LatencyReport.Kind.STATEMENTS)
                    .mapToLong(LatencyReport::calls)
                    .sum();
            assertThat(statements).isEqualTo(MILLION);
            byte[] saved = SavedStats.bytes(stats.sums(MOST));
            assertThat(saved.length).isLessThan(MOST * 1000);
            QueryStats next = new QueryStats(
                    1, new StatisticsSettings(true, MOST, Duration.ZERO, 5, Duration.ofMinutes(10), null));
            next.restore(SavedStats.parse(saved, MOST));
            assertThat(next.read()).hasSameSizeAs(stats.read());
            assertThat(used() - before).isLessThan(100 * MB);
            assertThat(loop.find(
                            shapes.get(1, 1, new byte[0], QueryFacts.EMPTY, true), new Caller("", "", ""), null, 0))
                    .isNotNull(); // nothing of it was let go before it was measured
        }
    }

    @Test
    void percentilesOfBucketsAreWithinABucket() {
        QueryStats stats =
                new QueryStats(1, new StatisticsSettings(true, MOST, Duration.ZERO, 5, Duration.ofMinutes(10), null));
        try (Shapes shapes = new Shapes()) {
            Shape shape = shapes.get(1, 1, "SELECT 1".getBytes(UTF_8), QueryFacts.EMPTY, true);
            StatementStats entry = stats.loop(0).find(shape, new Caller("d", "u", ""), null, 0);
            for (int i = 1; i <= 100_000; i++) {
                entry.answered(0, i * 1000L, 0, 0, 0); // 1 µs to 100 ms, evenly
            }
        }
        LatencyReport report = stats.latencies().getFirst();
        assertThat(report.name()).isEqualTo("*");
        assertThat(report.percentile(0.5) / 1e6).isBetween(49.0, 51.0);
        assertThat(report.percentile(0.95) / 1e6).isBetween(93.0, 97.0);
        assertThat(report.percentile(0.99) / 1e6).isBetween(97.0, 100.0);
        assertThat(report.percentile(1) / 1e6).isEqualTo(100);
        assertThat(report.sum()).isEqualTo(50_000L * 100_001 * 1000);
    }
}
