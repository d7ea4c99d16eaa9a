package dev.pgproxy.health.breaker;

import static dev.pgproxy.health.breaker.BreakerState.CLOSED;
import static dev.pgproxy.health.breaker.BreakerState.HALF_OPEN;
import static dev.pgproxy.health.breaker.BreakerState.OPEN;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * On a virtual clock: what DESIGN says, one by one, and random histories against {@link BreakerModel}.
 */
final class BreakerTest {
    private static final int HISTORIES = 400;
    private static final int STEPS = 600;
    private static final BreakerRules DEFAULT =
            new BreakerRules(50, Duration.ofSeconds(60), 5, Duration.ofSeconds(30), 2);

    /** Stands still until it is told. */
    private static final class VirtualClock extends Clock {
        private Instant now = Instant.EPOCH.plusSeconds(1000);

        void pass(long millis) {
            now = now.plusMillis(millis);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    /** A login that has begun, in both worlds. */
    private record Login(Breaker.Attempt attempt, BreakerModel.Login known) {}

    private final VirtualClock clock = new VirtualClock();

    private Breaker breaker(BreakerRules rules) {
        return new Breaker("h", rules, clock, new SplittableRandom(1));
    }

    private static void succeed(Breaker breaker) {
        breaker.begin().succeeded();
    }

    private static void fail(Breaker breaker) {
        breaker.begin().failed("XX000 broken");
    }

    private static Breaker.Attempt probe(Breaker breaker) {
        return Objects.requireNonNull(breaker.probe());
    }

    private static BreakerState state(Breaker breaker) {
        BreakerState state = breaker.report().state();
        assertThat(breaker.isClosed()).isEqualTo(state == CLOSED);
        return state;
    }

    private Breaker opened() {
        Breaker breaker = breaker(DEFAULT);
        for (int i = 0; i < 5; i++) {
            assertThat(state(breaker)).isEqualTo(CLOSED);
            fail(breaker);
        }
        assertThat(state(breaker)).isEqualTo(OPEN);
        return breaker;
    }

    private Breaker halfOpen() {
        Breaker breaker = opened();
        clock.pass(33_001);
        return breaker;
    }

    @Test
    void fiveFailuresInARowOpenIt() {
        BreakerReport report = opened().report();
        assertThat(report.opened()).isEqualTo(1);
        assertThat(report.inRow()).isEqualTo(5);
        assertThat(report.failures()).isEqualTo(5);
        assertThat(report.calls()).isEqualTo(5);
        assertThat(report.lastFailure()).isEqualTo("XX000 broken");
    }

    @Test
    void aSuccessInBetweenBeginsTheRowAnew() {
        Breaker breaker = breaker(DEFAULT);
        for (int i = 0; i < 4; i++) {
            fail(breaker);
        }
        succeed(breaker);
        for (int i = 0; i < 4; i++) {
            fail(breaker);
        }
        assertThat(state(breaker)).isEqualTo(CLOSED);
    }

    @Test
    void halfOfTheLoginsOfAMinuteOpenItOnceTheyAreTen() {
        Breaker breaker = breaker(DEFAULT);
        for (int i = 0; i < 4; i++) {
            fail(breaker);
            succeed(breaker);
        }
        fail(breaker);
        assertThat(state(breaker)).isEqualTo(CLOSED);
        succeed(breaker);
        assertThat(state(breaker)).isEqualTo(OPEN);
    }

    @Test
    void whatIsOlderThanTheWindowDoesNotCount() {
        Breaker breaker = breaker(DEFAULT);
        for (int i = 0; i < 4; i++) {
            fail(breaker);
        }
        succeed(breaker);
        clock.pass(60_000);
        for (int i = 0; i < 5; i++) {
            succeed(breaker);
        }
        fail(breaker);
        assertThat(state(breaker)).isEqualTo(CLOSED);
    }

    @Test
    void whileItIsOpenNothingIsTried() {
        Breaker breaker = opened();
        for (int i = 0; i < 299; i++) {
            clock.pass(100);
            assertThat(breaker.probe()).isNull();
        }
        assertThat(Objects.requireNonNull(breaker.report().nextTry())).isBetween(Duration.ZERO, Duration.ofSeconds(4));
        clock.pass(3_102);
        assertThat(breaker.probe()).isNotNull();
        assertThat(state(breaker)).isEqualTo(HALF_OPEN);
    }

    @Test
    void oneLoginAtATimeTriesItAndTwoGoodOnesCloseIt() {
        Breaker breaker = halfOpen();
        Breaker.Attempt first = probe(breaker);
        assertThat(first.isTest()).isTrue();
        assertThat(breaker.probe()).isNull();
        first.succeeded();
        assertThat(state(breaker)).isEqualTo(HALF_OPEN);
        probe(breaker).succeeded();
        assertThat(state(breaker)).isEqualTo(CLOSED);
        assertThat(breaker.begin().isTest()).isFalse();
        assertThat(breaker.probe()).isNull();
    }

    @Test
    void oneBadOneOpensItAgainForAsLong() {
        Breaker breaker = halfOpen();
        probe(breaker).failed("53300 full");
        assertThat(state(breaker)).isEqualTo(OPEN);
        clock.pass(29_999);
        assertThat(breaker.probe()).isNull();
        clock.pass(3_002);
        probe(breaker).succeeded();
        probe(breaker).failed("53300 full");
        assertThat(state(breaker)).isEqualTo(OPEN);
        assertThat(breaker.report().opened()).isEqualTo(3);
    }

    @Test
    void aTryThatSaysNothingIsMadeAgainASecondLater() {
        Breaker breaker = halfOpen();
        probe(breaker).ignored();
        clock.pass(999);
        assertThat(breaker.probe()).isNull();
        clock.pass(1);
        probe(breaker).succeeded();
        probe(breaker).succeeded();
        assertThat(state(breaker)).isEqualTo(CLOSED);
    }

    @Test
    void whatBeganBeforeItOpenedSaysNothingAboutTheTimeBehind() {
        Breaker breaker = breaker(DEFAULT);
        Breaker.Attempt late = breaker.begin();
        for (int i = 0; i < 5; i++) {
            fail(breaker);
        }
        late.succeeded();
        assertThat(state(breaker)).isEqualTo(OPEN);
    }

    @Test
    void aHostThatWasDownAndIsBackIsTriedAtOnce() {
        Breaker breaker = opened();
        breaker.returned();
        assertThat(state(breaker)).isEqualTo(HALF_OPEN);
        probe(breaker).succeeded();
        probe(breaker).succeeded();
        assertThat(state(breaker)).isEqualTo(CLOSED);
    }

    @Test
    void whereTheOpenTimeIsZeroItCountsAndStaysClosed() {
        Breaker breaker = breaker(new BreakerRules(50, Duration.ofSeconds(60), 5, Duration.ZERO, 2));
        for (int i = 0; i < 100; i++) {
            fail(breaker);
        }
        assertThat(state(breaker)).isEqualTo(CLOSED);
        assertThat(breaker.report().failures()).isEqualTo(100);
    }

    @Test
    void otherRulesBeginAnewTheSameDoNot() {
        Breaker breaker = opened();
        breaker.rules(DEFAULT);
        assertThat(state(breaker)).isEqualTo(OPEN);
        breaker.rules(new BreakerRules(50, Duration.ofSeconds(60), 1, Duration.ofSeconds(30), 2));
        assertThat(state(breaker)).isEqualTo(CLOSED);
        fail(breaker);
        assertThat(state(breaker)).isEqualTo(OPEN);
    }

    /** Prints how to run a history again when it fails. */
    @Test
    void randomHistoriesGoAsInTheModel() {
        Long replayed = Long.getLong("breaker.seed");
        long opened = 0;
        for (int i = 0; i < (replayed == null ? HISTORIES : 1); i++) {
            opened += history(replayed == null ? System.nanoTime() + i : replayed);
        }
        assertThat(opened).as("how often one opened").isPositive();
    }

    private long history(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        BreakerRules rules = new BreakerRules(
                1 + random.nextInt(100),
                Duration.ofSeconds(1 + random.nextInt(90)),
                1 + random.nextInt(12),
                Duration.ofMillis(random.nextInt(10) == 0 ? 0 : 1 + random.nextInt(60_000)),
                1 + random.nextInt(4));
        Breaker breaker = new Breaker("h", rules, clock, new SplittableRandom(seed));
        BreakerModel model = new BreakerModel(rules, new SplittableRandom(seed));
        List<Login> running = new ArrayList<>();
        int badness = 0;
        for (int step = 0; step < STEPS; step++) {
            String at = "-Dbreaker.seed=" + seed + ", step " + step + ", " + rules;
            badness = random.nextInt(100) == 0 ? random.nextInt(101) : badness;
            step(random, badness, breaker, model, running, at);
            BreakerReport report = breaker.report();
            assertThat(report.state()).as(at).isEqualTo(model.state());
            assertThat(report.opened()).as(at).isEqualTo(model.opened());
            assertThat(report.inRow()).as(at).isEqualTo(model.inRow());
            assertThat(report.nextTry()).as(at).isEqualTo(model.nextTry(clock.millis()));
        }
        running.forEach(login -> login.attempt().ignored());
        assertRecovers(breaker, rules, "-Dbreaker.seed=" + seed);
        return model.opened();
    }

    private void step(
            SplittableRandom random, int badness, Breaker breaker, BreakerModel model, List<Login> running, String at) {
        long now = clock.millis();
        switch (random.nextInt(12)) {
            case 0, 1, 2 -> clock.pass(random.nextInt(random.nextInt(20) == 0 ? 60_000 : 700));
            case 3, 4, 5 -> running.add(new Login(breaker.begin(), model.begin(false)));
            case 6 -> {
                Breaker.Attempt probe = breaker.probe();
                assertThat(probe != null).as(at).isEqualTo(model.probe(now));
                if (probe != null) {
                    running.add(new Login(probe, model.begin(true)));
                }
            }
            case 7, 8, 9 -> {
                if (!running.isEmpty()) {
                    Login login = running.remove(random.nextInt(running.size()));
                    int outcome = random.nextInt(110);
                    end(login, outcome, badness, model, now);
                }
            }
            case 10 -> {
                if (random.nextInt(100) < badness) {
                    breaker.lost("lost");
                    model.lost(now);
                }
            }
            default -> {
                if (random.nextInt(10) == 0) {
                    breaker.returned();
                    model.returned();
                }
            }
        }
    }

    private static void end(Login login, int outcome, int badness, BreakerModel model, long now) {
        if (outcome >= 100) {
            login.attempt().ignored();
            model.ignored(login.known(), now);
        } else if (outcome < badness) {
            login.attempt().failed("failed");
            model.ended(login.known(), true, now);
        } else {
            login.attempt().succeeded();
            model.ended(login.known(), false, now);
        }
    }

    /** Whatever was before: a host that is good from now on is used again within the open time, a tenth of it, and some tries. */
    private void assertRecovers(Breaker breaker, BreakerRules rules, String at) {
        long until = clock.millis() + rules.openTime().toMillis() * 11 / 10 + 1000 + 200L * (rules.probes() + 2);
        while (!breaker.isClosed()) {
            assertThat(clock.millis()).as(at).isLessThan(until);
            clock.pass(200);
            Breaker.Attempt probe = breaker.probe();
            if (probe != null) {
                probe.succeeded();
            }
        }
    }
}
