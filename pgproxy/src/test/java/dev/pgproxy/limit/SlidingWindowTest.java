package dev.pgproxy.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.config.RateLimit;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The window against its definition, on a virtual clock; {@code -Dlimit.seed=} repeats a run. */
final class SlidingWindowTest {
    private static final long SEED = Long.getLong("limit.seed", System.nanoTime());
    private static final int ROUNDS = 300;

    /** When transactions have started: everything within the last window, by the definition. */
    private static final class Model {
        private final ArrayDeque<Long> starts = new ArrayDeque<>();
        private final long window;

        Model(long window) {
            this.window = window;
        }

        int used(long now) {
            while (!starts.isEmpty() && now - starts.getFirst() >= window) {
                starts.removeFirst();
            }
            return starts.size();
        }

        void start(int count, long now) {
            for (int i = 0; i < count; i++) {
                starts.addLast(now);
            }
        }
    }

    private static RateLimit limit(int transactions, long window) {
        return new RateLimit(transactions, Duration.ofNanos(window));
    }

    /** The next arrival: in a burst, soon, or after a long pause. */
    private static long after(SplittableRandom random, long now, long window, int most) {
        return switch (random.nextInt(4)) {
            case 0 -> now;
            case 1 -> now + random.nextLong(1 + window / most);
            case 2 -> now + random.nextLong(1 + window / 4);
            default -> now + (random.nextInt(20) == 0 ? random.nextLong(3 * window) : 1);
        };
    }

    @Test
    void aSmallLimitLetsExactlyThoseThroughForWhichThereIsRoomInTheWindow() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < ROUNDS; round++) {
            int most = random.nextInt(1, 40);
            long length = random.nextLong(1, 5000);
            SlidingWindow window = new SlidingWindow(limit(most, length));
            Model model = new Model(length);
            long now = random.nextLong(-10_000, 10_000);
            for (int step = 0; step < 500; step++) {
                now = after(random, now, length, most);
                int count = random.nextInt(10) == 0 ? random.nextInt(1, most + 2) : 1;
                String where = "-Dlimit.seed=" + SEED + ", round " + round + ", step " + step;
                boolean room = model.used(now) + count <= most;
                long wait = window.delay(count, now);
                assertThat(wait == 0).as(where).isEqualTo(room);
                if (room) {
                    window.start(count, now);
                    model.start(count, now);
                } else if (count <= most) {
                    assertThat(window.delay(count, now + wait - 1)).as(where).isPositive();
                    assertThat(window.delay(count, now + wait)).as(where).isZero();
                } else {
                    assertThat(wait).as(where).isEqualTo(SlidingWindow.NEVER);
                }
                assertThat(window.used(now)).as(where).isEqualTo(model.used(now));
            }
        }
    }

    @Test
    void aLargeLimitNeverLetsMoreThroughAndRefusesOnlyWhenAlmostAllOfItIsUsed() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 10; round++) {
            int most = random.nextInt(SlidingWindow.MAX_GROUPS + 1, 40_000);
            int group = (most + SlidingWindow.MAX_GROUPS - 1) / SlidingWindow.MAX_GROUPS;
            long length = random.nextLong(most, 20L * most);
            SlidingWindow window = new SlidingWindow(limit(most, length));
            Model model = new Model(length);
            long now = 0;
            int refused = 0;
            for (int step = 0; step < 6 * most; step++) {
                now = random.nextInt(most) == 0 ? now + random.nextLong(2 * length) : now + random.nextInt(3);
                String where = "-Dlimit.seed=" + SEED + ", round " + round + ", step " + step;
                int used = model.used(now);
                if (window.delay(1, now) == 0) {
                    window.start(1, now);
                    model.start(1, now);
                    assertThat(used + 1).as(where).isLessThanOrEqualTo(most);
                } else {
                    refused++;
                    assertThat(used).as(where).isGreaterThan(most - 2 * group);
                }
            }
            assertThat(refused).as("the limit was met").isPositive();
        }
    }

    @Test
    void whatHasStartedCountsUnderAnotherLimit() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < ROUNDS; round++) {
            int before = random.nextInt(1, 6000);
            int after = random.nextInt(1, 6000);
            long length = random.nextLong(1000, 10_000);
            SlidingWindow window = new SlidingWindow(limit(before, length));
            Model model = new Model(length);
            long now = 0;
            for (int step = 0; step < 8000; step++, now += random.nextInt(2)) {
                if (window.delay(1, now) == 0) {
                    window.start(1, now);
                    model.start(1, now);
                }
            }
            long started = window.started();
            window = window.under(limit(after, length));
            assertThat(window.started()).isEqualTo(started);
            int allowed = 0;
            while (window.delay(1, now) == 0) {
                window.start(1, now);
                allowed++;
            }
            String where = "-Dlimit.seed=" + SEED + ", round " + round;
            assertThat(allowed).as(where).isLessThanOrEqualTo(Math.max(0, after - model.used(now)));
            assertThat(allowed).as(where).isGreaterThanOrEqualTo(Math.max(0, after - model.used(now) - 6));
        }
    }

    @Test
    void whatCannotBeRefusedCountsAgainstWhatComesNext() {
        SlidingWindow window = new SlidingWindow(limit(2, 100));
        window.start(2, 0);
        window.start(1, 50);
        assertThat(window.delay(1, 99)).isEqualTo(1);
        assertThat(window.delay(1, 100)).as("the one of 50 is one of two").isZero();
        assertThat(window.delay(2, 100)).isEqualTo(50);
    }

    @Test
    void whatIsForcedIntoALargeWindowMakesNoRoomInItsGroup() {
        int most = 2 * SlidingWindow.MAX_GROUPS;
        SlidingWindow window = new SlidingWindow(limit(most, 100));
        window.start(most, 0);
        window.start(1, 50);
        assertThat(window.delay(1, 99)).isEqualTo(1);
        assertThat(window.delay(most - 1, 100)).isZero();
        assertThat(window.delay(most, 100)).isEqualTo(50);
    }

    @Test
    void aClockThatGoesBackLetsNothingMoreThrough() {
        SlidingWindow window = new SlidingWindow(limit(1, 100));
        window.start(1, 1000);
        assertThat(window.delay(1, 500)).isEqualTo(100);
        window.start(1, 500);
        assertThat(window.delay(1, 1099)).isEqualTo(1);
        assertThat(window.delay(1, 1100)).isZero();
    }

    @Test
    void itIsIdleOnceNothingIsLeftInTheWindow() {
        SlidingWindow window = new SlidingWindow(limit(5, 100));
        assertThat(window.isIdle(0)).isTrue();
        window.start(1, 0);
        assertThat(window.isIdle(99)).isFalse();
        assertThat(window.isIdle(100)).isTrue();
    }
}
