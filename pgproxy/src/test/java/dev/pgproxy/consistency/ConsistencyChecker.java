package dev.pgproxy.consistency;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sessions that write and read rows with growing versions through a target, while replicas are delayed and connections are
 * broken, judged by what {@link Mode} promises. Immutable.
 *
 * @param maxAge of what may be read in {@link Mode#EVENTUAL}: the greatest lag that the target allows, and slack
 * @param longestDisturbance of a replica; 0 for no disturbances at all
 * @param seed of what each session does, not of how they interleave
 * @param workload what sessions do
 */
record ConsistencyChecker(
        Mode mode,
        int sessions,
        Duration duration,
        Duration maxAge,
        Duration longestDisturbance,
        long seed,
        Workload workload) {
    private static final Logger LOG = LoggerFactory.getLogger(ConsistencyChecker.class);
    private static final Duration PROGRESS = Duration.ofSeconds(10);
    private static final Duration ENDING = Duration.ofSeconds(60);

    /** A run with usual numbers; {@code -Dconsistency.seed} repeats a seed. */
    static ConsistencyChecker of(Mode mode, Duration duration) {
        long seed = Long.getLong("consistency.seed", System.nanoTime());
        return new ConsistencyChecker(
                mode, 24, duration, Duration.ofSeconds(12), Duration.ofMillis(150), seed, Workload.USUAL);
    }

    ConsistencyChecker withAges(Duration newMaxAge, Duration newLongestDisturbance) {
        return new ConsistencyChecker(mode, sessions, duration, newMaxAge, newLongestDisturbance, seed, workload);
    }

    ConsistencyChecker withSessions(int newSessions, long newSeed) {
        return new ConsistencyChecker(mode, newSessions, duration, maxAge, longestDisturbance, newSeed, workload);
    }

    ConsistencyChecker with(Workload nowWorkload) {
        return new ConsistencyChecker(mode, sessions, duration, maxAge, longestDisturbance, seed, nowWorkload);
    }

    /** Runs until the time is over or a violation is found, and then reads everything once more. */
    Verdict run(Arena arena, Link.Target target) throws InterruptedException {
        return run(arena, target, oracle -> true);
    }

    /** As the other, but goes on after its time until enough was judged. */
    Verdict run(Arena arena, Link.Target target, Predicate<Oracle> enough) throws InterruptedException {
        LOG.info("mode {}, {} sessions, -Dconsistency.seed={}", mode, sessions, seed);
        Oracle oracle = new Oracle(mode, maxAge.toNanos(), workload);
        AtomicBoolean stop = new AtomicBoolean();
        long start = System.nanoTime();
        BooleanSupplier running = () -> {
            boolean over = System.nanoTime() - start > duration.toNanos() && enough.test(oracle);
            return !over && !stop.get() && oracle.violationCount() == 0;
        };
        List<CheckerSession> all = new ArrayList<>();
        for (int number = 0; number < sessions; number++) {
            all.add(new CheckerSession(number, seed, oracle, target, Targets.plain(arena.primary())));
        }
        Map<String, Integer> disturbances = new TreeMap<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> living = new ArrayList<>();
            all.forEach(session -> living.add(threads.submit(() -> live(session, running, stop))));
            List<Future<Map<String, Integer>>> disturbing = new ArrayList<>();
            if (!longestDisturbance.isZero()) {
                int longest = (int) longestDisturbance.toMillis();
                disturbing.add(threads.submit(() -> new Disturber(arena, all, longest, seed).delayWhile(running)));
                disturbing.add(threads.submit(() -> new Disturber(arena, all, longest, seed).interruptWhile(running)));
            }
            progress(oracle, running, start);
            for (Future<?> each : living) {
                each.get(ENDING.toSeconds(), TimeUnit.SECONDS);
            }
            for (Future<Map<String, Integer>> each : disturbing) {
                disturbances.putAll(each.get(ENDING.toSeconds(), TimeUnit.SECONDS));
            }
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError("-Dconsistency.seed=" + seed, e);
        } finally {
            stop.set(true);
        }
        if (oracle.violationCount() == 0) {
            try (CheckerSession last = new CheckerSession(0, seed, oracle, target, Targets.plain(arena.primary()))) {
                last.endPrepared();
                last.readEverything();
            }
        }
        arena.rollBackPrepared();
        Verdict verdict = verdict(oracle, Duration.ofNanos(System.nanoTime() - start), disturbances);
        LOG.info("{}", verdict);
        return verdict;
    }

    private static void live(CheckerSession session, BooleanSupplier running, AtomicBoolean stop) {
        try (session) {
            while (running.getAsBoolean()) {
                session.step();
            }
            session.endPrepared();
        } catch (RuntimeException | Error e) {
            stop.set(true);
            throw e;
        }
    }

    private static void progress(Oracle oracle, BooleanSupplier running, long start) {
        long last = start;
        while (running.getAsBoolean()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            long now = System.nanoTime();
            if (now - last > PROGRESS.toNanos()) {
                last = now;
                long seconds = TimeUnit.NANOSECONDS.toSeconds(now - start);
                LOG.info("after {} s: {} reads, {} writes", seconds, oracle.reads, oracle.writes);
            }
        }
    }

    private Verdict verdict(Oracle oracle, Duration took, Map<String, Integer> disturbances) {
        Map<String, Long> errors = new TreeMap<>();
        oracle.errors.forEach((state, count) -> errors.put(state, count.sum()));
        return new Verdict(
                mode,
                seed,
                took,
                oracle.reads.sum(),
                oracle.versionsRead.sum(),
                oracle.writes.sum(),
                oracle.transactions.sum(),
                oracle.violationCount(),
                oracle.firstViolationAfter(),
                oracle.violations(),
                errors,
                disturbances,
                oracle.delays());
    }
}
