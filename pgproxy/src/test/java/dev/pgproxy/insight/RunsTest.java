package dev.pgproxy.insight;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.management.ThreadMXBean;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.StatisticsSettings;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.SqlAnalyzer;
import dev.pgproxy.protocol.sql.ValueReader;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Runs of one session, by a clock of the test's own. */
final class RunsTest {
    private static final long MILLIS = 1_000_000;
    private static final Caller CALLER = new Caller("d", "u", "app");
    private static final int ROUNDS = 5;

    private final Shapes shapes = new Shapes();
    private final SqlAnalyzer analyzer = new SqlAnalyzer(1);
    private final QueryStats stats = new QueryStats(1, settings(5));
    private final Repetitions repetitions = new Repetitions(stats, database -> null);
    private final Runs.Execution execution = new Runs.Execution();
    private final Runs runs = new Runs(stats.loop(0).runs());
    private final Text posts = text("SELECT id, title FROM posts");
    private final Text comments = text("SELECT body FROM comments WHERE post_id = $1");
    private long now = 1;

    /** A text as it was read. */
    private record Text(Shape shape, QueryFacts facts) {}

    @AfterEach
    void close() {
        shapes.close();
    }

    private static StatisticsSettings settings(int threshold) {
        return new StatisticsSettings(true, 5000, Duration.ofMillis(100), threshold, Duration.ZERO, null);
    }

    private Text text(String sql) {
        byte[] bytes = sql.getBytes(UTF_8);
        QueryFacts facts = analyzer.analyze(Unpooled.wrappedBuffer(bytes), 0, bytes.length, true, false);
        Shape shape = shapes.get(analyzer.fingerprintHigh(), analyzer.fingerprintLow(), bytes, facts, true);
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1)).until(() -> shape.facts() != null);
        return new Text(shape, facts);
    }

    private void run(Text text, long values, long rows, boolean inBlock, long pause) {
        long began = now + pause;
        now = began + MILLIS;
        runs.ended(
                execution
                        .of(text.shape, text.facts, ValueReader.mix(1, values) | 1, false, false)
                        .gave(rows, began, now, inBlock),
                CALLER);
    }

    private void list(long rows, boolean inBlock) {
        runs.ended(
                execution
                        .of(posts.shape, posts.facts, Runs.NO_VALUES, false, false)
                        .gave(rows, now, now += MILLIS, inBlock),
                CALLER);
    }

    /** So many different ones behind a list of so many rows. */
    private void loop(int times, long rows, boolean inBlock, long pause) {
        list(rows, inBlock);
        for (int i = 0; i < times; i++) {
            run(comments, i, 2, inBlock, pause);
        }
    }

    private List<NPlusOne> found() {
        return repetitions.nPlusOnes();
    }

    @Test
    void aRunHasItsNumbers() {
        loop(7, 7, true, 0);
        NPlusOne only = found().getFirst();
        assertThat(only.child().text()).isEqualTo("SELECT body FROM comments WHERE post_id = $1");
        assertThat(only.parent()).isNotNull();
        assertThat(only.parentBy()).isEqualTo("column name");
        assertThat(List.of(only.occurrences(), only.executions(), only.nanos())).containsExactly(1L, 7L, 7 * MILLIS);
        assertThat(only.lost()).isEqualTo(6 * MILLIS);
        assertThat(only.batched()).isEqualTo("SELECT post_id, body FROM comments WHERE post_id = ANY($1)");
        loop(9, 9, true, 0);
        assertThat(found().getFirst().occurrences()).isEqualTo(2);
        assertThat(found().getFirst().perOccurrence()).isEqualTo(8);
    }

    @Test
    void oneFewerThanTheThresholdIsNoRun() throws ConfigProblems {
        loop(4, 20, true, 0);
        assertThat(found()).isEmpty();
        stats.reload(ConfigLoader.parse("n_plus_one_threshold = 4\ndatabases { \"*\" { primary = h } }"));
        loop(4, 20, true, 0);
        assertThat(found()).hasSize(1);
    }

    @Test
    void pausesEndAWindow() {
        loop(8, 8, false, 120 * MILLIS);
        loop(8, 8, true, 1100 * MILLIS);
        assertThat(found()).isEmpty();
        loop(8, 8, false, 80 * MILLIS);
        assertThat(found()).hasSize(1);
    }

    @Test
    void moreThanTheRowsOfTheParentIsTakenBack() {
        loop(10, 5, true, 0);
        assertThat(found()).hasSize(1);
        run(comments, 10, 2, true, 0);
        assertThat(found()).isEmpty();
    }

    @Test
    void theSameValuesAreNoRunButAreTold() {
        list(20, true);
        for (int i = 0; i < 10; i++) {
            run(comments, 1, 2, true, 0);
        }
        assertThat(found()).isEmpty();
        assertThat(repetitions.others()).singleElement().satisfies(other -> {
            assertThat(other.what()).isEqualTo(Repetition.What.SAME_VALUES);
            assertThat(other.inBlocks()).isEqualTo(10);
        });
    }

    @Test
    void writesInRowsAreTold() {
        Text insert = text("INSERT INTO t VALUES ($1)");
        for (int i = 0; i < 12; i++) {
            run(insert, i, 1, true, 0);
        }
        assertThat(repetitions.others()).singleElement().satisfies(other -> {
            assertThat(other.what()).isEqualTo(Repetition.What.WRITE_BY_ROW);
            assertThat(other.inBlocks()).isEqualTo(12);
        });
    }

    @Test
    void aResetForgets() {
        loop(7, 7, true, 0);
        stats.reset();
        assertThat(found()).isEmpty();
        loop(7, 7, true, 0);
        assertThat(found().getFirst().occurrences()).isEqualTo(1);
    }

    @Test
    void findingsAreBoundedAndTheDearestStay() {
        loop(50, 50, true, 0);
        for (int i = 0; i < 3 * LoopRuns.MOST; i++) {
            Text other = text("SELECT body FROM comments" + i + " WHERE post_id = $1");
            list(5, true);
            for (int n = 0; n < 5; n++) {
                run(other, n, 2, true, 0);
            }
        }
        assertThat(stats.loop(0).runs().findings()).hasSizeLessThanOrEqualTo(LoopRuns.MOST);
        assertThat(found().getFirst().child().text()).isEqualTo("SELECT body FROM comments WHERE post_id = $1");
    }

    @Test
    void anExecutionThatIsKnownCostsNoAllocation() {
        List<Text> known = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            known.add(text("SELECT a FROM t" + i + " WHERE b = $1"));
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = Long.MAX_VALUE;
        long nanos = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            long start = System.nanoTime();
            for (int i = 0; i < 200_000; i++) {
                run(known.get(i % (i % 1000 < 500 ? 6 : 30)), i, i % 2, i % 100 < 50, 0);
            }
            nanos = Math.min(nanos, System.nanoTime() - start);
            allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
        }
        System.out.println("ns of an execution told to Runs: " + nanos / 200_000);
        assertThat(allocated / 200_000).isZero();
    }

    @Test
    void aRunCostsSomeBytesOnceAndAnExecutionOfItNone() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long each = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 2000; i++) {
                loop(100, 100, true, 0);
            }
            each = Math.min(each, (threads.getCurrentThreadAllocatedBytes() - before) / 2000);
        }
        System.out.println("bytes of a run of 100 executions: " + each);
        assertThat(each).isLessThan(200);
    }

    @Test
    void hashesOfValuesCostNoAllocation() {
        ValueReader reader = new ValueReader();
        ByteBuf text = Unpooled.wrappedBuffer(
                "SELECT \"users\".\"id\", \"users\".\"name\" FROM \"users\" WHERE \"users\".\"id\" = 4711 LIMIT 21"
                        .getBytes(UTF_8));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = Long.MAX_VALUE;
        long nanos = Long.MAX_VALUE;
        long hash = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            long start = System.nanoTime();
            for (int i = 0; i < 100_000; i++) {
                reader.read(text, 0, text.readableBytes(), true);
                hash += reader.literals() + ValueReader.hash(hash, text, 0, 16);
            }
            nanos = Math.min(nanos, System.nanoTime() - start);
            allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
        }
        System.out.println("ns of a text of 86 bytes with a literal: " + nanos / 100_000 + (hash == 0 ? " " : ""));
        assertThat(allocated / 100_000).isZero();
    }
}
