package dev.pgproxy.alert;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one sink is still to be told: a queue of bounded length, sent by a daemon thread of its own, which tries again where that
 * may help. In no minute more alerts than allowed are taken; of the others it tells the number, once there is room again.
 * Who is told that something was raised is told that it was cleared, and nobody else. {@link #offer} and {@link #tick} are for one
 * thread, and never wait.
 */
final class Outbox implements AutoCloseable {
    /** Messages that wait. */
    static final int CAPACITY = 200;

    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);
    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final Sink sink;
    private final Retry retry;
    private final BlockingQueue<Alert> queue = new ArrayBlockingQueue<>(CAPACITY);
    private final Thread thread;

    /** When alerts of the last minute were taken, the oldest first. */
    private final Deque<Long> taken = new ArrayDeque<>();

    private final Set<Alert.Id> told = new HashSet<>();
    private int untold;
    private boolean overflows;

    private final AtomicLong delivered = new AtomicLong();
    private final AtomicLong tries = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private final AtomicLong heldBack = new AtomicLong();
    private volatile @Nullable Instant lastDelivery;
    private volatile String problem = "";
    private volatile boolean open = true;

    /** Sends from now on. */
    Outbox(Sink sink, Retry retry) {
        this.sink = sink;
        this.retry = retry;
        this.thread =
                Thread.ofPlatform().daemon().name("alerts to " + sink.name()).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** One more alert, raised or cleared. */
    void offer(Alert alert, int perMinute, long now) {
        if (!alert.isRaised()) {
            if (told.remove(alert.id())) {
                enqueue(alert);
            }
        } else if (hasRoom(perMinute, now)) {
            taken.addLast(now);
            if (enqueue(alert)) {
                told.add(alert.id());
            }
        } else {
            untold++;
            heldBack.incrementAndGet();
        }
    }

    /** To be called about once a second. */
    void tick(int perMinute, long now, Instant time) {
        if (untold > 0 && hasRoom(perMinute, now)) {
            taken.addLast(now);
            String text = untold + " alerts were not told of here: more than " + perMinute + " came in a minute";
            untold = 0;
            enqueue(Alert.of(AlertKind.HELD_BACK, sink.name(), text, time));
        }
    }

    private boolean hasRoom(int perMinute, long now) {
        while (!taken.isEmpty() && now - taken.getFirst() >= MINUTE) {
            taken.removeFirst();
        }
        return taken.size() < perMinute;
    }

    private boolean enqueue(Alert alert) {
        if (queue.offer(alert)) {
            overflows = false;
            return true;
        }
        dropped.incrementAndGet();
        if (!overflows) {
            overflows = true;
            LOG.warn("alerts to {} are dropped: {} wait to be sent already", sink.name(), CAPACITY);
        }
        return false;
    }

    private void run() {
        while (open) {
            try {
                deliver(queue.take());
            } catch (InterruptedException e) {
                return; // closed
            } catch (RuntimeException e) {
                problem = "internal error";
                LOG.error("alerts to {}: internal error", sink.name(), e);
            }
        }
    }

    private void deliver(Alert alert) {
        for (int tried = 1; open; tried++) {
            tries.incrementAndGet();
            try {
                sink.send(alert);
                delivered.incrementAndGet();
                lastDelivery = Instant.now();
                problem = "";
                return;
            } catch (DeliveryFailure e) {
                boolean first = problem.isEmpty();
                problem = String.valueOf(e.getMessage());
                if (open && (e.isLasting() || tried == retry.tries())) {
                    failed.incrementAndGet();
                    LOG.warn("alert {} could not be told to {}: {}", alert.id(), sink.name(), problem);
                    return;
                }
                if (open && first) {
                    LOG.info("alert {} is not told to {} yet: {}", alert.id(), sink.name(), problem);
                }
                pause(retry.pauseAfter(tried));
            }
        }
    }

    private void pause(long nanos) {
        long end = System.nanoTime() + nanos;
        for (long left = nanos; open && left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
        }
    }

    SinkStatus status() {
        return new SinkStatus(
                sink.name(),
                sink.kind(),
                queue.size(),
                delivered.get(),
                tries.get(),
                failed.get(),
                dropped.get(),
                heldBack.get(),
                lastDelivery,
                problem);
    }

    /** What is queued is forgotten, and what is being sent is not awaited. */
    @Override
    public void close() {
        open = false;
        thread.interrupt();
        sink.close();
    }
}
