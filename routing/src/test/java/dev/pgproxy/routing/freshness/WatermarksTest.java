package dev.pgproxy.routing.freshness;

import static dev.pgproxy.routing.HostState.NEVER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class WatermarksTest {
    private static final Timeline ONE = new Timeline(-7, 1);
    private static final Timeline TWO = new Timeline(-7, 2);

    private final Watermarks watermarks = new Watermarks(Watermarks.DEFAULT_CAPACITY);

    @Test
    void nothingIsKnownBeforeTheFirstPoll() {
        assertThat(watermarks.freshAsOf(ONE, -1)).isEqualTo(NEVER);
        assertThat(watermarks.bytesBehind(ONE, 0)).isEqualTo(-1);
    }

    @Test
    void aReplicaIsFreshAsOfTheLastPositionThatItHasReached() {
        watermarks.add(ONE, 10, 100);
        watermarks.add(ONE, 20, 200);
        watermarks.add(ONE, 30, 300);

        assertThat(watermarks.freshAsOf(ONE, 99)).isEqualTo(NEVER);
        assertThat(watermarks.freshAsOf(ONE, 100)).isEqualTo(10);
        assertThat(watermarks.freshAsOf(ONE, 299)).isEqualTo(20);
        assertThat(watermarks.freshAsOf(ONE, 300)).isEqualTo(30);
        assertThat(watermarks.freshAsOf(ONE, -1)).isEqualTo(30);
        assertThat(watermarks.bytesBehind(ONE, 299)).isEqualTo(1);
        assertThat(watermarks.bytesBehind(ONE, 301)).isZero();
    }

    @Test
    void anIdlePrimaryTakesNoRoom() {
        for (int moment = 0; moment < 10_000; moment++) {
            watermarks.add(ONE, moment, 100);
        }
        assertThat(watermarks.size()).isEqualTo(1);
        assertThat(watermarks.freshAsOf(ONE, 100)).isEqualTo(9_999);
    }

    @Test
    void positionsAreUnsigned() {
        watermarks.add(ONE, 1, Long.MAX_VALUE);
        watermarks.add(ONE, 2, Long.MIN_VALUE);
        watermarks.add(ONE, 3, -1);

        assertThat(watermarks.freshAsOf(ONE, 5)).isEqualTo(NEVER);
        assertThat(watermarks.freshAsOf(ONE, Long.MAX_VALUE)).isEqualTo(1);
        assertThat(watermarks.freshAsOf(ONE, -2)).isEqualTo(2);
        assertThat(watermarks.bytesBehind(ONE, -2)).isEqualTo(1);
    }

    @Test
    void anotherTimelineOrAnotherClusterForgetsWhatWas() {
        watermarks.add(ONE, 10, 100);
        assertThat(watermarks.freshAsOf(TWO, 200)).isEqualTo(NEVER);
        assertThat(watermarks.bytesBehind(TWO, 200)).isEqualTo(-1);

        watermarks.add(TWO, 20, 150);
        assertThat(watermarks.freshAsOf(ONE, 200)).isEqualTo(NEVER);
        assertThat(watermarks.freshAsOf(TWO, 149)).isEqualTo(NEVER);
        assertThat(watermarks.freshAsOf(TWO, 150)).isEqualTo(20);

        watermarks.add(new Timeline(8, 2), 30, 150);
        assertThat(watermarks.freshAsOf(TWO, 150)).isEqualTo(NEVER);

        watermarks.forget();
        assertThat(watermarks.freshAsOf(new Timeline(8, 2), 150)).isEqualTo(NEVER);
    }

    @Test
    void aPositionThatGoesBackForgetsWhatWas() {
        watermarks.add(ONE, 10, 100);
        watermarks.add(ONE, 20, 200);
        watermarks.add(ONE, 30, 150);

        assertThat(watermarks.freshAsOf(ONE, 120)).isEqualTo(NEVER);
        assertThat(watermarks.freshAsOf(ONE, 200)).isEqualTo(30);
    }

    @Test
    void aMomentThatGoesBackIsAMistake() {
        watermarks.add(ONE, 10, 100);
        assertThatThrownBy(() -> watermarks.add(ONE, 9, 100)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theAnswerIsNeverLaterThanTheTruthAndExactForTheRecentPast() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 50; round++) {
            int capacity = random.nextInt(4, 200);
            Watermarks ring = new Watermarks(capacity);
            List<long[]> all = new ArrayList<>();
            long moment = 0;
            long lsn = random.nextLong();
            for (int i = 0; i < 2_000; i++) {
                moment += random.nextInt(1, 100);
                long next = lsn + random.nextInt(3) * random.nextLong(1 << 20);
                if (Long.compareUnsigned(next, lsn) < 0) {
                    break;
                }
                lsn = next;
                ring.add(ONE, moment, lsn);
                all.add(new long[] {moment, lsn});
                long replayed = lsn - random.nextLong(1 << 24);
                if (Long.compareUnsigned(replayed, lsn) > 0) {
                    continue;
                }
                long answer = ring.freshAsOf(ONE, replayed);
                assertThat(answer).as("seed %d", seed).isLessThanOrEqualTo(truth(all, replayed));
                assertThat(ring.freshAsOf(ONE, lsn)).as("seed %d", seed).isEqualTo(moment);
                if (all.size() <= capacity) {
                    assertThat(answer).as("seed %d", seed).isEqualTo(truth(all, replayed));
                }
                assertThat(ring.size()).as("seed %d", seed).isLessThanOrEqualTo(capacity);
            }
        }
    }

    private static long truth(List<long[]> all, long replayed) {
        long latest = NEVER;
        for (long[] entry : all) {
            if (Long.compareUnsigned(entry[1], replayed) <= 0) {
                latest = entry[0];
            }
        }
        return latest;
    }

    @Test
    void aReplicaHoursBehindIsStillPlacedWithinSeconds() {
        long tenth = 100_000_000L;
        int polls = 36_000 * 3; // three hours
        for (int i = 0; i < polls; i++) {
            watermarks.add(ONE, i * tenth, 1_000L * i);
        }
        for (int behind : new int[] {1, 100, 500}) {
            assertThat(watermarks.freshAsOf(ONE, 1_000L * (polls - 1 - behind)))
                    .isEqualTo((polls - 1 - behind) * tenth);
        }
        int hourAgo = polls - 1 - 36_000;
        assertThat(watermarks.freshAsOf(ONE, 1_000L * hourAgo)).isBetween((hourAgo - 80) * tenth, hourAgo * tenth);
    }
}
