package dev.pgproxy.consistency;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kills and freezes proxies and their Redis, and cuts and delays the wires between them, one after the other, each time
 * until all answer from their caches again. Confined to its thread.
 */
final class FleetDisturber {
    /** Shorter than {@link #SETTINGS} allows an instance to be apart before its writes are no longer awaited. */
    private static final int LONGEST_MILLIS = 2_500;

    static final String SETTINGS = "instance_forget_after = 4s\n";

    private static final Logger LOG = LoggerFactory.getLogger(FleetDisturber.class);
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30);

    private final Fleet fleet;
    private final SplittableRandom random;
    private final Map<String, Integer> done = new TreeMap<>();

    FleetDisturber(Fleet fleet, long seed) {
        this.fleet = fleet;
        this.random = new SplittableRandom(seed * 7_919 + 2);
    }

    /** Goes on until told to stop; what was done, by name, is the answer. */
    Map<String, Integer> disturbWhile(BooleanSupplier running) {
        try {
            awaitServing(running);
            while (running.getAsBoolean()) {
                park(random.nextInt(200, 2_000));
                disturb();
                awaitServing(running);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return done;
    }

    private void disturb() throws IOException {
        FleetMember member = fleet.members().get(random.nextInt(fleet.members().size()));
        switch (random.nextInt(9)) {
            case 0, 1 -> {
                count("kill an instance");
                member.signal("KILL");
                park(random.nextInt(LONGEST_MILLIS));
                member.startAgain();
            }
            case 2 -> during("freeze an instance", () -> member.signal("STOP"), () -> member.signal("CONT"));
            case 3 -> during("freeze Redis", fleet.redis()::freeze, fleet.redis()::thaw);
            case 4 -> {
                count("kill Redis, which has nothing then");
                fleet.redis().kill();
                park(random.nextInt(LONGEST_MILLIS));
                fleet.redis().start();
            }
            case 5 -> during("hold messages", member.wire()::hold, member.wire()::release);
            case 6 ->
                during(
                        "cut off from Redis",
                        () -> member.wire().cut(true),
                        () -> member.wire().cut(false));
            case 7 -> {
                count("cut connections to Redis");
                member.wire().cut(false);
            }
            default -> {
                int millis = random.nextInt(1, 120);
                during(
                        "delay messages",
                        () -> member.wire().delay(millis),
                        () -> member.wire().delay(0));
            }
        }
    }

    /** For a while. */
    private void during(String name, Runnable begin, Runnable end) {
        count(name);
        begin.run();
        try {
            park(random.nextInt(LONGEST_MILLIS));
        } finally {
            end.run();
        }
    }

    private void awaitServing(BooleanSupplier running) {
        long deadline = System.nanoTime() + PATIENCE;
        while (running.getAsBoolean() && !fleet.members().stream().allMatch(FleetMember::isServing)) {
            if (System.nanoTime() - deadline > 0) {
                LOG.warn("Not all serve hits again after 30 s; {}", done);
                count("no hits for 30 s");
                return;
            }
            park(50);
        }
    }

    private void count(String name) {
        done.merge(name, 1, Integer::sum);
    }

    private static void park(int millis) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }
}
