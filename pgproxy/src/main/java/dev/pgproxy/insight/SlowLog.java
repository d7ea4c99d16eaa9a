package dev.pgproxy.insight;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.pgproxy.config.SlowSettings;
import dev.pgproxy.json.Json;
import dev.pgproxy.json.JsonLinesFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file of slow statements: an object of JSON for each in a line of its own, without literals. Written by a thread of its own:
 * what that cannot keep up with is dropped, and so is what cannot be written. Thread-safe.
 */
public final class SlowLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SlowLog.class);

    /** So many statements wait to be written, of 1 to 2 kB each. */
    static final int WAITING = 1000;

    private final Plans plans;
    private final LongAdder written = new LongAdder();
    private final LongAdder dropped = new LongAdder();
    private final ExecutorService writer;

    private volatile @Nullable JsonLinesFile file;
    private volatile String problem = "";

    /** Nothing is written before {@link #reload}; {@code plans} are told with statements. */
    public SlowLog(Plans plans) {
        this.plans = plans;
        ThreadPoolExecutor one = new ThreadPoolExecutor(
                1,
                1,
                10,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING),
                Thread.ofPlatform().name("slow-log").daemon().factory(),
                (line, full) -> dropped.increment());
        one.allowCoreThreadTimeOut(true);
        this.writer = one;
    }

    /** The start and RELOAD. */
    public void reload(SlowSettings settings) {
        Path to = settings.log();
        file = to == null ? null : new JsonLinesFile(to, settings.logSize(), settings.logFiles());
        problem = "";
    }

    void add(SlowStatement statement) {
        if (file != null) {
            writer.execute(() -> write(statement));
        }
    }

    private void write(SlowStatement statement) {
        JsonLinesFile to = file;
        if (to == null) {
            return;
        }
        try {
            to.append(line(statement));
            written.increment();
            if (!problem.isEmpty()) {
                problem = "";
                LOG.info("slow_query_log {} is written again", to.path());
            }
        } catch (IOException | RuntimeException e) {
            dropped.increment();
            if (problem.isEmpty()) {
                LOG.warn(
                        "slow_query_log {} cannot be written, what is slow is not in it until it can: {}",
                        to.path(),
                        e.toString());
            }
            problem = e.toString();
        }
    }

    private byte[] line(SlowStatement slow) {
        PlanReport known = plans.of(slow);
        ExplainedPlan plan = known == null ? null : known.plan();
        return (Json.object()
                                .put("time", slow.endedAt().toString())
                                .put("database", slow.caller().database())
                                .put("user", slow.caller().user())
                                .put("application_name", slow.caller().application())
                                .put("addr", slow.address())
                                .put(
                                        "host",
                                        slow.host() == null ? null : slow.host().toString())
                                .put("fingerprint", slow.fingerprint())
                                .put("query", slow.text())
                                .putNumber("queue_ms", millis(slow.queued()))
                                .putNumber("server_ms", millis(slow.served()))
                                .put("rows", slow.rows())
                                .put("sqlstate", slow.sqlState())
                                .put("plan", plan == null ? null : plan.hash())
                        + "\n")
                .getBytes(UTF_8);
    }

    /** With three digits. */
    private static String millis(long nanos) {
        return java.math.BigDecimal.valueOf(nanos / 1000, 3).toPlainString();
    }

    /** Where it goes; null = nowhere. */
    public @Nullable Path path() {
        JsonLinesFile to = file;
        return to == null ? null : to.path();
    }

    /** Why the last one could not be written; empty if it could. */
    public String problem() {
        return problem;
    }

    /** Statements since the start. */
    public long written() {
        return written.sum();
    }

    /** Statements that were not written since there were too many, or since they could not be. */
    public long dropped() {
        return dropped.sum();
    }

    /** Writes what waits, for a second at most. */
    @Override
    public void close() {
        writer.shutdown();
        try {
            if (!writer.awaitTermination(1, TimeUnit.SECONDS)) {
                writer.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
