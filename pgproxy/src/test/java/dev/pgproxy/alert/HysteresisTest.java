package dev.pgproxy.alert;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.DoublePredicate;
import org.junit.jupiter.api.Test;

class HysteresisTest {
    private static final Threshold ABOVE = new Threshold(10, 8, false);

    /** What was known at one moment, and whether the alert turned then. */
    private record Moment(long at, double value, boolean turned, boolean raised) {}

    /** Values that jump and stay, in and between the thresholds, and are sometimes not known. */
    private static List<Moment> course(Random random, Threshold threshold, long raiseAfter, long clearAfter) {
        Hysteresis hysteresis = new Hysteresis();
        List<Moment> moments = new ArrayList<>();
        long now = random.nextLong(); // System.nanoTime may begin anywhere
        double value = 0;
        for (int i = 0; i < 300; i++) {
            now += 1 + random.nextInt(3);
            if (random.nextInt(4) == 0) {
                double[] values = {0, 7.9, 8, 9, 10, 10.1, 20, Double.NaN};
                value = values[random.nextInt(values.length)];
            }
            boolean turned = hysteresis.look(value, threshold, raiseAfter, clearAfter, now);
            moments.add(new Moment(now, value, turned, hysteresis.isRaised()));
        }
        return moments;
    }

    /** Since when every look saw it so; the moment itself if only that did; -1 if not even that. */
    private static long held(List<Moment> moments, int index, DoublePredicate so) {
        int first = index + 1;
        while (first > 0 && so.test(moments.get(first - 1).value())) {
            first--;
        }
        return first > index ? -1 : moments.get(index).at() - moments.get(first).at();
    }

    @Test
    void itTurnsExactlyWhenAValueHasStayedBeyondItsThresholdForTheTimeAndNeverMoreOftenThanThat() {
        long seed = Long.getLong("alerts.seed", System.nanoTime());
        Random random = new Random(seed);
        int turns = 0;
        for (int round = 0; round < 400; round++) {
            long raiseAfter = random.nextInt(12);
            long clearAfter = random.nextInt(12);
            Threshold threshold = random.nextBoolean() ? ABOVE : new Threshold(8, 10, true);
            List<Moment> moments = course(random, threshold, raiseAfter, clearAfter);
            Moment last = null;
            boolean raised = false;
            for (int i = 0; i < moments.size(); i++) {
                Moment moment = moments.get(i);
                long hold = raised ? clearAfter : raiseAfter;
                boolean before = raised;
                long held = held(moments, i, value -> before ? threshold.isWell(value) : threshold.isExceeded(value));
                // what stayed so counts from when it might turn: after the last turn at the earliest
                long counts = last == null ? held : Math.min(held, moment.at() - last.at());
                String where = "-Dalerts.seed=" + seed + ", round " + round + ", look " + i;
                if (moment.turned()) {
                    turns++;
                    assertThat(held).as("held, %s", where).isGreaterThanOrEqualTo(hold);
                    assertThat(last == null ? hold : moment.at() - last.at())
                            .as("since the last turn, %s", where)
                            .isGreaterThanOrEqualTo(hold);
                    raised = !raised;
                    last = moment;
                } else if (held >= 0 && (last == null || moment.at() - last.at() > held)) {
                    assertThat(counts).as("overdue, %s", where).isLessThan(hold);
                }
                assertThat(moment.raised()).as(where).isEqualTo(raised);
            }
        }
        assertThat(turns).isGreaterThan(1000);
    }

    @Test
    void betweenTheThresholdsNothingChangesAndWhatIsNotKnownBeginsTheTimeAnew() {
        Hysteresis hysteresis = new Hysteresis();
        assertThat(hysteresis.look(11, ABOVE, 5, 5, 0)).isFalse();
        assertThat(hysteresis.look(Double.NaN, ABOVE, 5, 5, 4)).isFalse();
        assertThat(hysteresis.look(11, ABOVE, 5, 5, 5)).isFalse();
        assertThat(hysteresis.look(11, ABOVE, 5, 5, 10)).isTrue();
        assertThat(hysteresis.look(9, ABOVE, 5, 5, 100)).isFalse();
        assertThat(hysteresis.look(Double.NaN, ABOVE, 5, 5, 200)).isFalse();
        assertThat(hysteresis.isRaised()).isTrue();
        assertThat(hysteresis.look(8, ABOVE, 5, 5, 300)).isFalse();
        assertThat(hysteresis.look(8, ABOVE, 5, 5, 305)).isTrue();
        assertThat(hysteresis.isQuiet()).isTrue();
    }

    @Test
    void aLimitOfHundredPercentIsUnderstoodAsTooLittleBelowIt() {
        Threshold all = Threshold.belowPercent(100);
        assertThat(all.isExceeded(99.9)).isTrue();
        assertThat(all.isExceeded(100)).isFalse();
        assertThat(all.isWell(100)).isTrue();
        assertThat(Threshold.above(10).isWell(9)).isTrue();
    }

    @Test
    void sharesAreOfTheWindowAloneAndOfEnough() {
        Shares shares = new Shares();
        assertThat(shares.percent("a", 1000, 1000, 10, 0)).isEqualTo(Shares.NONE);
        assertThat(shares.percent("a", 1000, 1099, 10, 1)).isEqualTo(Shares.NONE);
        assertThat(shares.percent("a", 1050, 1100, 10, 2)).isEqualTo(50);
        assertThat(shares.percent("a", 1050, 1299, 10, 12))
                .as("what was counted by moment 2 has gone")
                .isEqualTo(0);
        assertThat(shares.percent("a", 0, 200, 10, 13)).as("counts anew").isEqualTo(Shares.NONE);
        shares.keep(Set.of());
        assertThat(shares.percent("a", 50, 400, 10, 14)).as("forgotten").isEqualTo(Shares.NONE);
    }
}
