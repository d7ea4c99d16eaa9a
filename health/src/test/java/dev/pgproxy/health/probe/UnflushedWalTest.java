package dev.pgproxy.health.probe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class UnflushedWalTest {
    private final UnflushedWal wal = new UnflushedWal();

    private boolean isStuck(long millis, long end, long flushed) {
        return wal.isStuck(TimeUnit.MILLISECONDS.toNanos(millis), end, flushed);
    }

    @Test
    void whatIsNotFlushedForASecondIsStuckOnceASecond() {
        assertThat(isStuck(-5_000, 100, 90)).isFalse();
        assertThat(isStuck(-4_100, 100, 90)).isFalse();
        assertThat(isStuck(-4_000, 100, 90)).isTrue();
        assertThat(isStuck(-3_900, 100, 90)).isFalse();
        assertThat(isStuck(-2_900, 100, 90)).isTrue();
        assertThat(isStuck(-2_800, 100, 100)).isFalse();
        assertThat(isStuck(5_000, 100, 100)).isFalse();
    }

    @Test
    void aBusyServerIsNeverStuckThoughItsEndIsNeverFlushed() {
        for (int i = 1; i < 100; i++) {
            assertThat(isStuck(i * 100L, i * 10L, i * 10L - 15)).isFalse();
        }
    }

    @Test
    void positionsAreUnsigned() {
        assertThat(isStuck(0, -1, Long.MAX_VALUE)).isFalse();
        assertThat(isStuck(1_000, -1, Long.MAX_VALUE)).isTrue();
        assertThat(isStuck(2_000, -1, -1)).isFalse();
    }
}
