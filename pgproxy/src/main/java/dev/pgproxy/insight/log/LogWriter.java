package dev.pgproxy.insight.log;

import dev.pgproxy.insight.Caller;
import dev.pgproxy.insight.Printable;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes rows to one place, on a thread of its own, which alone waits for it. So many rows wait and no more. What could not be
 * written is not tried again, since nobody knows whether it was: no row is there twice. Thread-safe.
 */
final class LogWriter {
    static final int PLACES = 8192;

    private static final Logger LOG = LoggerFactory.getLogger(LogWriter.class);
    private static final int BATCH = 1000;
    private static final long AGAIN_MILLIS = 1000;
    private static final long IDLE_SECONDS = 30;

    /** Wakes who waits for the next one. */
    private static final LogRow END = new LogRow(
            Instant.EPOCH, "", 0, new LogEntry(0, new Caller("", "", ""), "", null, null, "", "", 0, 0, 0, null));

    private final String kind;
    private final String target;
    private final LogSink sink;
    private final BlockingQueue<LogRow> queue = new ArrayBlockingQueue<>(PLACES);
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread thread;
    private final LongAdder written = new LongAdder();
    private final LongAdder bytes = new LongAdder();
    private final LongAdder full = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private volatile @Nullable String problem;

    LogWriter(String kind, String target, LogSink sink) {
        this.kind = kind;
        this.target = target;
        this.sink = sink;
        this.thread =
                Thread.ofPlatform().daemon().name("query log to " + target).start(this::run);
    }

    /** One more is to be written; dropped if too many are already. */
    void add(LogRow row) {
        if (!queue.offer(row)) {
            full.increment();
        }
    }

    private void run() {
        try {
            while (ending.getCount() > 0 || !queue.isEmpty()) {
                LogRow first = queue.poll(ending.getCount() > 0 ? IDLE_SECONDS : 0, TimeUnit.SECONDS);
                if (first == null) {
                    sink.close();
                } else if (first != END && !write(first)) {
                    ending.await(AGAIN_MILLIS, TimeUnit.MILLISECONDS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the time for the end is over
        } finally {
            sink.close();
            failed.add(queue.size());
        }
    }

    /** With what else waits; false if it could not be written. */
    private boolean write(LogRow first) throws InterruptedException {
        if (!open()) {
            failed.increment();
            return false;
        }
        List<LogRow> rows = new ArrayList<>();
        rows.add(first);
        queue.drainTo(rows, BATCH - 1);
        rows.remove(END);
        try {
            bytes.add(sink.write(rows));
            written.add(rows.size());
            well();
            return true;
        } catch (IOException | SQLException | RuntimeException e) {
            failed.add(rows.size());
            ill(e);
            return false;
        }
    }

    /** Tries until it can be written, or there is no time left: whatever comes meanwhile waits, as long as there is room. */
    private boolean open() throws InterruptedException {
        while (true) {
            try {
                sink.open();
                return true;
            } catch (IOException | SQLException | RuntimeException e) {
                ill(e);
            }
            if (ending.await(AGAIN_MILLIS, TimeUnit.MILLISECONDS)) {
                return false;
            }
        }
    }

    private void ill(Exception e) {
        sink.close();
        errors.increment();
        String why = Printable.of(String.valueOf(e.getMessage()).strip().replaceAll("\\s+", " "));
        if (problem == null) {
            LOG.warn(
                    "query_log: {} cannot be written, what is answered meanwhile may be missing in it: {}",
                    target,
                    why);
        }
        problem = why;
    }

    private void well() {
        if (problem != null) {
            problem = null;
            LOG.info("query_log: {} is written again; so far {} rows are missing", target, full.sum() + failed.sum());
        }
    }

    /** Nothing more comes: what waits is written, and then it ends. */
    void end() {
        ending.countDown();
        queue.offer(END); // where it is full, nobody waits
    }

    /** Waits for that at most until this moment, by System.nanoTime; then what is left is dropped. */
    void awaitEnd(long until) throws InterruptedException {
        thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime())));
        thread.interrupt();
    }

    LogReport report() {
        return new LogReport(
                kind,
                target,
                written.sum(),
                bytes.sum(),
                queue.size(),
                full.sum(),
                failed.sum(),
                errors.sum(),
                problem);
    }
}
