package dev.pgproxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.backend.ErrorFields;
import dev.pgproxy.protocol.backend.SqlState;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class OutageTest {
    private static final long SECOND = 1_000_000_000L;
    private static final ErrorFields AWAY = ErrorFields.fatal(SqlState.CONNECTION_FAILURE, "away");

    private final Outage outage = new Outage(new SplittableRandom());
    private long now = System.nanoTime();

    /** Fails, and says after how long it is tried again, to a hundredth of a second. */
    private double pause(long longest) {
        outage.failed(AWAY, now, longest);
        long begun = now;
        while (!outage.isRetried(now)) {
            assertThat(outage.refusal(false, now)).isEqualTo(AWAY);
            now += SECOND / 100;
        }
        assertThat(outage.refusal(false, now)).isNull();
        assertThat(outage.refusal(true, now)).isEqualTo(AWAY);
        return (now - begun) / (double) SECOND;
    }

    @Test
    void pausesDoubleUpToTheLongestAndAreUpToAQuarterShorter() {
        for (double longest : new double[] {1, 2, 4, 8, 15, 15, 15}) {
            assertThat(pause(15 * SECOND)).isBetween(0.75 * longest, longest + 0.01);
        }
        outage.end();
        assertThat(pause(15 * SECOND)).isBetween(0.75, 1.01);
    }

    @Test
    void loginsThatBeganTogetherCountAsOne() {
        for (int i = 0; i < 10; i++) {
            outage.failed(AWAY, now, 15 * SECOND);
        }
        assertThat(outage.isRetried(now + SECOND)).isTrue();
        assertThat(outage.isRetried(now)).isFalse();
    }

    @Test
    void withoutAPauseItIsTriedAtOnce() {
        assertThat(pause(0)).isZero();
    }
}
