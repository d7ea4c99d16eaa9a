package dev.pgproxy.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ResponseTimesTest {
    @Test
    void theReaderSeesWhatAllLoopsRecordedSinceItsLastStep() {
        ResponseTimes times = new ResponseTimes(2, 3);
        times.record(0, 1, 7);
        ResponseTimes.Reader reader = times.reader();
        times.record(0, 1, 100);
        times.record(1, 1, 300);
        times.record(1, 2, 1 << 20);

        reader.advance();
        assertThat(reader.count(0)).isZero();
        assertThat(reader.meanNanos(0)).isZero();
        assertThat(reader.meanLogarithm(0)).isZero();
        assertThat(reader.count(1)).isEqualTo(2);
        assertThat(reader.meanNanos(1)).isEqualTo(200);
        assertThat(reader.meanLogarithm(2)).isEqualTo(20);

        reader.advance();
        assertThat(reader.count(1)).isZero();
    }

    @Test
    void logarithmsAreNearTheTruth() {
        for (long nanos = 1; nanos > 0; nanos = nanos * 5 / 4 + 1) {
            assertThat(ResponseTimes.logarithm(nanos) / 1024.0)
                    .as("%d", nanos)
                    .isCloseTo(Math.log((double) nanos) / Math.log(2), within(0.09));
        }
        assertThat(ResponseTimes.logarithm(0)).isZero();
        assertThat(ResponseTimes.logarithm(-5)).isZero();
    }

    @Test
    void nothingIsLostBetweenLoopsAndReader() throws Exception {
        ResponseTimes times = new ResponseTimes(4, 2);
        ResponseTimes.Reader reader = times.reader();
        List<Thread> loops = new ArrayList<>();
        for (int loop = 0; loop < 4; loop++) {
            int row = loop;
            loops.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 100_000; i++) {
                    times.record(row, i & 1, 10);
                }
            }));
        }
        long seen = 0;
        while (loops.stream().anyMatch(Thread::isAlive)) {
            reader.advance();
            seen += reader.count(0) + reader.count(1);
        }
        for (Thread loop : loops) {
            loop.join();
        }
        reader.advance();
        assertThat(seen + reader.count(0) + reader.count(1)).isEqualTo(400_000);
    }
}
