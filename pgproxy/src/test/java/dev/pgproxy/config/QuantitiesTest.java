package dev.pgproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantitiesTest {
    @ParameterizedTest
    @CsvSource({
        "0, PT0S",
        "300s, PT5M",
        "1h, PT1H",
        "15, PT15S",
        "0.5, PT0.5S",
        "250ms, PT0.25S",
        "10us, PT0.00001S",
        "2 min, PT2M",
        "2m, PT2M",
        "1.5H, PT1H30M",
        "7d, PT168H"
    })
    void durationsAreReadWithTheirUnits(String text, Duration expected) {
        assertThat(Quantities.duration(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "10000, 10000", "1kB, 1024", "16MB, 16777216", "1.5 GiB, 1610612736", "3k, 3072"})
    void sizesAreReadWithTheirUnits(String text, long expected) {
        assertThat(Quantities.size(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "s", "-1s", "1 week", "1s 2s", "1e3", "99999999999999999999", "4000d"})
    void whatIsNoDurationIsRefused(String text) {
        assertThatThrownBy(() -> Quantities.duration(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "MB", "-1", "1TB", "99999999999999999999"})
    void whatIsNoSizeIsRefused(String text) {
        assertThatThrownBy(() -> Quantities.size(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatIsShownIsReadAsTheSame() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 1000; i++) {
            Duration duration = Duration.ofNanos(1000L * random.nextInt(1 << random.nextInt(1, 31)));
            assertThat(Quantities.duration(Quantities.show(duration)))
                    .as("seed %s", seed)
                    .isEqualTo(duration);
            long bytes = random.nextLong(1L << random.nextInt(1, 60));
            assertThat(Quantities.size(Quantities.showSize(bytes)))
                    .as("seed %s", seed)
                    .isEqualTo(bytes);
        }
    }
}
