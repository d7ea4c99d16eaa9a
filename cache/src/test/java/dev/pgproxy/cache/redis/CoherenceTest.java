package dev.pgproxy.cache.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.redis.FakeInstance.Fault;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Nothing stale is served by two or three instances over a real Redis, whatever happens to it, to them and to the wires. */
class CoherenceTest {
    private static final LinkSettings SETTINGS =
            new LinkSettings(Coherence.STRICT, Duration.ofMillis(300), Duration.ofMillis(200), Duration.ofSeconds(60));

    /** As the settings promise, and what a busy machine may add. */
    private static final long LONGEST_WAIT = 200 + 338 + 1500;

    private static final int ROUNDS = Integer.getInteger("rounds", 5);

    private static TestRedis redis;

    @BeforeAll
    static void start() throws IOException {
        redis = new TestRedis();
    }

    @AfterAll
    static void stop() throws IOException {
        redis.close();
    }

    private static long seed(String test) {
        long seed = Long.getLong("seed", System.nanoTime());
        LoggerFactory.getLogger(CoherenceTest.class).info("{}: -Dseed={}", test, seed);
        return seed;
    }

    private static void untilServing(Fleet fleet) {
        await().until(fleet::serves);
    }

    private static void runFor(Duration time, Fleet fleet) {
        long end = System.nanoTime() + time.toNanos();
        await().atMost(time.plusMinutes(1))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> System.nanoTime() - end > 0 || !fleet.violation().isEmpty());
    }

    @Test
    void nobodyReadsLessThanWasKnownWhenHeAsked() throws Exception {
        long seed = seed("calm");
        try (Fleet fleet = new Fleet(redis, SETTINGS, seed)) {
            for (int i = 0; i < 3; i++) {
                fleet.add(Fault.NONE);
            }
            untilServing(fleet);
            fleet.begin(3, 4);
            runFor(Duration.ofSeconds(2), fleet);
            await().until(() -> fleet.hits() > 500 || !fleet.violation().isEmpty());
            assertThat(fleet.violation()).as("seed %d", seed).isEmpty();
        }
    }

    @Test
    void norWhenInstancesAreKilledWiresCutAndRedisStoppedRestartedAndFrozen() throws Exception {
        long seed = seed("storm");
        Random random = new Random(seed);
        try (Fleet fleet = new Fleet(redis, SETTINGS, seed)) {
            for (int i = 0; i < 3; i++) {
                fleet.add(Fault.NONE);
            }
            untilServing(fleet);
            fleet.begin(3, 4);
            long served = 0;
            for (int i = 0; i < ROUNDS && fleet.violation().isEmpty(); i++) {
                trouble(fleet, random.nextInt(8), random);
                long before = fleet.hits();
                await().until(() -> {
                    fleet.forgetTheDead();
                    return fleet.hits() > before + 50 || !fleet.violation().isEmpty();
                });
                served++;
            }
            assertThat(fleet.violation()).as("seed %d", seed).isEmpty();
            assertThat(served).isEqualTo(ROUNDS);
            assertThat(fleet.longestWait())
                    .as("seed %d: ms a writer waited", seed)
                    .isLessThan(LONGEST_WAIT);
        }
    }

    private static void trouble(Fleet fleet, int kind, Random random) throws IOException {
        int victim = random.nextInt(fleet.size());
        Duration time = Duration.ofMillis(20 + random.nextInt(700));
        switch (kind) {
            case 0 -> {
                fleet.add(Fault.NONE);
                fleet.kill(victim);
            }
            case 1 -> {
                fleet.wire(victim).cut(true);
                runFor(time, fleet);
                fleet.wire(victim).cut(false);
            }
            case 2 -> {
                fleet.wire(victim).hold();
                runFor(time, fleet);
                fleet.wire(victim).release();
            }
            case 3 -> {
                fleet.wire(victim).delay(random.nextInt(60));
                runFor(time, fleet);
                fleet.wire(victim).delay(0);
            }
            case 4 -> {
                redis.freeze();
                runFor(time, fleet);
                redis.thaw();
            }
            case 5 -> {
                redis.kill();
                runFor(time, fleet);
                redis.start();
            }
            case 6 -> fleet.wire(victim).cut(false);
            default -> {
                for (int i = 0; i < fleet.size(); i++) {
                    fleet.wire(i).cut(false);
                }
            }
        }
    }

    @Test
    void anInstanceThatConfirmsBeforeItHasAppliedIsFound() throws Exception {
        try (Fleet fleet = new Fleet(redis, SETTINGS, seed("confirms early"))) {
            fleet.add(Fault.NONE);
            fleet.add(Fault.CONFIRMS_EARLY);
            untilServing(fleet);
            fleet.begin(2, 3);
            await().until(() -> !fleet.violation().isEmpty());
        }
    }

    @Test
    void anInstanceThatServesWithoutALeaseIsFound() throws Exception {
        try (Fleet fleet = new Fleet(redis, SETTINGS, seed("no lease"))) {
            fleet.add(Fault.NONE);
            fleet.add(Fault.SERVES_WITHOUT_LEASE);
            untilServing(fleet);
            fleet.begin(2, 3);
            await().until(() -> fleet.hits() > 100);
            fleet.wire(1).cut(true);
            await().until(() -> !fleet.violation().isEmpty());
        }
    }

    @Test
    void anInstanceThatKeepsItsCacheOverALossOfContactIsFound() throws Exception {
        try (Fleet fleet = new Fleet(redis, SETTINGS, seed("keeps"))) {
            fleet.add(Fault.NONE);
            FakeInstance keeping = fleet.add(Fault.KEEPS_AFTER_LOSS);
            untilServing(fleet);
            Random random = new Random(1);
            await().until(() -> {
                keeping.read(1, random);
                return keeping.hits() > 0;
            });
            fleet.wire(1).cut(true);
            await().until(() -> !keeping.link().mayServe());
            fleet.instance(0).write(1, random);
            fleet.wire(1).cut(false);
            untilServing(fleet);
            await().until(() -> {
                keeping.read(1, random);
                return !fleet.violation().isEmpty();
            });
        }
    }

    @Test
    void whatAnInstanceWroteWhileItWasApartIsKnownWhenItIsBack() throws Exception {
        try (Fleet fleet = new Fleet(redis, SETTINGS, seed("apart"))) {
            FakeInstance writing = fleet.add(Fault.NONE);
            FakeInstance reading = fleet.add(Fault.NONE);
            untilServing(fleet);
            Random random = new Random(1);
            await().until(() -> {
                reading.read(1, random);
                return reading.hits() > 0;
            });
            fleet.wire(0).cut(true);
            await().until(() -> writing.link().standing() == Standing.APART);
            writing.write(1, random);
            assertThat(writing.link().standing()).isEqualTo(Standing.APART);
            fleet.wire(0).cut(false);
            untilServing(fleet);
            long before = reading.hits();
            await().until(() -> {
                reading.read(1, random);
                return reading.hits() > before;
            });
            assertThat(fleet.violation()).isEmpty();
        }
    }

    @Test
    void aNewcomerThatDoesNotLearnWhatIsInDoubtIsFoundAndOneThatDoesIsNot() throws Exception {
        assertThat(newcomerWhileAWriteIsInDoubt(Fault.NONE)).isEmpty();
        assertThat(newcomerWhileAWriteIsInDoubt(Fault.IGNORES_OPEN_DOUBTS)).contains("a hit");
    }

    private static String newcomerWhileAWriteIsInDoubt(Fault fault) throws Exception {
        try (Fleet fleet = new Fleet(redis, SETTINGS, seed("newcomer " + fault))) {
            FakeInstance writing = fleet.add(Fault.NONE);
            untilServing(fleet);
            AtomicBoolean confirmed = new AtomicBoolean();
            long number = writing.link().doubt(FakeDatabase.NAME, TableSet.of(2), 1, 0, () -> confirmed.set(true));
            await().untilTrue(confirmed);
            FakeInstance newcomer = fleet.add(fault);
            untilServing(fleet);
            Random random = new Random(1);
            for (int i = 0; i < 3; i++) {
                newcomer.read(2, random); // from before the write, if it is kept
            }
            fleet.database().tell(2, fleet.database().commit(2));
            for (int i = 0; i < 3; i++) {
                newcomer.read(2, random);
            }
            writing.link().settle(number, Ending.WRITTEN);
            return fleet.violation();
        }
    }

    @Test
    void aWriteOfAKilledInstanceIsInDoubtUntilItsBackendIsGone() throws Exception {
        assertThat(killedWhileItsBackendStillCommits(Fault.NONE)).isEmpty();
        assertThat(killedWhileItsBackendStillCommits(Fault.RESOLVES_UNSEEN)).contains("a hit");
    }

    private static String killedWhileItsBackendStillCommits(Fault fault) throws Exception {
        try (Fleet fleet = new Fleet(redis, SETTINGS, seed("killed " + fault))) {
            FakeInstance survivor = fleet.add(fault);
            FakeInstance killed = fleet.add(Fault.NONE);
            untilServing(fleet);
            int pid = fleet.database().connect();
            AtomicBoolean confirmed = new AtomicBoolean();
            killed.link().doubt(FakeDatabase.NAME, TableSet.of(3), pid, 0, () -> confirmed.set(true));
            await().untilTrue(confirmed);
            fleet.kill(1);
            await().until(() -> {
                fleet.forgetTheDead();
                LinkStatus status =
                        survivor.link().status().toCompletableFuture().join();
                return status.instances().isEmpty() && status.lost().isEmpty() && fleet.serves();
            });
            Random random = new Random(1);
            if (fault != Fault.NONE) {
                await().until(() -> !survivor.link().inDoubt(FakeDatabase.NAME, TableSet.of(3)));
            }
            survivor.read(3, random);
            survivor.read(3, random);
            fleet.database().tell(3, fleet.database().commit(3)); // some stranger has read it
            survivor.read(3, random);
            String violation = fleet.violation();
            fleet.database().disconnect(pid);
            await().until(() -> !survivor.link().inDoubt(FakeDatabase.NAME, TableSet.of(3)));
            survivor.read(3, random);
            return violation;
        }
    }
}
