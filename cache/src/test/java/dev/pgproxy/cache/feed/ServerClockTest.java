package dev.pgproxy.cache.feed;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ServerClockTest {
    private static final long SECOND = 1_000_000;

    private final ServerClock clock = new ServerClock();

    @Test
    void aClockThatIsAheadDoesNotCount() {
        long ahead = 3600 * SECOND;
        clock.heard(100 * SECOND + ahead, 100 * SECOND + 200);
        clock.heard(101 * SECOND + ahead, 101 * SECOND + 500);
        assertThat(clock.since(102 * SECOND + ahead, 102 * SECOND + 1200)).isEqualTo(1000);
    }

    @Test
    void aClockThatIsSetBackIsFollowedWithinTwoMinutes() {
        for (long s = 0; s < 60; s++) {
            clock.heard(s * SECOND, s * SECOND);
        }
        for (long s = 60; s < 240; s++) {
            clock.heard((s - 30) * SECOND, s * SECOND);
        }
        assertThat(clock.since(210 * SECOND, 240 * SECOND + 7)).isEqualTo(7);
    }

    @Test
    void nothingIsReportedBeforeItHappened() {
        clock.heard(0, 500);
        assertThat(clock.since(10, 20)).isZero();
    }
}
