package dev.pgproxy.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** On a virtual clock, in steps of a quarter of a second. */
final class AdaptiveWeightsTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long STEP = SECOND / 4;
    private static final double MS = 1_000_000;

    private final long seed = System.nanoTime();
    private final SplittableRandom random = new SplittableRandom(seed);
    private long now = 5 * SECOND;
    private final AdaptiveWeights weights = new AdaptiveWeights(true, 3, now);

    private void allUp() {
        for (int host = 0; host < 3; host++) {
            weights.up(host, true, now);
        }
    }

    private void step(double... milliseconds) {
        now += STEP;
        for (int host = 0; host < milliseconds.length; host++) {
            if (milliseconds[host] > 0) {
                weights.answered(host, 50, log(milliseconds[host]), now);
            }
        }
        weights.update(now);
    }

    private static double log(double milliseconds) {
        return Math.log(milliseconds * MS) / Math.log(2);
    }

    private double factor(int host) {
        return weights.weight(host, 100) / 100;
    }

    @Test
    void hostsThatWereUpAtTheBeginningHaveTheirConfiguredWeight() {
        assertThat(factor(0)).isZero();
        allUp();
        step();
        assertThat(weights.weight(0, 7)).isEqualTo(7);
        assertThat(weights.typicalNanos(0, now)).isZero();
    }

    @Test
    void aSlowHostLosesItsShareInProportionWithinASecondAndGetsItBackGradually() {
        allUp();
        step(2, 2, 2);
        for (int i = 0; i < 4; i++) {
            step(2, 2, 16);
        }
        assertThat(factor(2)).isCloseTo(0.25, within(0.03));
        assertThat(factor(0)).isEqualTo(1);
        assertThat(weights.typicalNanos(2, now)).isCloseTo((long) (16 * MS), within((long) MS));

        double before = factor(2);
        for (int i = 0; i < 4 * 4; i++) {
            step(2, 2, 2);
            assertThat(factor(2)).isBetween(before, before + 0.0251);
            before = factor(2);
        }
        assertThat(before).isCloseTo(0.65, within(0.05));
        for (int i = 0; i < 4 * 5; i++) {
            step(2, 2, 2);
        }
        assertThat(factor(2)).isEqualTo(1);
    }

    @Test
    void aHostStaysAboveTheFloorHoweverSlow() {
        allUp();
        for (int i = 0; i < 10; i++) {
            step(1, 1, 100_000);
        }
        assertThat(factor(2)).isEqualTo(AdaptiveWeights.FLOOR);
    }

    @Test
    void differencesWithinTheToleranceChangeNothing() {
        allUp();
        for (int i = 0; i < 20; i++) {
            step(10, 14, 19);
            assertThat(factor(2)).isEqualTo(1);
        }
    }

    @Test
    void differencesTooSmallToMatterChangeNothing() {
        allUp();
        for (int i = 0; i < 20; i++) {
            step(0.1, 0.3, 0.9);
            assertThat(factor(2)).isEqualTo(1);
        }
    }

    @Test
    void outliersDoNotFlapWeights() {
        allUp();
        double sum = 0;
        for (int i = 0; i < 2_000; i++) {
            now += STEP;
            for (int host = 0; host < 3; host++) {
                int count = random.nextInt(20, 100);
                double logarithms = 0;
                for (int answer = 0; answer < count; answer++) {
                    boolean outlier = random.nextInt(100) == 0;
                    logarithms += log(outlier ? random.nextDouble(100, 5_000) : random.nextDouble(1, 3));
                }
                weights.answered(host, count, logarithms / count, now);
            }
            if (random.nextInt(10) == 0) {
                weights.answered(random.nextInt(3), 1, log(5_000), now);
            }
            weights.update(now);
            for (int host = 0; host < 3; host++) {
                assertThat(factor(host)).as("seed %d", seed).isGreaterThan(0.4);
                sum += factor(host);
            }
        }
        assertThat(sum / 6_000).as("seed %d", seed).isGreaterThan(0.95);
    }

    @Test
    void aHostThatNobodyAskedForAWhileIsNotSlowForEver() {
        allUp();
        for (int i = 0; i < 8; i++) {
            step(2, 2, 200);
        }
        for (int i = 0; i < 4 * 30; i++) {
            step(2, 2, 0);
        }
        assertThat(factor(2)).isEqualTo(1);
    }

    @Test
    void aHostThatWasTooFarBehindStartsSlowly() {
        allUp();
        for (int i = 0; i < 8; i++) {
            weights.behind(1, now);
            step();
            assertThat(factor(1)).isLessThan(0.11);
        }
        for (int i = 0; i < 4 * 15; i++) {
            step();
        }
        assertThat(factor(1)).isCloseTo(0.55, within(0.02));
        assertThat(factor(0)).isEqualTo(1);
        for (int i = 0; i < 4 * 15; i++) {
            step();
        }
        assertThat(factor(1)).isEqualTo(1);
    }

    @Test
    void cpuAboveEightyPercentLowersTheWeightInAStraightLine() {
        allUp();
        for (double[] pair : new double[][] {{0.5, 1}, {0.8, 1}, {0.9, 0.525}, {1, AdaptiveWeights.FLOOR}}) {
            weights.cpu(1, pair[0]);
            step();
            assertThat(factor(1)).isCloseTo(pair[1], within(1e-9));
        }
        weights.cpu(1, -1);
        step();
        assertThat(factor(1)).isCloseTo(AdaptiveWeights.FLOOR + 0.025, within(1e-9));
        assertThat(factor(0)).isEqualTo(1);
    }

    @Test
    void aHostThatComesBackStartsSlowly() {
        allUp();
        weights.up(1, false, now);
        step();
        assertThat(factor(1)).isZero();
        weights.up(1, true, now);
        assertThat(factor(1)).isCloseTo(0.1, within(1e-9));
        for (int i = 0; i < 4 * 15; i++) {
            step();
        }
        assertThat(factor(1)).isCloseTo(0.55, within(1e-6));
        for (int i = 0; i < 4 * 15; i++) {
            step();
        }
        assertThat(factor(1)).isCloseTo(1, within(1e-6));
    }

    @Test
    void aHostSeenForTheFirstTimeLaterStartsSlowlyToo() {
        now += 11 * SECOND;
        weights.up(0, true, now);
        assertThat(factor(0)).isCloseTo(0.1, within(1e-9));
    }

    @Test
    void whateverHappensWeightsStayWithinBoundsAndRiseSlowly() {
        double[] before = new double[3];
        for (int i = 0; i < 20_000; i++) {
            int host = random.nextInt(3);
            boolean[] cameUp = new boolean[3];
            switch (random.nextInt(12)) {
                case 0 -> {
                    boolean up = random.nextBoolean();
                    weights.up(host, up, now);
                    cameUp[host] = up;
                }
                case 1 -> weights.cpu(host, random.nextDouble(-0.2, 1.2));
                case 2 -> weights.answered(host, random.nextInt(1_000), log(random.nextDouble(0.01, 1e5)), now);
                default -> {}
            }
            now += STEP;
            weights.update(now);
            for (int each = 0; each < 3; each++) {
                double factor = factor(each);
                assertThat(factor).as("seed %d", seed).isBetween(0.0, 1.0);
                if (!cameUp[each] && before[each] > 0) {
                    assertThat(factor).as("seed %d", seed).isLessThanOrEqualTo(before[each] + 0.02501);
                }
                before[each] = factor;
            }
        }
    }

    @Test
    void switchedOffEveryWeightIsTheConfiguredOne() {
        AdaptiveWeights off = new AdaptiveWeights(false, 2, now);
        off.up(0, true, now);
        off.cpu(0, 1);
        off.answered(1, 100, log(1e6), now);
        off.update(now + SECOND);
        assertThat(off.weight(0, 3)).isEqualTo(3);
        assertThat(off.weight(1, 4)).isEqualTo(4);
    }
}
