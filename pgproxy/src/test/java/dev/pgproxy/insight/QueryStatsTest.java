package dev.pgproxy.insight;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.HostAddress;
import dev.pgproxy.config.StatisticsSettings;
import dev.pgproxy.insight.StatementReport.Percentiles;
import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.routing.sql.Shape;
import dev.pgproxy.routing.sql.Shapes;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The tables of several loops against a plain list of calls; {@code -Dstats.seed=} repeats a run. */
final class QueryStatsTest {
    private static final long SEED = Long.getLong("stats.seed", System.nanoTime());
    private static final int LOOPS = 3;
    private static final List<String> STATES = List.of("23505", "40001", "57014");

    private final Random random = new Random(SEED);
    private final Shapes shapes = new Shapes();

    @AfterEach
    void close() {
        shapes.close();
    }

    /** One call, as somebody has seen it. */
    private record Call(
            StatementKey key,
            long queued,
            long served,
            long rows,
            @Nullable String failure,
            boolean cached) {}

    /** What a table may get wrong: each has to be noticed. */
    private enum Fault {
        NONE,
        LOST_CALL,
        OTHER_CALLER,
        MORE_ROWS,
        NO_FAILURE,
        SLOWER
    }

    private static QueryStats stats(int max) {
        return new QueryStats(
                LOOPS, new StatisticsSettings(true, max, Duration.ofMillis(100), 5, Duration.ofMinutes(10), null));
    }

    private List<Shape> shapes(int count) {
        List<Shape> list = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String text = "SELECT a FROM t" + i;
            list.add(shapes.get(random.nextLong(), random.nextLong(), text.getBytes(UTF_8), QueryFacts.EMPTY, true));
        }
        return list;
    }

    /** Microseconds to a minute, each magnitude as often as the others. */
    private long nanos() {
        return (long) Math.exp(random.nextDouble() * Math.log(60e9));
    }

    private void count(LoopStats loop, Shape shape, Call call) {
        StatementStats entry = loop.find(shape, call.key.caller(), call.key.host(), System.nanoTime());
        if (call.cached) {
            entry.cached(call.queued, call.served, call.rows, 10, System.nanoTime());
            return;
        }
        entry.answered(call.queued, call.served, call.rows, 10, System.nanoTime());
        if (call.failure != null) {
            entry.failed(call.failure);
        }
    }

    private static Call spoilt(Call call, Fault fault) {
        StatementKey key = call.key;
        return switch (fault) {
            case NONE, LOST_CALL -> call;
            case OTHER_CALLER ->
                new Call(
                        new StatementKey(key.high(), key.low(), new Caller("other", "u", ""), key.host()),
                        call.queued,
                        call.served,
                        call.rows,
                        call.failure,
                        call.cached);
            case MORE_ROWS -> new Call(key, call.queued, call.served, call.rows + 1, call.failure, call.cached);
            case NO_FAILURE -> new Call(key, call.queued, call.served, call.rows, null, call.cached);
            case SLOWER -> new Call(key, call.queued, call.served + 1000, call.rows, call.failure, call.cached);
        };
    }

    /** Random calls with resets in between; what differs in the end. */
    private List<String> run(int calls, Fault fault) {
        QueryStats stats = stats(5000);
        List<Shape> known = shapes(20);
        List<@Nullable HostAddress> hosts = Arrays.asList(new HostAddress("a", 1), new HostAddress("b", 2), null);
        List<Call> model = new ArrayList<>();
        int spoiltAt = calls - 1 - random.nextInt(calls / 20);
        for (int i = 0; i < calls; i++) {
            if (i < calls * 0.9 && random.nextInt(calls / 3) == 0) {
                stats.reset();
                model.clear();
            }
            Shape shape = known.get(random.nextInt(known.size()));
            Caller caller = new Caller("d", "u" + random.nextInt(3), "app " + random.nextInt(2));
            boolean spoils = fault != Fault.NONE && i == spoiltAt;
            boolean cached = !spoils && random.nextInt(10) == 0;
            boolean fails = spoils || !cached && random.nextInt(10) == 0;
            Call call = new Call(
                    new StatementKey(shape.high(), shape.low(), caller, hosts.get(random.nextInt(hosts.size()))),
                    random.nextBoolean() ? 0 : nanos(),
                    nanos(),
                    random.nextInt(100),
                    fails ? STATES.get(random.nextInt(STATES.size())) : null,
                    cached);
            model.add(call);
            if (!spoils || fault != Fault.LOST_CALL) {
                count(stats.loop(random.nextInt(LOOPS)), shape, spoils ? spoilt(call, fault) : call);
            }
        }
        return differences(stats, model);
    }

    private static List<String> differences(QueryStats stats, List<Call> model) {
        Map<StatementKey, List<Call>> expected = new HashMap<>();
        model.forEach(call ->
                expected.computeIfAbsent(call.key, key -> new ArrayList<>()).add(call));
        List<String> differences = new ArrayList<>();
        for (StatementReport row : stats.read()) {
            List<Call> calls = expected.remove(row.key());
            if (calls == null) {
                differences.add("nobody has run " + row);
                continue;
            }
            String shown = exact(row);
            String wanted = exact(calls);
            if (!shown.equals(wanted)) {
                differences.add(shown + " instead of " + wanted);
            }
            differences.addAll(percentiles(row, calls));
        }
        expected.forEach((key, calls) -> differences.add("missing: " + calls.size() + " of " + key));
        return differences;
    }

    private static String exact(StatementReport row) {
        Percentiles times = row.latencies();
        return row.calls() + " " + row.rows() + " " + row.bytes() + " " + row.queued() + " " + row.served() + " "
                + row.cached() + " " + sorted(row.errors().toString()) + " " + times.longest();
    }

    private static String exact(List<Call> calls) {
        Map<String, Integer> failures = new TreeMap<>();
        calls.stream().filter(c -> c.failure != null).forEach(c -> failures.merge(c.failure, 1, Integer::sum));
        return calls.size() + " " + calls.stream().mapToLong(Call::rows).sum() + " " + calls.size() * 10L + " "
                + calls.stream().mapToLong(Call::queued).sum() + " "
                + calls.stream().mapToLong(Call::served).sum() + " "
                + calls.stream().filter(Call::cached).count() + " "
                + sorted(String.join(
                        " ",
                        failures.entrySet().stream()
                                .map(e -> e.getKey() + ":" + e.getValue())
                                .toList()))
                + " "
                + calls.stream()
                        .mapToLong(c -> (c.queued + c.served) / 1000)
                        .max()
                        .orElse(-1);
    }

    private static String sorted(String words) {
        String[] list = words.split(" ");
        Arrays.sort(list);
        return String.join(" ", list);
    }

    private static List<String> percentiles(StatementReport row, List<Call> calls) {
        List<Long> micros = new ArrayList<>();
        calls.forEach(c -> micros.add((c.queued + c.served) / 1000));
        Collections.sort(micros);
        Percentiles times = row.latencies();
        List<String> differences = new ArrayList<>();
        near(50, times.p50(), micros, differences);
        near(95, times.p95(), micros, differences);
        near(99, times.p99(), micros, differences);
        return differences;
    }

    /** A sixteenth for the bucket, a hundredth for HdrHistogram's two digits. */
    private static void near(int percent, long shown, List<Long> sorted, List<String> differences) {
        long exact = sorted.get(Math.max(0, (int) Math.ceil(percent / 100.0 * sorted.size()) - 1));
        if (Math.abs(shown - exact) > 1 + exact / 16.0 + exact / 100.0) {
            differences.add("p" + percent + " is " + shown + " instead of " + exact);
        }
    }

    @Test
    void whatIsSlowIsSaidByARuleElseByTheDatabaseElseForAll() throws ConfigProblems {
        QueryStats stats = stats(10);
        LoopStats loop = stats.loop(0);
        Caller batch = new Caller("batch", "u", "a");
        Caller other = new Caller("other", "u", "a");
        assertThat(loop.isSlow(100_000_000, other, -1)).isTrue();
        assertThat(loop.isSlow(99_999_999, other, -1)).isFalse();
        stats.reload(ConfigLoader.parse("""
                slow_query_threshold = 0
                databases { batch { primary = h, slow_query_threshold = 1s }, "*" { primary = h } }
                statement_rules { r { user = u, slow_query_threshold = 2ms } }
                """));
        assertThat(loop.isSlow(Long.MAX_VALUE - 1, other, -1)).isFalse();
        assertThat(loop.isSlow(1_000_000_000, batch, -1)).isTrue();
        assertThat(loop.isSlow(999_999_999, batch, -1)).isFalse();
        assertThat(loop.isSlow(2_000_000, batch, 2_000_000)).isTrue();
        assertThat(loop.isSlow(1_999_999, other, 2_000_000)).isFalse();
        stats.reload(ConfigLoader.parse("""
                databases { batch { primary = h }, "*" { primary = h, slow_query_threshold = 5ms } }
                """));
        assertThat(loop.isSlow(5_000_000, other, -1)).isTrue();
        assertThat(loop.isSlow(5_000_000, batch, -1)).isFalse();
        assertThat(loop.isSlow(100_000_000, batch, -1)).isTrue();
    }

    @Test
    void whatIsToldIsWhatWasCounted() {
        System.out.println("-Dstats.seed=" + SEED);
        for (int round = 0; round < 20; round++) {
            assertThat(run(3000, Fault.NONE)).as("-Dstats.seed=%s", SEED).isEmpty();
        }
    }

    @Test
    void oneWrongCallIsNoticed() {
        for (Fault fault : Fault.values()) {
            if (fault != Fault.NONE) {
                assertThat(run(3000, fault))
                        .as("%s, -Dstats.seed=%s", fault, SEED)
                        .isNotEmpty();
            }
        }
    }

    @Test
    void whatIsFrequentStaysHoweverManyOthersThereAre() {
        QueryStats stats = stats(100);
        LoopStats loop = stats.loop(0);
        List<Shape> known = shapes(1000);
        Caller usual = new Caller("d", "u", "usual");
        for (int i = 0; i < 1_000_000; i++) {
            Caller hostile = new Caller("d", "u", "app" + i / 1000);
            loop.find(known.get(i % 1000), hostile, null, i).answered(0, 50_000, 1, 1, i);
            loop.find(known.get(i % 5), usual, null, i).answered(0, 50_000, 1, 1, i);
            if (i % 100_000 == 0) {
                assertThat(stats.read()).hasSizeLessThanOrEqualTo(100);
            }
        }
        List<StatementReport> rows = stats.read();
        assertThat(rows).hasSizeBetween(50, 100);
        assertThat(rows.stream().filter(row -> row.key().caller().equals(usual)).map(StatementReport::calls))
                .containsExactlyInAnyOrder(200_000L, 200_000L, 200_000L, 200_000L, 200_000L);
        assertThat(stats.forgotten()).isGreaterThan(900_000);
        stats.reset();
        assertThat(stats.read()).isEmpty();
        assertThat(stats.forgotten()).isZero();
    }

    /** What was much once does not stand in the way of what is something now. */
    @Test
    void whatWasSeenLongAgoLeavesAtLast() {
        QueryStats stats = stats(100);
        List<Shape> known = shapes(200);
        LoopStats loop = stats.loop(0);
        Caller old = new Caller("d", "u", "old");
        for (int i = 0; i < 95; i++) {
            loop.find(known.get(i), old, null, i).answered(0, 1_000_000_000, 1, 1, i);
        }
        for (int i = 0; i < 40_000; i++) {
            loop.find(known.get(i % 200), new Caller("d", "u", "new" + i), null, i)
                    .answered(0, 1_000_000, 1, 1, i);
        }
        assertThat(stats.read()).noneMatch(row -> row.key().caller().equals(old));
    }

    @Test
    void aStatementThatIsKnownCostsNoAllocation() {
        QueryStats stats = stats(5000);
        LoopStats loop = stats.loop(0);
        List<Shape> known = shapes(50);
        Caller caller = new Caller("d", "u", "app");
        HostAddress host = new HostAddress("h", 5432);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = Long.MAX_VALUE;
        for (int round = 0; round < 5; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 200_000; i++) {
                loop.find(known.get(i % 50), caller, host, i).answered(i % 1000, 1000L * (i % 5000), 1, 100, i);
            }
            allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(allocated).isLessThan(10_000);
    }

    @Test
    void fiveThousandStatementsTakeSomeMegabytesForEachLoop() {
        List<Shape> known = shapes(5000);
        QueryStats stats = stats(5000);
        Caller caller = new Caller("d", "u", "app");
        long before = used();
        for (Shape shape : known) {
            StatementStats entry = stats.loop(0).find(shape, caller, null, 1);
            for (int i = 0; i < 30; i++) {
                entry.answered(0, nanos(), 1, 1, 1);
            }
        }
        long each = (used() - before) / 5000;
        System.out.println("bytes of a statement on a loop, its times from 1 ns to 60 s: " + each);
        assertThat(each).isLessThan(1600);
        assertThat(stats.read()).hasSize(5000);
    }

    private static long used() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Test
    void whoReadsWhileALoopCountsSeesNoLessThanBefore() throws InterruptedException {
        QueryStats stats = stats(5000);
        List<Shape> known = shapes(300);
        Caller caller = new Caller("d", "u", "app");
        AtomicBoolean done = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            for (int i = 0; i < 3_000_000; i++) {
                int of = Math.min(known.size() - 1, i / 1000);
                loopOf(stats, known.get(i % (of + 1)), caller, i);
            }
            done.set(true);
        });
        writer.start();
        long before = 0;
        while (!done.get()) {
            long calls = stats.read().stream().mapToLong(StatementReport::calls).sum();
            assertThat(calls).isGreaterThanOrEqualTo(before);
            before = calls;
        }
        writer.join();
        assertThat(stats.read().stream().mapToLong(StatementReport::calls).sum())
                .isEqualTo(3_000_000);
    }

    private static void loopOf(QueryStats stats, Shape shape, Caller caller, int i) {
        stats.loop(0).find(shape, caller, null, i).answered(0, i, 1, 1, i);
    }

    @Test
    void ofManySqlStatesTheLastOnesAreOne() {
        SqlStates states = SqlStates.NONE;
        for (int i = 0; i < 100; i++) {
            states = states.with(String.format("%05d", i % 20), 1).with("not one of PostgreSQL's", 1);
        }
        assertThat(states.total()).isEqualTo(200);
        assertThat(states.toString().split(" ")).hasSizeLessThanOrEqualTo(17).startsWith("other:125");
    }

    @Test
    void nothingMovesTheCursor() {
        assertThat(Printable.of("a\u001b[2Jb\n\u202ec é")).isEqualTo("a\\u001b[2Jb\\u000a\\u202ec é");
        assertThat(Printable.of("SELECT ?")).isEqualTo("SELECT ?");
    }

    @Test
    void slowOnesAreTheLastOnes() {
        QueryStats stats = stats(10);
        Shape shape = shapes(1).getFirst();
        LoopStats loop = stats.loop(0);
        StatementStats entry = loop.find(shape, new Caller("d", "u", "a"), null, 0);
        for (int i = 0; i < SlowStatements.KEPT + 5; i++) {
            loop.slow(entry.slow(java.time.Instant.EPOCH, "", 0, i, 0, null), shape);
        }
        List<SlowStatement> latest = stats.slow().latest();
        assertThat(latest).hasSize(SlowStatements.KEPT);
        assertThat(latest.getFirst().served()).isEqualTo(SlowStatements.KEPT + 4);
        assertThat(latest.getLast().served()).isEqualTo(5);
        stats.reset();
        assertThat(stats.slow().latest()).isEmpty();
    }
}
